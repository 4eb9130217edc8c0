"""A batch on the session's thread: outcomes on the thread that waits, functions of the notebook, a stop at any time."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Iterator

import pytest

from cometnb.client.simulator import Simulator
from cometnb.session.batch.job import Job, Outcome
from cometnb.session.batch.limits import Limits
from cometnb.session.session import Session
from cometnb.session.tools import Toolbox
from tests.session.batch.running import jobs


@pytest.fixture
def session() -> Iterator[Session]:
    """A session with a service that answers at once."""
    session = Session(transport=Simulator(text="Yes."))
    yield session
    session.close()


def test_outcomes_come_on_the_thread_that_waits(session: Session) -> None:
    """All of them, and then it is done."""
    batch = session.start_batch(jobs(*(f"{n}" for n in range(50))), most_ahead=4)
    seen: dict[int, str] = {}
    threads = set()

    def take(outcome: Outcome) -> None:
        seen[outcome.job.place] = str(outcome.response)
        threads.add(threading.current_thread())

    batch.wait(take)
    assert seen == dict.fromkeys(range(50), "Yes.")
    assert threads == {threading.current_thread()}
    assert batch.is_done
    assert batch.error is None


def test_a_quiet_time_is_told(session: Session) -> None:
    """So that whoever shows a clock can move it."""
    session.client.setup.transport.first_token_s = 0.1  # type: ignore[union-attr]
    batch = session.start_batch(jobs("a"))
    come = list(batch.outcomes(idle_s=0.01))
    assert come.count(None) > 2
    assert len([outcome for outcome in come if outcome is not None]) == 1


def test_an_interrupt_stops_it_and_keeps_what_has_come(session: Session) -> None:
    """Jobs without end are no matter."""

    def endless() -> Iterator[Job]:
        number = 0
        while True:
            number += 1
            yield Job(f"{number}", {"input": f"{number}"}, place=number)

    batch = session.start_batch(endless(), limits=Limits(4))
    seen: list[int] = []

    def take(outcome: Outcome) -> None:
        seen.append(outcome.job.place)
        if len(seen) == 20:
            _thread.interrupt_main()

    with pytest.raises(KeyboardInterrupt):
        batch.wait(take)
    assert batch.is_done
    assert batch.run.is_stopped
    # Every outcome that was handed out has been taken; that of the interrupt was handed out again.
    assert len(set(seen)) == batch.run.n_done >= 20
    assert len(seen) <= len(set(seen)) + 1


def test_an_interrupt_between_two_outcomes_loses_none(session: Session) -> None:
    """Also of those that came at the same moment."""
    batch = session.start_batch(jobs("a", "b", "c"))
    while not batch.is_done:
        time.sleep(0.01)
    outcomes = batch.outcomes()
    assert next(outcomes) is not None
    with pytest.raises(KeyboardInterrupt):
        outcomes.throw(KeyboardInterrupt)  # type: ignore[attr-defined]  # it is a generator
    assert {outcome.job.place for outcome in batch.rest()} == {0, 1, 2}


def test_leaving_the_block_stops_it(session: Session) -> None:
    """Also by an exception in the body of a loop, of which a generator learns nothing."""
    session.client.setup.transport.first_token_s = 30  # type: ignore[union-attr]
    with pytest.raises(ZeroDivisionError), session.start_batch(jobs("a", "b")) as batch:
        raise ZeroDivisionError
    assert batch.is_done
    assert batch.run.n_done == 0


def test_what_the_generator_raises_comes_out_where_it_is_waited_for(session: Session) -> None:
    """And not in a thread that nobody watches."""

    def broken() -> Iterator[Job]:
        yield from jobs("a")
        raise ZeroDivisionError

    seen: list[Outcome] = []
    with pytest.raises(ZeroDivisionError):
        session.start_batch(broken()).wait(seen.append)
    assert len(seen) == 1


def test_functions_are_run_for_every_job() -> None:
    """Round by round, within the limits, and counted as the requests they are."""
    places: list[str] = []

    def look_up(place: str) -> str:
        """Look a place up."""
        places.append(place)
        return f"{place} is by the sea."

    session = Session(transport=Simulator())
    work = jobs("Look up Oslo.", "Look up Lima.", "Look up Oslo.")
    batch = session.start_batch(work, toolbox=Toolbox([look_up]), limits=Limits(1))
    outcomes: list[Outcome] = []
    batch.wait(outcomes.append)
    session.close()
    assert sorted(places) == ["Lima", "Oslo"]
    assert sorted(outcome.n_asked for outcome in outcomes) == [0, 2, 2]
    for outcome in outcomes:
        assert outcome.response is not None
        assert "by the sea" in str(outcome.response.raw)
