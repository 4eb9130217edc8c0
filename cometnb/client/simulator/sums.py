"""Small true sums for the answers: a formula, its value for one number, and code that agrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["SUMS", "Sum"]


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum over the whole numbers from 1 to n, with a closed form.

    Attributes
    ----------
    formula : str
        LaTeX, both sides.
    term : str
        Python, in ``k``: what is added.
    closed_form : str
        Python, in ``n``.
    value : callable
        The sum up to n.
    """

    formula: str
    term: str
    closed_form: str
    value: Callable[[int], int]


SUMS: tuple[Sum, ...] = (
    Sum(
        r"\sum_{k=1}^{n} k = \frac{n(n+1)}{2}",
        "k",
        "n * (n + 1) // 2",
        lambda n: n * (n + 1) // 2,
    ),
    Sum(
        r"\sum_{k=1}^{n} k^2 = \frac{n(n+1)(2n+1)}{6}",
        "k**2",
        "n * (n + 1) * (2 * n + 1) // 6",
        lambda n: n * (n + 1) * (2 * n + 1) // 6,
    ),
    Sum(
        r"\sum_{k=1}^{n} (2k - 1) = n^2",
        "2 * k - 1",
        "n**2",
        lambda n: n**2,
    ),
    Sum(
        r"\sum_{k=1}^{n} k^3 = \left(\frac{n(n+1)}{2}\right)^2",
        "k**3",
        "(n * (n + 1) // 2) ** 2",
        lambda n: (n * (n + 1) // 2) ** 2,
    ),
)
