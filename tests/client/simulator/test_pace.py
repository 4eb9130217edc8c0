"""The speed of an answer and the schedule that keeps it."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.simulator import Simulator
from cometnb.client.simulator.pace import Pace, Schedule


class _Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_duration_is_tokens_over_speed() -> None:
    """No speed is no duration."""
    assert Pace(50).duration_s(100) == 2
    assert Pace(None).duration_s(100) == 0


@given(st.lists(st.floats(0.002, 1), min_size=1, max_size=50), st.floats(0, 0.5))
def test_oversleeping_does_not_add_up(gaps_s: list[float], late_s: float) -> None:
    """However late each wait ends, the next one is shorter by that: the whole is late once at most."""
    clock = _Clock()
    schedule = Schedule(clock)
    for gap_s in gaps_s:
        wait_s = schedule.wait_s(gap_s)
        if wait_s:
            clock.now_s += wait_s + late_s
            schedule.waited()
    assert sum(gaps_s) - 0.001 <= clock.now_s <= sum(gaps_s) + late_s + 0.001


@given(st.lists(st.floats(0.002, 1), min_size=1, max_size=50))
def test_a_sleep_that_does_not_sleep_counts_in_full(gaps_s: list[float]) -> None:
    """A test's own sleep is asked for the same waits a real one is."""
    schedule = Schedule(_Clock())
    waits_s = []
    for gap_s in gaps_s:
        waits_s.append(schedule.wait_s(gap_s))
        schedule.waited()
    assert waits_s == pytest.approx(gaps_s)


def test_gaps_too_short_to_wait_for_are_added_up() -> None:
    """Ten tokens of a tenth of a millisecond are one wait of a millisecond."""
    clock = _Clock()
    schedule = Schedule(clock)
    waits_s = [schedule.wait_s(0.0001) for _ in range(11)]
    assert waits_s[:9] == [0.0] * 9
    assert waits_s[10] == pytest.approx(0.0011)


def test_a_fast_pace_is_kept_too() -> None:
    """At 4,000 tokens a second a gap is too short to wait for; the whole answer still takes its time."""
    slept_s: list[float] = []
    simulator = Simulator(text="word " * 1000, tokens_per_s=4000, sleep=slept_s.append, events_per_chunk=1)
    body = {"model": "gpt-4.1", "input": "Hi", "stream": True}
    with httpx.Client(transport=simulator) as http:
        http.post("https://simulator.invalid/v1/responses", json=body)
    assert sum(slept_s) > Pace(4000).duration_s(1000) / 2
