"""A response in the background: begun, listened to and ended in rows of its own, and counted once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cometnb.client.attempt import Observer
from cometnb.client.client import Client
from cometnb.client.simulator import Simulator
from cometnb.ledger import Ledger
from cometnb.ledger.budget import Budget
from cometnb.ledger.summaries import by_model, total
from cometnb.protocol.response import Response
from cometnb.session.tally import Tally
from tests.ledger.spenders import MODEL, admitted, ended, planned, prices_of
from tests.ledger.usage_frames import frame_of


class Purse:
    """Everything that counts money, as observers and gate of one client on the simulator."""

    def __init__(self, folder: Path) -> None:
        prices = prices_of(folder)
        self.ledger, self.tally = Ledger(folder / "ledger.sqlite3", prices), Tally()
        self.budget = Budget(5.0, prices=prices)
        simulator = Simulator(models=[MODEL], text="word " * 60, events_per_chunk=1)
        watching: list[Observer] = [self.ledger, self.tally, self.budget]
        self.client = Client(transport=simulator, observers=watching, gates=[self.budget])

    def listen(self, stream: Any, n_events: int) -> Response:
        """Read some events of a stream and leave it."""
        with stream:
            for number, _ in enumerate(stream, 1):
                if number == n_events:
                    break
            response: Response = stream.response
            return response


@pytest.fixture
def purse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Purse]:
    """Prices that know one model."""
    purse = Purse(tmp_path)
    monkeypatch.setenv("COMETNB_PRICES", str(tmp_path / "prices.toml"))
    yield purse
    purse.client.close()
    purse.ledger.close()


def test_a_stream_that_was_left_is_still_running(purse: Purse) -> None:
    """The service works on: its worst case stays reserved, and nobody has to call its cost unknown yet."""
    purse.listen(purse.client.stream("Hi", model=MODEL, background=True), 5)
    standing = purse.budget.standing("simulator")
    assert (standing.n_running, standing.n_held) == (1, 0)
    assert standing.reserved_usd > 0
    assert str(purse.tally.spent) == "nothing spent"


def test_a_stream_that_is_taken_up_again_is_counted_once(purse: Purse) -> None:
    """What its end reports is the whole cost: nothing is held, and nothing is called unknown any more."""
    response = purse.listen(purse.client.stream("Hi", model=MODEL, background=True), 5)
    again = purse.listen(purse.client.resume(response), 3)
    purse.listen(purse.client.resume(again), 10_000)
    frame = purse.ledger.usage()
    (usd,) = frame["cost_usd"].dropna()
    assert len(frame) == 3
    standing = purse.budget.standing("simulator")
    assert (standing.known_usd, standing.spent_usd, standing.reserved_usd) == (usd, usd, 0.0)
    assert (purse.tally.spent.n_simulated_unpriced, purse.tally.n_unreported) == (0, 0)
    assert total(frame).n_simulated_unpriced == 0
    assert by_model(frame)[["n_unreported", "n_simulated_unpriced"]].sum().sum() == 0


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_an_end_without_usage_is_of_unknown_cost(tmp_path: Path, status: str) -> None:
    """It runs no longer; what it may have cost is held, as it is of any other such end."""
    budget = Budget(5.0, prices=prices_of(tmp_path))
    call = planned(max_output_tokens=1_000)
    admitted(budget, call)
    reserved_usd = budget.standing().reserved_usd
    begun = ended(call, status="queued")
    budget(begun)
    budget(replace(begun, attempt_id="f" * 32, method="GET", status=status))
    standing = budget.standing()
    assert (standing.n_running, standing.n_held) == (0, 1)
    assert standing.held_usd == reserved_usd


def test_only_the_rows_of_its_own_response_settle_a_row() -> None:
    """One that has no id, or whose end is not in the frame, stays of unknown cost."""
    begun = {"input_tokens": None, "output_tokens": None, "usage_source": "none", "cost_usd": None}
    frame = frame_of(
        {**begun, "status": "queued", "response_id": "resp_1"},
        {"response_id": "resp_1"},
        {**begun, "status": "queued", "response_id": "resp_2"},
        {**begun, "status": "error", "response_id": None},
        {"response_id": None},
    )
    assert (total(frame).n_real, total(frame).n_unpriced) == (5, 2)
    (row,) = by_model(frame).itertuples()
    assert (row.n_attempts, row.n_unpriced, row.n_unreported) == (5, 2, 2)
    assert total(frame.drop(columns="response_id")).n_unpriced == 3
