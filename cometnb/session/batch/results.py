"""What became of a frame's rows, as columns: the answers in the schema's dtypes, errors, tokens and cost."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING, Any

from cometnb.errors import BudgetExceededError, CometError, SchemaMismatchError
from cometnb.protocol.response import Response
from cometnb.session.batch.job import Outcome
from cometnb.session.parsed import parsed
from cometnb.session.schema_frames import Column, frame_of_rows
from cometnb.session.structured import Schema

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIXED", "Line", "Results"]

_TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
FIXED = ("answer", "error", "status", "source", "model", *_TOKENS, "cost_usd", "duration_s", "response_id")
"""The columns that every result has, behind those of the schema."""

_TEXTS = ("answer", "error", "status", "source", "model", "response_id")
_NOT_ANSWERED, _NOT_SENT, _REFUSED = "not_answered", "not_sent", "refused_by_budget"


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one row.

    Attributes
    ----------
    key : str
        Rows with the same key asked the same.
    answer, error, status, source, model, response_id : str or None
        As in the frame.
    input_tokens, cached_tokens, output_tokens, reasoning_tokens : int or None
        None is "not reported".
    cost_usd, duration_s : float
        NaN is "not known".
    rows : list or None
        The parsed answer as rows of plain JSON; None if there is none.
    """

    key: str = ""
    answer: str | None = None
    error: str | None = None
    status: str = _NOT_ANSWERED
    source: str | None = None
    model: str | None = None
    response_id: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: float = nan
    duration_s: float = nan
    rows: list[Any] | None = None


class Results:
    """Collects what became of the rows, in any order, and gives the frame at any time.

    Parameters
    ----------
    n_rows : int
    schema : Schema or None

    Attributes
    ----------
    n_rows : int
    """

    def __init__(self, n_rows: int, schema: Schema | None = None) -> None:
        self.n_rows = n_rows
        self._schema = schema
        self._lines: list[Line | None] = [None] * n_rows

    def take(self, outcome: Outcome) -> Line:
        """Take what became of a job, and return it; its place is the row."""
        line = self._lines[outcome.job.place] = _line_of(outcome, self._schema)
        return line

    def refuse(self, place: int, error: CometError) -> Line:
        """Take that a row was not sent, and why, and return that."""
        line = self._lines[place] = Line(error=_told(error), status=_NOT_SENT, cost_usd=0.0)
        return line

    @property
    def n_answered(self) -> int:
        """Rows that have an answer, whether it fits or not."""
        return sum(line is not None and line.response_id is not None for line in self._lines)

    def frame(self, index: pd.Index[Any]) -> pd.DataFrame:
        """Return the frame, one row for each, in order.

        Parameters
        ----------
        index : pandas.Index
            Of the frame that was asked; the result has the same.

        Returns
        -------
        DataFrame
            The schema's columns in its dtypes, then `FIXED`: text columns string, tokens Int64, ``cost_usd`` and
            ``duration_s`` float64. A field of the schema that has the name of one of those is ``answer_NAME``.
        """
        import pandas as pd

        lines = _counted_once([line or Line() for line in self._lines])
        fields = {} if self._schema is None else self._fields(self._schema, lines)
        columns: dict[Hashable, Any] = {}
        for name, values in fields.items():
            taken = {*FIXED, *(other for other in fields if other != name), *columns}
            columns[_free(name, taken, "answer_")] = values
        for name in FIXED:
            columns[name] = _array(name, [getattr(line, name) for line in lines])
        return pd.DataFrame(columns).set_axis(index, axis=0)

    def _fields(self, schema: Schema, lines: list[Line]) -> dict[str, Any]:
        """Return the parsed columns; a value that has no place in its dtype becomes an error of its row."""
        if schema.is_rows:
            column = Column("rows", (), "object")
            return dict(frame_of_rows([line.rows for line in lines], [column]))
        held = [line.rows[0] if line.rows else None for line in lines]
        try:
            return dict(frame_of_rows(held, schema.columns))
        except SchemaMismatchError:
            for at, row in enumerate(held):
                try:
                    frame_of_rows([row], schema.columns)
                except SchemaMismatchError as error:
                    lines[at] = replace(lines[at], error=_told(error))
                    held[at] = None
            return dict(frame_of_rows(held, schema.columns))


