"""Columns of a panel: one prompt asked with different settings side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import traitlets

from cometnb.errors import CellError
from cometnb.panel.calling import Call
from cometnb.panel.difference import Difference, difference
from cometnb.panel.history import Run, flat, frame
from cometnb.panel.request import Asked
from cometnb.panel.working import Work, interrupted, until_over, wait_short
from cometnb.session.cell_request import CellRequest
from cometnb.session.settings import Settings
from cometnb.session.sweep_axes import SHORT_NAMES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "Comparing"]

_STOPPED_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column: what is different in it, and what came of it last.

    Attributes
    ----------
    overrides : Mapping of str to object
        Parameter by path to its value in this column; None is "not set" here.
    label : str
        What stands above it.
    run : Run or None
        The last run, or the one that is on its way.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    run: Run | None = None

    @property
    def title(self) -> str:
        """Its label, or what is different in it."""
        words = [f"{path}={'not set' if value is None else value}" for path, value in self.overrides.items()]
        return self.label or ", ".join(words) or "as set"

    def settings(self, of: Settings) -> Settings:
        """Return the settings of the panel with those of this column laid over them."""
        for path, value in self.overrides.items():
            of = of.with_value(path, value)
        return of


class Comparing(Work):
    """What a panel compares; `Panel` says what each trait is."""

    comparing = traitlets.Bool()
    columns = traitlets.Tuple(read_only=True)

    def add_column(self, label: str = "", /, **overrides: Any) -> int:
        """Add a column.

        Parameters
        ----------
        label : str
            What stands above it; empty says what is different in it.
        **overrides
            Parameters of the API that are different in it, ``effort`` and ``verbosity`` for short; None is "not set"
            here. See `set_in_column` for other fields inside one.

        Returns
        -------
        int
            Its place, from 0.
        """
        column = Column(_whole(flat(overrides)), label or "")
        self.set_trait("columns", (*self.columns, column))
        return len(self.columns) - 1

    def set_in_column(self, place: int, path: str, value: Any) -> None:
        """Set a parameter in one column; None is "not set" there, whatever the panel has."""
        column = self._column(place)
        self._replace(place, replace(column, overrides={**column.overrides, **_whole({path: value})}))

    def unset_in_column(self, place: int, path: str) -> None:
        """Let a column have what the panel has."""
        column = self._column(place)
        kept = {name: value for name, value in column.overrides.items() if name not in _whole({path: None})}
        self._replace(place, replace(column, overrides=kept))

    def name_column(self, place: int, label: str) -> None:
        """Put words above a column; empty words say what is different in it."""
        self._replace(place, replace(self._column(place), label=label))

    def remove_column(self, place: int) -> None:
        """Take a column away.

        Raises
        ------
        CellError
            A comparison is on its way, or there is no such column.
        """
        self._column(place)
        if self.running:
            raise CellError("The columns are on their way.", "Stop them first: panel.stop()")
        self.set_trait("columns", tuple(one for at, one in enumerate(self.columns) if at != place))

    def start_columns(self) -> tuple[Run, ...]:
        """Start all columns side by side and return at once; the prompt is filled in once for all of them.

        Raises
        ------
        CometError
            There is no column, the prompt cannot be filled in, or something is on its way already.
        """
        return tuple(call.run for call in self._begin_columns())

    def run_columns(self) -> tuple[Run, ...]:
        """Run all columns side by side and wait for the end of each.

        Returns
        -------
        tuple of Run
            One per column; a column that fails has its `error`, and the others go on.

        Raises
        ------
        CometError
            As `start_columns` does.
        KeyboardInterrupt
            The kernel was interrupted: all are stopped, and each has its text so far.
        """
        calls = self._begin_columns()
        try:
            for call in calls:
                wait_short(call.run)
        except KeyboardInterrupt:
            self.stop()
            for call in calls:
                call.run.wait(_STOPPED_WITHIN_S)
            raise interrupted() from None
        return tuple(call.run for call in calls)

    async def arun_columns(self) -> tuple[Run, ...]:
        """Run all columns and await the end of each; cancelling the task stops all.

        Raises
        ------
        CometError
            As `start_columns` does.
        """
        calls = self._begin_columns()
        await until_over(calls)
        return tuple(call.run for call in calls)

    def comparison(self) -> pd.DataFrame:
        """Return what came of the columns, one row each, in their order; see `history` for what the table holds."""
        return frame(column.run for column in self.columns if column.run is not None and column.run.is_done)

    def diff_columns(self, before: int = 0, after: int = 1) -> Difference:
        """Return what is different between the last runs of two columns.

        Raises
        ------
        CellError
            One of them has not run.
        """
        runs = [self._column(place).run for place in (before, after)]
        first, second = (run if run is not None and run.is_done else None for run in runs)
        if first is None or second is None:
            raise CellError("A column has not run yet.", "Run them first: panel.run_columns()")
        return difference(first, second)

    def _column(self, place: int) -> Column:
        try:
            column: Column = self.columns[place]
        except (IndexError, TypeError):
            raise CellError(
                f"There is no column {place!r}; the panel has {len(self.columns)}.",
                "Count from 0, or add one: panel.add_column()",
            ) from None
        return column

    def _replace(self, place: int, column: Column) -> None:
        columns = list(self.columns)
        columns[place] = column
        self.set_trait("columns", tuple(columns))

    def _begin_columns(self) -> list[Call]:
        if not self.columns:
            raise CellError(
                "The panel has no columns.", 'Add some: panel.add_column("short", max_output_tokens=50)'
            )
        self._reserve()
        try:
            self.refresh()
            base = self._asked()
            jobs = [
                (place, column.title, _laid_over(base, column.settings(base.settings)))
                for place, column in enumerate(self.columns)
            ]
        except BaseException:
            self._is_busy = False
            raise
        return self._launch(jobs)

    def _set_out(self, column: int | None, run: Run) -> None:
        if column is not None:
            self._replace(column, replace(self.columns[column], run=run))


def _whole(overrides: Mapping[str, Any]) -> dict[str, Any]:
    return {SHORT_NAMES.get(path, path): value for path, value in overrides.items()}


def _laid_over(base: Asked, settings: Settings) -> Asked:
    """Return what a column asks: the prompt as it was filled in, with the column's parameters."""
    params = {"input": base.cell.params["input"], **settings.arguments().params}
    form = (base.cell.params.get("text") or {}).get("format")
    if base.cell.schema is not None:
        text = params.get("text")
        params["text"] = {**(text if isinstance(text, dict) else {}), "format": form}
    return Asked(settings, CellRequest(params, base.cell.attached, base.cell.schema), base.toolbox)
