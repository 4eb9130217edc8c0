"""Numbers of things in words: ``1 row``, ``2,000 rows``."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str, many: str = "") -> str:
    """Return how many there are.

    Parameters
    ----------
    number : int
    noun : str
        For one.
    many : str, optional
        For any other number; `noun` with an s if not given.
    """
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"
