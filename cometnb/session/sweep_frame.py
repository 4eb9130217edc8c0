"""What came of a sweep's runs, as one tidy DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cometnb.errors import BudgetExceededError, CometError, masked
from cometnb.protocol.response import Response, whole_text
from cometnb.session.parsed import parsed
from cometnb.session.structured import Schema
from cometnb.session.sweep import Grid, Run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Result", "frame_of"]

_TEXTS = ("answer", "status", "error", "model", "model_reported", "response_id")
_COUNTS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "total_tokens")
_FIGURES = ("cost_usd", "ttft_s", "duration_s", "output_tokens_per_s")
_ASK_AGAIN = frozenset({"interrupted", "truncated", "error", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run.

    Attributes
    ----------
    run : Run
    response : Response or None
        What came of the answer, if anything did.
    error : CometError or None
        Why it ended badly.
    is_kept : bool
        Whether it is from an earlier sweep and was not asked again.
    """

    run: Run
    response: Response | None = None
    error: CometError | None = None
    is_kept: bool = False

    @property
    def status(self) -> str:
        """As in the usage frame, and ``not_answered`` for a call that was not made."""
        came = self.response is not None and bool(self.response.output_text or self.response.output)
        if isinstance(self.error, BudgetExceededError) and not came:
            return "refused_by_budget"
        if self.response is not None and (came or self.error is None):
            return self.response.status
        return "error" if self.error is not None else "not_answered"

    @property
    def is_done(self) -> bool:
        """Whether asking again would be paid for nothing: the service has answered, whole or up to a limit."""
        return self.error is None and self.response is not None and self.status not in _ASK_AGAIN


def frame_of(grid: Grid, results: Sequence[Result]) -> pd.DataFrame:
    """Return a sweep's frame.

    Parameters
    ----------
    grid : Grid
    results : sequence of Result
        One for each run, in the order of ``grid.runs``.

    Returns
    -------
    DataFrame
        One row per run, index 0 to n - 1. The axes (Int64, float64, boolean or string; <NA> or NaN is "not set"),
        ``repeat`` (Int64, from 1), ``answer``, with a schema the answer's fields in its dtypes (a list of rows as the
        one column ``parsed``; a field whose name is taken is called ``parsed.NAME``), ``status``, ``error``,
        ``model`` (as asked for), ``model_reported`` and ``response_id`` (string), ``input_tokens``, ``cached_tokens``,
        ``output_tokens``, ``reasoning_tokens`` and ``total_tokens`` (Int64; <NA> is not reported), ``cost_usd`` (US
        dollars; NaN is no price known), ``ttft_s``, ``duration_s`` (seconds) and ``output_tokens_per_s`` (float64).
    """
    import pandas as pd

    rows = [_row(result, grid.schema) for result in results]
    columns: dict[str, Any] = {}
    for at, axis in enumerate(grid.axes):
        columns[axis.name] = _axis_column([result.run.point.labels[at] for result in results])
    columns["repeat"] = pd.array([result.run.repeat for result in results], dtype="Int64")
    names = [name for name in _ordered() if name not in columns]
    plain = {name: _plain_column(name, [row[name] for row in rows]) for name in names}
    columns["answer"] = plain.pop("answer")
    if grid.schema is not None:
        columns |= _parsed_columns(grid.schema, [row["value"] for row in rows], {*columns, *plain})
    return pd.DataFrame(columns | plain, index=pd.RangeIndex(len(rows)))


def _ordered() -> Iterable[str]:
    return (*_TEXTS[:-1], *_COUNTS, *_FIGURES, _TEXTS[-1])


def _plain_column(name: str, values: list[Any]) -> Any:
    import pandas as pd

    if name in _TEXTS:
        return _text_column(values)
    return pd.array(values, dtype="Int64" if name in _COUNTS else "float64")


def _text_column(values: list[Any]) -> Any:
    """Return texts as a column; half of a character, which a service may send, could be kept and exported by nobody."""
    import pandas as pd

    whole = [None if value is None else whole_text(str(value)) for value in values]
    return pd.array(whole, dtype=pd.StringDtype("python"))


def _row(result: Result, schema: Schema | None) -> dict[str, Any]:
    response, error = result.response, result.error
    row: dict[str, Any] = (
        dict.fromkeys(_TEXTS) | dict.fromkeys(_COUNTS) | dict.fromkeys(_FIGURES, float("nan"))
    )
    row |= {"status": result.status, "model": str(result.run.point.params["model"]), "value": None}
    if error is None and response is not None and response.status in ("failed", "error"):
        row["error"] = str((response.error or {}).get("message") or "no reason given")
    if response is not None and (response.output or response.usage or error is None):
        row |= _figures(response)
        if schema is not None and error is None:
            row["value"], error = _value(response, schema)
    if error is not None:
        row["error"] = masked(error.fact)
    return row


def _figures(response: Response) -> dict[str, Any]:
    usage, timing = response.usage, response.timing
    duration_s, out = timing.duration_s, usage.output_tokens
    return {
        "answer": response.output_text or response.refusal or "",
        "model_reported": response.model,
        **{name: getattr(usage, name) for name in _COUNTS},
        "cost_usd": response.cost.usd,
        "ttft_s": _or_nan(timing.ttft_s),
        "duration_s": _or_nan(duration_s),
        "output_tokens_per_s": out / duration_s if out and duration_s else float("nan"),
        "response_id": response.id,
    }


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _value(response: Response, schema: Schema) -> tuple[Any, CometError | None]:
    """Return the answer as a frame, or why there is none."""
    try:
        return schema.frame(parsed(response, schema)), None
    except CometError as error:
        return None, error


def _parsed_columns(schema: Schema, frames: list[Any], taken: set[str]) -> dict[str, Any]:
    import pandas as pd

    if schema.is_rows:
        held = [None if frame is None else frame.to_dict("records") for frame in frames]
        return {"parsed": pd.Series(held, dtype="object")}
    missing = schema.frame_of_plain([None])
    whole = pd.concat(
        [missing if frame is None else frame for frame in frames] or [missing[:0]], ignore_index=True
    )
    whole = whole.astype(missing.dtypes.to_dict())
    return {f"parsed.{name}" if name in taken else str(name): whole[name] for name in whole.columns}


def _axis_column(labels: list[Any]) -> Any:
    import pandas as pd

    known = [label for label in labels if label is not None]
    kinds = {type(label) for label in known}
    if not known or not kinds <= {bool, int, float}:
        return _text_column(labels)
    if kinds == {bool}:
        return pd.array(labels, dtype="boolean")
    if kinds == {int}:
        return pd.array(labels, dtype="Int64")
    return pd.array([float("nan") if label is None else float(label) for label in labels], dtype="float64")
