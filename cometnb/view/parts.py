"""An answer described once, as parts a reader sees; each form of display lowers the same parts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from cometnb.errors import masked
from cometnb.protocol.response import Response
from cometnb.session.permit import REFUSED
from cometnb.view.rows import as_markdown

__all__ = ["Kind", "Part", "describe", "ending", "item_parts", "outcome"]

Kind = Literal["text", "reasoning", "refusal", "call", "result", "source", "notice"]

_ENDINGS: dict[str, str] = {
    "interrupted": "Interrupted: the text so far is kept.",
    "truncated": "Cut off: the connection ended before the answer did. The text so far is kept.",
    "cancelled": "Cancelled.",
    "queued": "Queued: the service works on it in the background.",
    "in_progress": "Not finished yet.",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One thing to show.

    Attributes
    ----------
    kind : str
        text, reasoning, refusal, call, result, source or notice.
    text : str
        As the model or the service wrote it: not safe to show before it is lowered.
    title : str
        A call's name, what came of a call (as `outcome` says it), a source's URL; else empty.
    """

    kind: Kind
    text: str
    title: str = ""


def describe(response: Response, *, with_times: bool = True) -> list[Part]:
    """Return an answer's parts in the order in which they are read, without the API keys that it repeats.

    Parameters
    ----------
    response : Response
    with_times : bool
        False leaves out how long functions ran, where outputs are compared between runs.
    """
    parts: list[Part] = []
    unknown: Counter[str] = Counter()
    results = {result.call_id: result for result in response.tool_results}
    for item in _paired(response.output):
        found = list(item_parts(item))
        if response.schema is not None:
            found = [_structured(part, response.schema) for part in found]
        if _is_result(item):
            found = [_result_part(item, results.get(item.get("call_id")), with_times=with_times)]
        parts += found
        if not found and item.get("type") not in ("message", "reasoning"):
            unknown[str(item.get("type"))] += 1
    sources = dict.fromkeys(
        (citation.url or citation.file_id or "", citation.title or "") for citation in response.citations
    )
    parts += [Part("source", title or target, target) for target, title in sources if target or title]
    parts += [
        Part("notice", f"{count} {'item' if count == 1 else 'items'} of type {kind}.")
        for kind, count in unknown.items()
    ]
    last = ending(response)
    parts += [Part("notice", last)] if last else []
    # Whole, before anybody shortens it: half a key would not be known for one.
    return [replace(part, text=masked(part.text), title=masked(part.title)) for part in parts]


def ending(response: Response) -> str:
    """Return in words how an answer ended, empty if it ended as it should."""
    status = response.status
    if status == "incomplete":
        return _incomplete(response)
    if status in ("failed", "error"):
        error = response.error or {}
        return f"Failed: {error.get('message') or 'no reason given'}"
    return _ENDINGS.get(status, "" if status == "completed" else f"Status {status}.")


def _incomplete(response: Response) -> str:
    reason = response.incomplete_reason
    if reason != "max_output_tokens":
        return f"Incomplete: {reason or 'no reason given'}."
    limit = response.raw.get("max_output_tokens")
    named = f"max_output_tokens={limit}" if limit else "max_output_tokens"
    if response.output_text:
        return f"Incomplete: {named} was reached. Raise it for the whole answer."
    return f"Incomplete: all of {named} went to reasoning. Raise it, or lower the effort."


def item_parts(item: dict[str, Any]) -> Iterator[Part]:
    """Yield what a reader sees of one output item, finished or not; nothing for a type that is not known."""
    kind = item.get("type")
    one = Response({"output": [item]})
    if kind == "message":
        if one.output_text:
            yield Part("text", one.output_text)
        if one.refusal:
            yield Part("refusal", one.refusal)
    elif kind == "reasoning":
        text = "\n\n".join(one.reasoning_summary) or one.reasoning_text
        if text:
            yield Part("reasoning", text)
    elif isinstance(kind, str) and kind.endswith("_call"):
        yield Part("call", _call_text(item), str(item.get("name") or kind.removesuffix("_call")))


def outcome(output: Any, duration_s: float | None = None, *, is_error: bool = False) -> tuple[str, str]:
    """Return what came of a call.

    Parameters
    ----------
    output : str or list of dict
        What the model is told.
    duration_s : float, optional
        Seconds the function ran; None if that is not known.
    is_error : bool

    Returns
    -------
    title : str
        ``result`` or ``error``, with the time (``result, 12 ms``); ``refused`` if it was not allowed.
    text : str
        The output; images and files in it by their kind. Empty if it was refused: those words are for the model.
    """
    if output == REFUSED:
        return "refused", ""
    took = "" if duration_s is None else f", {duration_s * 1000:,.0f} ms"
    return f"{'error' if is_error else 'result'}{took}", _text_of(output)


def _text_of(output: Any) -> str:
    if isinstance(output, str):
        return output
    parts = output if isinstance(output, list) else []
    return " ".join(
        str(part.get("text") or f"[{part.get('type')}]") for part in parts if isinstance(part, dict)
    )


def _is_result(item: dict[str, Any]) -> bool:
    return str(item.get("type")).endswith("_call_output")


def _paired(output: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the items with each result right behind its call: of calls side by side all results come last."""
    called = {str(item["call_id"]) for item in output if "call_id" in item and not _is_result(item)}
    results: dict[str, list[dict[str, Any]]] = {}
    rest = []
    for item in output:
        call_id = str(item.get("call_id"))
        if _is_result(item) and call_id in called:
            results.setdefault(call_id, []).append(item)
        else:
            rest.append(item)
    for item in rest:
        yield item
        yield from results.pop(str(item.get("call_id")), ())


def _structured(part: Part, schema: Any) -> Part:
    return Part("text", as_markdown(schema, part.text)) if part.kind == "text" else part


def _result_part(item: dict[str, Any], result: Any, *, with_times: bool) -> Part:
    duration_s = result.duration_s if result is not None and with_times else None
    title, text = outcome(item.get("output"), duration_s, is_error=result is not None and result.is_error)
    return Part("result", text, title)


def _call_text(item: dict[str, Any]) -> str:
    for field in ("arguments", "input", "code", "queries", "action", "operation"):
        value = _sought(item.get(field))
        if value:
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return str(item.get("status") or "")


def _sought(value: Any) -> Any:
    """Return in words what a search looked for, or which page it opened; anything else as it is."""
    if not isinstance(value, dict):
        return value
    words = [value.get(field) for field in ("query", "pattern", "url")]
    return ", ".join(word for word in words if isinstance(word, str) and word) or value
