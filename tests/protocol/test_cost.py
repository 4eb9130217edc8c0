"""How amounts of money are written."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol.cost import Cost, dollars


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (0.0, "$0.00"),
        (1234.5, "$1,234.50"),
        (0.1, "$0.10"),
        (0.0999, "$0.10"),
        (0.0451, "$0.045"),
        (0.01, "$0.010"),
        (0.000314, "$0.00031"),
        (-0.02, "-$0.020"),
        (nan, "no price known"),
        (1e-30, "$0.00"),
        (inf, "$inf"),
    ],
)
def test_an_amount_shows_the_digits_that_count(usd: float, shown: str) -> None:
    """Cents at least, and of less than ten cents two digits."""
    assert dollars(usd) == shown


@given(st.floats(1e-8, 1e6))
def test_what_is_shown_is_close(usd: float) -> None:
    """Rounding changes an amount by at most a twentieth, or half a cent."""
    shown = float(dollars(usd).strip("$").replace(",", ""))
    assert shown == pytest.approx(usd, rel=0.051, abs=0.00501 if usd >= 0.1 else 0)


def test_a_cost_without_a_price_is_not_known() -> None:
    """Missing is not zero."""
    assert not Cost().is_known
    assert Cost(usd=0.0).is_known
