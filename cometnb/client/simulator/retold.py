"""Writes the answer after tools: what the functions returned, and what built-in tools are said to have found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cometnb.client.simulator.builtin import Finding
from cometnb.client.simulator.prompt import pieces_of
from cometnb.client.simulator.turn import Turn

__all__ = ["cited", "retold"]

_OUTPUT_CHARACTERS, _ARGUMENT_CHARACTERS = 400, 80
_RESULTS_SHOWN = 20
_OPENINGS = (
    "This is the simulator, and no model was asked. Your functions did the work:",
    "You are talking to the simulator: no model was asked. Here is what your functions said:",
    "Here speaks the simulator; no model was asked. What came back from your functions:",
)


def retold(turn: Turn, key: bytes) -> str:
    """Return an answer in Markdown that uses the results of functions.

    Parameters
    ----------
    turn : Turn
        With results.
    key : bytes
        Chooses the wording.
    """
    lines = [_line(call, output) for call, output in turn.results[-_RESULTS_SHOWN:]]
    n_left_out = len(turn.results) - len(lines)
    if n_left_out:
        lines.append(f"- and {n_left_out} earlier")
    rounds = f"in {turn.n_rounds} round{'s' if turn.n_rounds > 1 else ''}"
    n_calls = f"{len(turn.results)} call{'s' if len(turn.results) > 1 else ''}"
    return "\n".join(
        [_OPENINGS[key[0] % len(_OPENINGS)], "", *lines, "", f"That makes {n_calls} {rounds}.", ""]
    )


def cited(text: str, findings: Iterable[Finding]) -> tuple[str, list[dict[str, Any]]]:
    """Return a text with findings added, and the annotations of their citations."""
    annotations: list[dict[str, Any]] = []
    for finding in findings:
        text = f"{text.rstrip()}\n\n"
        if finding.cited:
            start = len(text) + finding.sentence.index(finding.cited)
            end = start + len(finding.cited)
            is_url = finding.annotation["type"] == "url_citation"
            place = {"start_index": start, "end_index": end} if is_url else {"index": end}
            annotations.append({**finding.annotation, **place})
        text += f"{finding.sentence}\n"
    return text, annotations


def _line(call: Mapping[str, Any], output: Mapping[str, Any]) -> str:
    name = _inert(str(call.get("name") or "a function"), _ARGUMENT_CHARACTERS)
    arguments = _inert(str(call.get("arguments") or call.get("input") or ""), _ARGUMENT_CHARACTERS)
    given = f" with `{arguments}`" if arguments not in ("", "{}") else ""
    pieces = list(pieces_of([output]))
    texts = [_inert(piece.text, _OUTPUT_CHARACTERS) for piece in pieces if piece.kind == "text"]
    said = [f"`{text}`" if text else "nothing" for text in texts]
    said += [
        f"a{'n image' if piece.kind == 'image' else ' file'}" for piece in pieces if piece.kind != "text"
    ]
    return f"- `{name}`{given} returned {', '.join(said) or 'nothing'}"


def _inert(text: str, most: int) -> str:
    """Return text for inline code: one line, no backtick."""
    plain = (
        "".join(char if char.isprintable() else " " for char in text[: 2 * most]).replace("`", "'").strip()
    )
    return plain if len(plain) <= most and len(text) <= 2 * most else f"{plain[: most - 1]}…"
