"""What came of a sweep: its frame, its responses, and what was said of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cometnb.errors import ParamError
from cometnb.protocol.response import Response
from cometnb.session.sweep import Grid
from cometnb.session.sweep_axes import label_text
from cometnb.session.sweep_frame import Result, frame_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sweep"]


@dataclass(frozen=True)
class Sweep:
    """What came of a sweep; the last one is ``cometnb.sweep.last``.

    Attributes
    ----------
    grid : Grid
    results : tuple of Result
        One for each row of the frame, in its order.
    notes : tuple of str
        What was said of the whole: what is kept, why it stopped.
    """

    grid: Grid
    results: tuple[Result, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per run; see `cometnb.session.sweep_frame.frame_of`."""
        return frame_of(self.grid, self.results)

    @property
    def responses(self) -> tuple[Response | None, ...]:
        """The answer of each row; None where there is none."""
        return tuple(result.response for result in self.results)

    @property
    def is_complete(self) -> bool:
        """True if every run has its answer."""
        return all(result.is_done for result in self.results)

    def find(self, **labels: Any) -> list[Response]:
        """Return the answers at some values: ``find(model="gpt-5.4", effort="low", repeat=1)``.

        Raises
        ------
        ParamError
            A name that is no axis, or a value the axis has not.
        """
        known = {axis.name: list(axis.labels) for axis in self.grid.axes}
        known["repeat"] = list(range(1, self.grid.repeat + 1))
        for name, label in labels.items():
            if name not in known or label not in known[name]:
                has = ", ".join(map(label_text, known[name])) if name in known else ""
                raise ParamError(
                    f"The sweep has no {name}={label!r}.",
                    f"{name} is one of: {has}." if has else f"Its axes are {', '.join(known)}.",
                    param=name,
                )
        names = [axis.name for axis in self.grid.axes]
        found = []
        for result in self.results:
            at = dict(zip(names, result.run.point.labels, strict=True)) | {"repeat": result.run.repeat}
            if result.response is not None and all(at[name] == label for name, label in labels.items()):
                found.append(result.response)
        return found

    def __repr__(self) -> str:
        n_done = sum(result.is_done for result in self.results)
        return f"<Sweep of {self.grid}, {n_done} done>"
