"""Which trouble comes when: an order by seed, the same every time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from cometnb.client.faults.troubles import TROUBLES
from cometnb.errors import ConfigError

__all__ = ["Due", "Plan", "checked_names"]


class Due(NamedTuple):
    """The trouble the next request meets.

    Attributes
    ----------
    name : str
    chance : random.Random
        Of where it strikes; its own, so that it does not depend on what other requests met.
    """

    name: str
    chance: random.Random


class Plan:
    """The troubles of one line of requests, one after the other.

    Parameters
    ----------
    seed : str
        The same seed and names give the same troubles in the same order, striking at the same places.
    names : sequence of str
        Of `TROUBLES`.
    """

    def __init__(self, seed: str, names: Sequence[str]) -> None:
        self._seed = seed
        self._names = sorted(names)
        self._chance = random.Random(seed)  # noqa: S311  # it is to be repeatable, and keeps no secret
        self._n = 0
        self._name, self._n_left = "", 0

    def next(self) -> Due:
        """Return what the next request meets."""
        if not self._n_left:
            self._name = self._chance.choice(self._names)
            self._n_left = self._chance.randint(1, TROUBLES[self._name].lasts)
        self._n_left -= 1
        self._n += 1
        return Due(self._name, random.Random(f"{self._seed}/{self._n}"))  # noqa: S311


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of troubles; all if none is given.

    Raises
    ------
    ConfigError
        A name is not known.
    """
    for name in names:
        if name not in TROUBLES:
            raise ConfigError(
                f"There is no fault {name!r}.", "Choose from those that python -m cometnb serve --help lists."
            )
    return tuple(names) or tuple(TROUBLES)
