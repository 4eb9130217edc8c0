"""What a cell leaves in the notebook: its outputs as a front end keeps them, folded from the kernel's messages."""

from __future__ import annotations

import json
from typing import Any

from tests.kernel.kernel_session import CellRun

__all__ = ["answer_in", "kinds", "left_behind", "size_bytes", "trouble"]

_WIDGET = "application/vnd.jupyter.widget-view+json"


def left_behind(run: CellRun) -> list[dict[str, Any]]:
    """Return the cell's displays and results at its end: clears applied, updates put into their display."""
    outputs: list[dict[str, Any]] = []
    clears = False
    for message in run.messages:
        content = dict(message.content)
        if message.type == "clear_output":
            clears = True
            continue
        if message.type == "update_display_data":
            place = content["transient"]["display_id"]
            for output in outputs:
                if (output.get("transient") or {}).get("display_id") == place:
                    output["data"] = content["data"]
        elif message.type in {"display_data", "execute_result", "stream", "error"}:
            outputs = [*([] if clears else outputs), content]
            clears = False
    return [] if clears else outputs


def kinds(outputs: list[dict[str, Any]]) -> list[str]:
    """Return what each output is, by the richest of its mimetypes."""
    return [_kind(output) for output in outputs]


def _kind(output: dict[str, Any]) -> str:
    if "data" not in output:
        return output.get("name") or "error"
    return next(
        (mime for mime in (_WIDGET, "text/html", "text/markdown") if mime in output["data"]), "text/plain"
    )


def answer_in(outputs: list[dict[str, Any]]) -> str:
    """Return the Markdown or plain text that is shown, as one text."""
    shown = (output["data"] for output in outputs if "data" in output)
    return "\n".join(str(data.get("text/markdown", data.get("text/plain", ""))) for data in shown)


def size_bytes(outputs: list[dict[str, Any]]) -> int:
    """Return what the outputs add to the file, as JSON."""
    return len(json.dumps([output.get("data", output) for output in outputs]).encode())


def trouble(run: CellRun) -> str:
    """Return what the user is told of a failure, one line of it: an error's name and words, or what was printed."""
    if run.errors:
        content = run.errors[-1].content
        return f"{content['ename']}: {content['evalue']}".strip().splitlines()[0]
    return run.stream_text.strip().splitlines()[-1] if run.stream_text.strip() else ""
