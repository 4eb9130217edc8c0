"""What counts as growth: more for a unit of work in a larger piece than in a smaller one."""

from __future__ import annotations

import pytest

from benchmarks.growth import growth


@pytest.mark.parametrize(
    ("costs", "expected"),
    [([2.0, 2.0, 2.0], 1.0), ([3.0, 2.0, 1.0], 1.0), ([1.0, 2.0, 4.0], 4.0), ([4.0, 2.0, 3.0], 1.5)],
)
def test_only_what_a_larger_size_pays_beyond_a_smaller_one_is_growth(
    costs: list[float], expected: float
) -> None:
    """A small size that is dear for what is paid once is none."""
    assert growth(costs) == expected
