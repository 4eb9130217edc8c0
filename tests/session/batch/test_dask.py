"""A batch on a real cluster of worker processes: the same call and frame, also when a worker is killed."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import cometnb
from cometnb import defaults
from cometnb.defaults import Shared
from cometnb.errors import AuthenticationError, BudgetExceededError

distributed = pytest.importorskip("distributed")

# Dask's own threads and sockets end in their own time.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
_SETTINGS: dict[str, Any] = {"schema": "word, n int", "model": "gpt-5.4", "reasoning": {"effort": "none"}}
_KEY = "sk-canary-0123456789abcdef"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three worker processes, and a client of theirs."""
    with (
        distributed.LocalCluster(
            n_workers=3,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as made,
        distributed.Client(made) as client,
    ):
        yield client


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shared]:
    """A kernel's shared things on the simulator."""
    made = Shared()
    monkeypatch.setattr(defaults, "shared", made)
    made.configure(backend="simulator")
    yield made
    made.configure()
    made.ledger.close()


def _rows(n_rows: int) -> pd.DataFrame:
    """Rows of which every fifth asks what another does."""
    return pd.DataFrame(
        {"text": [f"row {n % (n_rows * 4 // 5)}" for n in range(n_rows)]}, index=range(n_rows, 0, -1)
    )


def test_it_is_the_same_frame(cluster: Any, shared: Shared) -> None:
    """Wherever the requests were sent from; the ledger has each once."""
    rows = _rows(40)
    spread = cometnb.respond_frame(rows, "Say {{text}}", executor=cluster, **_SETTINGS)
    assert len(cometnb.usage()) == 32
    here = cometnb.respond_frame(rows, "Say {{text}}", **_SETTINGS)
    pd.testing.assert_frame_equal(spread.drop(columns="duration_s"), here.drop(columns="duration_s"))


def test_every_worker_takes_part(cluster: Any, shared: Shared) -> None:
    """The one with the fewest requests on their way is given the next."""
    shared.simulator.first_token_s, shared.simulator.tokens_per_s = 0.05, 10_000
    cometnb.respond_frame(_rows(30), "Say {{text}}", executor=cluster, **_SETTINGS)

    def n_clients() -> int:
        from cometnb.client import on_workers

        return sum(len(clients) for clients in on_workers._CLIENTS.values())

    assert all(number > 0 for number in cluster.run(n_clients).values())


def test_a_worker_that_dies_loses_nothing(cluster: Any, shared: Shared) -> None:
    """What was on its way through it is asked again by another; every answer and its row come home once."""
    shared.simulator.first_token_s, shared.simulator.tokens_per_s = 0.15, 10_000
    pid = min(cluster.run(os.getpid).values())
    shot = threading.Event()

    def kill(attempt: Any) -> None:
        if not shot.is_set():
            shot.set()
            os.kill(pid, signal.SIGKILL)

    shared.watch(kill)
    rows = _rows(60)
    result = cometnb.respond_frame(rows, "Say {{text}}", executor=cluster, **_SETTINGS)
    assert shot.is_set()
    assert result["error"].isna().all()
    assert result["status"].tolist() == ["completed"] * 60
    usage = cometnb.usage()
    completed = usage[usage["status"] == "completed"]
    assert sorted(completed["response_id"]) == sorted(set(result["response_id"]))
    assert len(completed) == 48
    assert usage["attempt_id"].is_unique
    assert set(usage["status"]) <= {"completed", "error"}
    assert completed["cost_usd"].sum() == pytest.approx(result["cost_usd"].sum())


def test_one_budget_holds_for_all_workers(cluster: Any, shared: Shared) -> None:
    """It is kept where the batch was started."""
    with pytest.raises(BudgetExceededError, match="of 30 rows are answered") as caught:
        cometnb.respond_frame(
            _rows(30), "Say {{text}}", executor=cluster, budget=0.004, max_output_tokens=200, **_SETTINGS
        )
    assert caught.value.frame["cost_usd"].sum() <= 0.004  # type: ignore[attr-defined]


def test_functions_are_run_at_home(cluster: Any, shared: Shared) -> None:
    """They may use whatever the notebook holds."""
    called_in: set[int] = set()

    def population(city: str) -> int:
        """People living in a city."""
        called_in.add(os.getpid())
        return len(city)

    cities = pd.DataFrame({"city": ["Rome", "Oslo"]})
    result = cometnb.respond_frame(
        cities,
        "What is the population of {{city}}?",
        tools=[population],
        executor=cluster,
        reasoning={"effort": "none"},
    )
    assert result["status"].tolist() == ["completed"] * 2
    assert called_in == {os.getpid()}


def test_the_key_goes_along_and_is_written_nowhere(
    cluster: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The workers have no key of their own; no log, error or frame shows it."""
    from tests.session.batch.keyed import keyed_service

    with keyed_service() as service:
        session = cometnb.Session(api_key=_KEY, base_url=service.url)
        result = cometnb.respond_frame(
            _rows(10), "Say {{text}}", executor=cluster, session=session, max_concurrency=2
        )
        session.close()
        assert service.keys == {f"Bearer {_KEY}"}
        assert result["answer"].tolist() == ["Hello."] * 10
        session = cometnb.Session(api_key="sk-wrong-0123456789", base_url=service.url)
        with pytest.raises(AuthenticationError) as caught:
            cometnb.respond_frame(_rows(10), "Say {{text}}", executor=cluster, session=session)
        session.close()
    logs = str([*cluster.get_worker_logs().values(), cluster.get_scheduler_logs()])
    shown = "".join(capfd.readouterr()) + logs + str(caught.value) + repr(caught.value)
    assert "canary" not in shown
    assert "sk-wrong" not in shown