def _line_of(outcome: Outcome, schema: Schema | None) -> Line:
    error = outcome.error
    response = outcome.response or (error.response if error is not None else None)
    source = "checkpoint" if outcome.is_stored else "asked"
    line = Line(outcome.job.key, source=source, status=_status(error, response))
    if response is not None:
        usage = response.usage or response.estimated_usage
        counts: dict[str, Any] = {name: getattr(usage, name) for name in _TOKENS} if usage else {}
        line = replace(
            line,
            answer=response.output_text or None,
            model=response.model or response.model_requested,
            response_id=response.id,
            cost_usd=_cost_usd(response),
            duration_s=nan if response.timing.duration_s is None else response.timing.duration_s,
            **counts,
        )
    if error is not None:
        unsent = isinstance(error, BudgetExceededError) and response is None
        free: dict[str, Any] = {"cost_usd": 0.0, "source": None} if unsent or line.status == _REFUSED else {}
        return replace(line, error=_told(error), **free)
    if response is None:
        return line
    return _judged(line, response, schema)


def _judged(line: Line, response: Response, schema: Schema | None) -> Line:
    """Add the parsed answer, or why there is none."""
    if schema is not None:
        try:
            return replace(line, rows=schema.plain_rows(parsed(response, schema)))
        except CometError as error:
            return replace(line, error=_told(error))
    if response.refusal is not None:
        return replace(line, error=f"RefusalError: {response.refusal}")
    if response.status != "completed":
        reason = response.incomplete_reason
        return replace(line, error=f"The answer is {response.status}{f': {reason}' if reason else ''}.")
    if not line.answer and response.function_calls:
        names = ", ".join(dict.fromkeys(call.name for call in response.function_calls))
        return replace(line, error=f"The answer is a call of {names}, and has no text.")
    return line


def _status(error: CometError | None, response: Response | None) -> str:
    if isinstance(error, BudgetExceededError) and (response is None or not response.output):
        return _REFUSED
    if response is not None and (error is None or response.status not in (None, "completed")):
        return response.status
    return "error"


def _cost_usd(response: Response) -> float:
    """Return what an answer cost, with the fees of tools as far as they are known; the rounds of one added up."""
    total = 0.0
    for one in response.rounds or (response,):
        cost = one.cost
        total += cost.usd + (cost.fees_usd if cost.fees_usd > 0 else 0.0)
    return total


def _counted_once(lines: list[Line]) -> list[Line]:
    """Let the first of the rows that asked the same have the tokens and the cost; for the others nothing was sent."""
    seen: set[str] = set()
    counted: list[Line] = []
    nothing: dict[str, Any] = dict.fromkeys(_TOKENS, 0)
    for line in lines:
        is_twin = bool(line.key) and line.key in seen
        twin: dict[str, Any] = {"source": "duplicate", "cost_usd": 0.0, "duration_s": nan} | nothing
        counted.append(replace(line, **twin) if is_twin else line)
        seen.add(line.key)
    return counted


def _array(name: str, values: Sequence[Any]) -> Any:
    import numpy as np
    import pandas as pd

    if name in _TEXTS:
        return pd.array(list(values), dtype=pd.StringDtype("python"))
    if name in _TOKENS:
        return pd.array(list(values), dtype="Int64")
    return np.array(values, dtype=np.float64)


def _free(name: str, taken: Iterable[Hashable], prefix: str) -> str:
    held = set(taken)
    while name in held:
        name = prefix + name
    return name


def _told(error: CometError) -> str:
    return f"{type(error).__name__}: {error.fact}"
