"""Streaming events: from a server-sent event to a typed view over its JSON, and what is done with each type."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from cometnb.protocol.depth import MOST_LEVELS, has_too_many_brackets, is_too_deep
from cometnb.protocol.json_text import loaded

__all__ = [
    "APPENDED",
    "CONTENT",
    "ENDING",
    "KEPT",
    "OPENING",
    "PART_EVENTS",
    "REPLACED",
    "STATUS_EVENTS",
    "SUMMARY",
    "Event",
    "Target",
    "parse",
]


class Event:
    """One streaming event.

    Parameters
    ----------
    type : str
        Such as ``response.output_text.delta``. ``error`` for every shape of error; ``invalid`` where the data is no
        JSON object.
    raw : dict
        The JSON as sent; its fields can be read as attributes (``event.delta``).

    Raises
    ------
    AttributeError
        For a field the event does not have.
    """

    __slots__ = ("raw", "type")

    def __init__(self, type: str, raw: dict[str, Any]) -> None:
        self.type = type
        self.raw = raw

    def __getattr__(self, name: str) -> Any:
        if name in Event.__slots__ or name.startswith("__"):
            raise AttributeError(name)  # while an event is being copied it has neither yet
        if name not in self.raw:
            raise AttributeError(f"the event {self.type!r} has no field {name!r}")
        return self.raw[name]

    def __dir__(self) -> list[str]:
        return ["raw", "type", *(name for name in self.raw if name.isidentifier())]

    def __repr__(self) -> str:
        delta = self.raw.get("delta")
        return f"<Event {self.type}{f' {delta!r}' if isinstance(delta, str) else ''}>"


@dataclass(frozen=True, slots=True)
class Target:
    """Where in an output item the text of an event belongs.

    Attributes
    ----------
    item : str
        The type of output item.
    field : str
        The event's field that carries the text.
    path : tuple of str
        Names inside the item. A list is entered by the index that the event names in `index`.
    index : str
        The event's field with the position in the list at ``path[0]`` (or at the path's end, for a list of texts).
    part : str
        The type of the list's entries, for entries that were never announced.
    is_newest : bool
        True if the newest text holds, even where it is shorter than the one before.
    """

    item: str
    field: str
    path: tuple[str, ...]
    index: str = ""
    part: str = ""
    is_newest: bool = False


CONTENT, SUMMARY = "content_index", "summary_index"

# A delta is appended to what its target holds.
APPENDED: dict[str, Target] = {
    "response.output_text.delta": Target("message", "delta", ("content", "text"), CONTENT, "output_text"),
    "response.refusal.delta": Target("message", "delta", ("content", "refusal"), CONTENT, "refusal"),
    "response.reasoning_text.delta": Target(
        "reasoning", "delta", ("content", "text"), CONTENT, "reasoning_text"
    ),
    "response.reasoning_summary_text.delta": Target(
        "reasoning", "delta", ("summary", "text"), SUMMARY, "summary_text"
    ),
    "response.function_call_arguments.delta": Target("function_call", "delta", ("arguments",)),
    "response.mcp_call_arguments.delta": Target("mcp_call", "delta", ("arguments",)),
    "response.custom_tool_call_input.delta": Target("custom_tool_call", "delta", ("input",)),
    "response.code_interpreter_call_code.delta": Target("code_interpreter_call", "delta", ("code",)),
    "response.apply_patch_call_operation_diff.delta": Target(
        "apply_patch_call", "delta", ("operation", "diff")
    ),
    "response.shell_call_command.delta": Target(
        "shell_call", "delta", ("action", "commands"), "command_index"
    ),
}

_COMMAND = Target("shell_call", "command", ("action", "commands"), "command_index")

# A done event says the whole text, in a field named as the place it fills; it replaces what is there unless that is
# longer.
REPLACED: dict[str, Target] = {
    kind.removesuffix("delta") + "done": replace(target, field=target.path[-1])
    for kind, target in APPENDED.items()
} | {
    "response.shell_call_command.added": _COMMAND,
    "response.shell_call_command.done": _COMMAND,
    "response.image_generation_call.partial_image": Target(
        "image_generation_call", "partial_image_b64", ("partial_image_b64",), is_newest=True
    ),
}

# Parts announced or closed as a whole: the item's type, the list they live in, the event's index field.
PART_EVENTS: dict[str, tuple[str, str, str]] = {
    f"response.{name}.{moment}": place
    for name, place in {
        "content_part": ("", "content", CONTENT),
        "reasoning_part": ("reasoning", "content", CONTENT),
        "reasoning_summary_part": ("reasoning", "summary", SUMMARY),
    }.items()
    for moment in ("added", "done")
}

# Progress of built-in tools: the item's type and its new status.
STATUS_EVENTS: dict[str, tuple[str, str]] = {
    f"response.{kind}.{status}": (kind, status)
    for kind, statuses in {
        "file_search_call": ("in_progress", "searching", "completed", "failed"),
        "web_search_call": ("in_progress", "searching", "completed", "failed"),
        "code_interpreter_call": ("in_progress", "interpreting", "completed", "failed"),
        "image_generation_call": ("in_progress", "generating", "completed", "failed"),
        "mcp_call": ("in_progress", "completed", "failed"),
        "mcp_list_tools": ("in_progress", "completed", "failed"),
        "compaction": ("compacting",),
    }.items()
    for status in statuses
}

# The response object so far; what it says of the response is laid over what is known.
OPENING = frozenset({"response.created", "response.queued", "response.in_progress"})

# The last event, and the status it means where its response object does not say one.
ENDING: dict[str, str] = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}

# Known, and without effect on the response.
KEPT = frozenset({"keepalive", "response.rate_limits.updated"})

_decode = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # public, but not in the type stubs


def parse(name: str, data: str) -> Event | None:
    """Return the event a server-sent event stands for; None for ``[DONE]``.

    Parameters
    ----------
    name : str
        The ``event`` field, used only where the JSON has no type.
    data : str
        The ``data`` field.
    """
    try:
        raw, end = _decode(data, 0)
        if end != len(data):
            raw = json.loads(data)
    except (ValueError, StopIteration, RecursionError):
        if data.strip() == "[DONE]":
            return None
        raw = _loaded(data)
    # Folding walks JSON by recursion. Counting is fast, and few events have so many brackets that measuring their depth
    # is needed.
    if len(data) > 2 * MOST_LEVELS and data.count("[") + data.count("{") > MOST_LEVELS and is_too_deep(raw):
        raw = data
    if not isinstance(raw, dict):
        return Event("invalid", {"data": raw})
    type_ = raw.get("type")
    if isinstance(type_, str) and type_:
        return Event(type_, raw)
    if (raw.get("error") or raw.get("detail")) and not name.startswith("response."):
        return Event("error", raw)
    return Event(name, raw)


def _loaded(data: str) -> Any:
    try:
        return loaded(data)
    except ValueError:
        return data
    except RecursionError:
        if has_too_many_brackets(data):
            return data
        # Not the event is too deep but its reader: what says something is not passed over in silence.
        raise
