"""How a run is made: small or in full, how many rounds, and where each contender's interpreter is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.child import result_of
from benchmarks.comparison.environments import DEFAULT_FOLDER, Rival, installed, python_of
from benchmarks.comparison.tools import TOOLS
from benchmarks.rounds import UnmeasuredError

__all__ = ["RIVALS", "Plan", "failing_is_unmeasured"]

_T = TypeVar("_T")

RIVALS: dict[str, Rival] = {tool.slug: tool for tool in TOOLS if tool.packages} | {
    "aiohttp": Rival(name="aiohttp", slug="aiohttp", packages=("aiohttp",), shown=("aiohttp",)),
    "anywidget": Rival(name="anywidget", slug="anywidget", packages=("anywidget",), shown=("anywidget",)),
}
"""Whose work is measured beside cometnb's, by the folder of its environment; each in one of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of the benchmark.

    Attributes
    ----------
    feed_url : str
        The server that contenders read streams from.
    environments : Path
        The folder that holds an environment for each rival.
    is_quick : bool
        Whether it is only to be seen that everything runs.
    n_rounds : int or None
        How many rounds whatever is repeated gets; None leaves each its own number.
    """

    feed_url: str = ""
    environments: Path = DEFAULT_FOLDER
    is_quick: bool = False
    n_rounds: int | None = None

    def size(self, quick: _T, full: _T) -> _T:
        """Return the one or the other."""
        return quick if self.is_quick else full

    def rounds(self, full: int) -> int:
        """Return how many rounds to make where a full run would make `full`."""
        return 1 if self.is_quick else self.n_rounds or full

    def python(self, slug: str) -> Path | None:
        """Return a rival's interpreter; None for an empty slug, which stands for this environment.

        Raises
        ------
        UnmeasuredError
            If the rival is not installed.
        """
        if not slug:
            return None
        if not python_of(RIVALS[slug], self.environments).exists():
            raise UnmeasuredError("not installed here")
        return python_of(RIVALS[slug], self.environments)

    def result_of(self, slug: str, *arguments: str) -> Any:
        """Run Python in a rival's environment and return the JSON it prints; see `child.result_of`.

        Raises
        ------
        UnmeasuredError
            If the rival is not installed, or fails.
        """
        python = self.python(slug)
        if python is None:
            return result_of(*arguments)
        try:
            return result_of(*arguments, python=python)
        except subprocess.CalledProcessError as error:
            raise UnmeasuredError(f"it failed: {_last_words(error.stderr)}") from error

    def versions(self, slugs: Iterable[str]) -> dict[str, str]:
        """Return the versions of these rivals, as text by slug; "not installed" for one that is not there."""
        return {slug: self._version(RIVALS[slug]) for slug in slugs}

    def _version(self, rival: Rival) -> str:
        found = installed(rival, self.environments)
        return ", ".join(f"{name} {version}" for name, version in found.items()) or "not installed"


@contextmanager
def failing_is_unmeasured() -> Iterator[None]:
    """Have what goes wrong in a rival's kernel raise `UnmeasuredError`, which says what it was."""
    try:
        yield
    except (AssertionError, OSError, RuntimeError) as error:
        raise UnmeasuredError(f"it failed: {_last_words(str(error))}") from error


def _last_words(text: str) -> str:
    """Return the last line of what a program said, at most 200 characters of it."""
    return (text.strip().splitlines() or ["it said nothing"])[-1].strip()[:200]
