"""Rounds in which one contender fails still have figures for the others."""

from __future__ import annotations

import pytest

from benchmarks.rounds import Rounds, UnmeasuredError, run_rounds


def _failing() -> float:
    raise UnmeasuredError("not installed here")


def test_whoever_fails_is_named_and_left_out() -> None:
    """The others are measured in every round."""
    rounds = run_rounds({"one": lambda: 1.0, "two": _failing}, 3)
    assert rounds == Rounds({"one": [1.0, 1.0, 1.0]}, {"two": "not installed here"})


def test_whoever_fails_in_a_later_round_has_no_figure() -> None:
    """Half a measurement would be compared with whole ones."""
    values = iter([1.0])

    def once() -> float:
        try:
            return next(values)
        except StopIteration:
            return _failing()

    rounds = run_rounds({"one": once, "two": lambda: 2.0}, 2)
    assert (list(rounds.samples), list(rounds.unmeasured)) == (["two"], ["one"])


def test_every_round_begins_one_later() -> None:
    """Nobody always comes right after the heaviest."""
    order: list[str] = []

    def noted(name: str) -> float:
        order.append(name)
        return 0.0

    run_rounds({name: (lambda name=name: noted(name)) for name in "abc"}, 3)  # type: ignore[misc]
    assert "".join(order) == "abcbcacab"


def test_discarded_rounds_are_run_and_not_kept() -> None:
    """They fill caches."""
    values = iter([9.0, 1.0, 2.0])
    assert run_rounds({"one": lambda: next(values)}, 2, n_discarded=1).samples == {"one": [1.0, 2.0]}


def test_a_ratio_is_taken_within_a_round() -> None:
    """A slow round strikes both and leaves the ratio as it is."""
    rounds = Rounds({"one": [2.0, 20.0, 4.0], "two": [1.0, 10.0, 1.0]})
    assert rounds.ratio("one", "two") == pytest.approx(2.0)


def test_there_is_no_ratio_to_somebody_without_a_figure() -> None:
    """Nor is there a best of nobody."""
    rounds = Rounds({"one": [2.0]}, {"two": "not installed here"})
    assert (rounds.ratio("one", "two"), rounds.best(["two"])) == (None, "")


def test_a_row_says_why_there_is_no_figure() -> None:
    """It is not left out of the table."""
    rounds = Rounds({"one": [2.0]}, {"two": "not installed here"})
    rows = rounds.rows(["one", "two"], lambda name: (rounds.median(name),))
    assert rows == [("one", 2.0), ("two", "not measured: not installed here")]
