"""The service's rules for input items: names are text, and calls and their outputs belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cometnb.client.simulator.reply import Refusal
from cometnb.client.simulator.turn import CALLS, OUTPUTS

__all__ = ["check_calls", "check_words"]

_WORDS = ("type", "role", "id", "call_id", "approval_request_id")


def check_words(sent: Any, param: str = "input") -> None:
    """Hold a list of items to the rule that kinds, roles and ids are text.

    Raises
    ------
    Refusal
        400 that names the first one that is not.
    """
    for index, item in enumerate(sent if isinstance(sent, list) else ()):
        for name in _WORDS if isinstance(item, Mapping) else ():
            if not isinstance(item.get(name), str | None):
                place = f"{param}[{index}].{name}"
                raise Refusal(400, f"Invalid type for '{place}': expected a string.", "invalid_type", place)


def check_calls(items: Sequence[Mapping[str, Any]]) -> None:
    """Hold a conversation to the service's rule: every call has its output, and every output its call.

    Raises
    ------
    Refusal
        400 that names the first one without.
    """
    calls = {_call(item): item for item in items if item.get("type") in CALLS}
    outputs = {_call(item): item for item in items if item.get("type") in OUTPUTS}
    for call_id in calls:
        if call_id not in outputs:
            raise Refusal(400, f"No tool output found for {_words(call_id)} {call_id[1]}.", "", "input")
    for call_id in outputs:
        if call_id not in calls:
            message = f"No tool call found for {_words(call_id)} output with call_id {call_id[1]}."
            raise Refusal(400, message, "", "input")


def _call(item: Mapping[str, Any]) -> tuple[str, str]:
    kind = str(item["type"])
    return OUTPUTS.get(kind, kind), str(item.get("call_id"))


def _words(call: tuple[str, str]) -> str:
    return call[0].replace("_", " ")
