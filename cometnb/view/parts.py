"""An answer described once, as parts a reader sees; each form of display lowers the same parts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cometnb.protocol.response import Response
from cometnb.view.rows import as_markdown

__all__ = ["Kind", "Part", "describe", "ending", "item_parts", "result_text", "result_title"]

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
        A call's name, what came of a call (``result`` or ``error``, with its time), a source's URL; else empty.
    """

    kind: Kind
    text: str
    title: str = ""


def describe(response: Response) -> list[Part]:
    """Return an answer's parts in the order in which they are read."""
    parts: list[Part] = []
    unknown: Counter[str] = Counter()
    results = {result.call_id: result for result in response.tool_results}
    for item in response.output:
        found = list(item_parts(item))
        if response.schema is not None:
            found = [_structured(part, response.schema) for part in found]
        if str(item.get("type")).endswith("_call_output"):
            found = [_result_part(item, results.get(item.get("call_id")))]
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
    return [*parts, Part("notice", last)] if last else parts


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


def result_title(duration_s: float, *, is_error: bool) -> str:
    """Return what came of a call, in a word and a time: ``result, 12 ms``."""
    return f"{'error' if is_error else 'result'}, {duration_s * 1000:,.0f} ms"


def result_text(output: Any) -> str:
    """Return a call's output as text; images and files in it by their kind."""
    if isinstance(output, str):
        return output
    parts = output if isinstance(output, list) else []
    return " ".join(
        str(part.get("text") or f"[{part.get('type')}]") for part in parts if isinstance(part, dict)
    )


def _structured(part: Part, schema: Any) -> Part:
    return Part("text", as_markdown(schema, part.text)) if part.kind == "text" else part


def _result_part(item: dict[str, Any], result: Any) -> Part:
    title = "result" if result is None else result_title(result.duration_s, is_error=result.is_error)
    return Part("result", result_text(item.get("output")), title)


def _call_text(item: dict[str, Any]) -> str:
    for field in ("arguments", "input", "code", "queries", "action", "operation"):
        value = item.get(field)
        if value:
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return str(item.get("status") or "")
