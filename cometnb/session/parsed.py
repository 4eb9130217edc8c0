"""The value and the frame of a response, or the reason why there is none: refused, cut, or not what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cometnb.errors import CometError, IncompleteAnswerError, RefusalError, SchemaMismatchError
from cometnb.protocol.response import Response
from cometnb.session.answer_json import FoundJSON, json_in
from cometnb.session.schema_frames import plain_frame
from cometnb.session.structured import Schema, schema_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_of", "parsed", "parsed_of"]

_HOW_TO_ASK = "Ask with a schema: %%respond --schema 'name, age int', or respond(…, schema=Person)."

# Why an answer ends early, and what to do about it; the first part of "status" or "reason" that is known decides.
_ENDINGS: dict[str, tuple[str, str]] = {
    "max_output_tokens": (
        "it reached max_output_tokens",
        "Allow more (a higher max_output_tokens), or ask for less at once.",
    ),
    "max_tokens": (
        "it reached the limit of tokens",
        "Allow more (a higher max_output_tokens), or ask for less at once.",
    ),
    "content_filter": ("a content filter stopped it", "Change what is asked for, and ask again."),
    "interrupted": ("it was interrupted", "Run it again to have all of it."),
    "cancelled": ("it was cancelled", "Run it again to have all of it."),
    "truncated": ("the connection ended before it did", "Run it again to have all of it."),
    "failed": ("the service failed", "Run it again; response.error says what happened."),
    "error": ("the service failed", "Run it again; response.error says what happened."),
    "queued": ("it has not begun", "Wait until response.status is completed."),
    "in_progress": ("it is still being written", "Wait until response.status is completed."),
    "completed": (
        "its JSON ends before it is closed",
        "Ask again, with a higher max_output_tokens if one is set.",
    ),
}


def parsed(response: Response, schema: Schema | None) -> Any:
    """Return the value of a response's answer.

    Parameters
    ----------
    response : Response
        An answer, finished or so far.
    schema : Schema or None
        What was asked for; None takes any JSON.

    Returns
    -------
    object
        What `Schema.parse` returns; plain JSON without a schema.

    Raises
    ------
    RefusalError
        If the model refused; says its words.
    IncompleteAnswerError
        If the answer ends before its JSON does; says why, how many rows are whole, and has them in `rows`.
    SchemaMismatchError
        If it is whole, and no JSON or not what the schema says; has the place and the value.
    """
    try:
        return _parsed(response, schema)
    except CometError as error:
        error.response = response
        raise


def parsed_of(response: Response) -> Any:
    """Return the value of a response by the schema it was asked with, ``response.schema``, as `parsed` does."""
    return parsed(response, _schema(response))


def frame_of(response: Response, schema: Any = None) -> pd.DataFrame:
    """Return a response's answer as a DataFrame.

    Parameters
    ----------
    response : Response
        A finished answer.
    schema : object, optional
        Anything `schema_of` takes, in place of the one it was asked with.

    Returns
    -------
    DataFrame
        See `Schema.frame`. Without any schema the rows of plain JSON, in the dtypes that pandas finds.

    Raises
    ------
    RefusalError, IncompleteAnswerError, SchemaMismatchError
        As `parsed` does.
    """
    chosen = _schema(response) if schema is None else schema_of(schema)
    value = parsed(response, chosen)
    if chosen is None:
        return plain_frame(value)
    try:
        return chosen.frame(value)
    except CometError as error:
        error.response = response
        raise


def _schema(response: Response) -> Schema | None:
    found: Schema | None = getattr(response, "schema", None)
    return found


def _parsed(response: Response, schema: Schema | None) -> Any:
    refusal = response.refusal
    if refusal is not None:
        raise RefusalError(
            f"The model refused to answer: {_short(refusal, 300)!r}",
            "Ask in other words, or for something else.",
        )
    found = json_in(response.output_text)
    # JSON that is closed is whole, however the stream went on; of words around it, or a number, one cannot be sure.
    is_closed = found.is_all and isinstance(found.value, dict | list)
    if not found.is_whole or not (response.status == "completed" or is_closed):
        raise _without_value(response, found, schema)
    if schema is None:
        return found.value
    return schema.value_of(found.value)


def _without_value(response: Response, found: FoundJSON, schema: Schema | None) -> CometError:
    if response.status != "completed" or (not found.fault and found.value is not None):
        return _incomplete(response, found, schema)
    if not response.output_text:
        calls = ", ".join(call.name for call in response.function_calls)
        asks = f"it asks for a call of {calls}" if calls else "it has no text"
        return SchemaMismatchError(
            f"The answer holds no value: {asks}.",
            "Answer the call with its output first." if calls else "Ask again.",
        )
    step = _HOW_TO_ASK if schema is None else "Ask again; some models and services do not hold to a schema."
    return SchemaMismatchError(f"The answer is no JSON: {found.fault}.", step)


def _incomplete(response: Response, found: FoundJSON, schema: Schema | None) -> IncompleteAnswerError:
    reason = response.incomplete_reason or response.status
    why, step = _ENDINGS.get(reason, (f"it ended as {reason}", "Run it again to have all of it."))
    n_characters = len(response.output_text)
    came = f"{n_characters:,} characters came" if n_characters else "no text came"
    if schema is not None and not schema.is_rows:
        return IncompleteAnswerError(f"The answer is incomplete: {why}; {came}.", step)
    rows = found.rows if schema is None else [schema.plain_row(row) for row in found.rows]
    n_rows = len(rows)
    if n_rows or schema is not None:
        came += f", {n_rows:,} {'row is' if n_rows == 1 else 'rows are'} whole"
        step += " The whole rows are in error.rows." if n_rows else ""
    return IncompleteAnswerError(f"The answer is incomplete: {why}; {came}.", step, rows=rows)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
