"""Numbers and names on a plot."""

from __future__ import annotations

import pytest

from cometnb.ledger.plots.canvas import blank
from cometnb.ledger.plots.units import in_dollars, rounded, shortened


@pytest.mark.parametrize(
    ("ticks", "shown"),
    [
        ([0, 5, 10], ["$0", "$5", "$10"]),
        ([0, 0.5, 1], ["$0.00", "$0.50", "$1.00"]),
        ([0, 0.0005, 0.001], ["$0.0000", "$0.0005", "$0.0010"]),
        ([0, 2000], ["$0", "$2,000"]),
    ],
)
def test_an_axis_of_dollars_has_the_decimals_it_needs(ticks: list[float], shown: list[str]) -> None:
    """The same on every tick."""
    axis = blank().xaxis
    in_dollars(axis)
    assert axis.get_major_formatter().format_ticks(ticks) == shown


def test_long_names_keep_their_ends() -> None:
    """Models differ at the beginning and at the date."""
    assert shortened("gpt-5.4") == "gpt-5.4"
    short = shortened("vendor/" + "x" * 60 + "-2026-03-05")
    assert len(short) == 30
    assert (short[:7], short[-10:]) == ("vendor/", "2026-03-05")


def test_numbers_are_short() -> None:
    """As many digits as one reads at a glance."""
    assert [rounded(value) for value in (0, 0.5, 999, 1200, 3_456_000)] == [
        "0",
        "0.5",
        "999",
        "1.2k",
        "3.46M",
    ]
