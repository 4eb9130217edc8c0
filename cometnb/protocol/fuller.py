"""Two tellings of the same JSON object, merged so that neither loses what the other holds."""

from __future__ import annotations

from typing import Any

__all__ = ["copied", "fuller"]

# Fields that grow while they are streamed: of two tellings the longer text is the fuller one.
_GROWING = frozenset(
    {
        "arguments",
        "code",
        "diff",
        "encrypted_content",
        "input",
        "output",
        "partial_image_b64",
        "refusal",
        "result",
        "stderr",
        "stdout",
        "text",
        "transcript",
    }
)


def fuller(early: Any, late: Any, field: str = "") -> Any:
    """Merge what was known with what came later.

    The later telling wins, except that null or empty never erases something, and a growing text is never
    replaced by a shorter one.

    Parameters
    ----------
    early, late : JSON
        Neither is changed; parts of them may be shared with the result.
    field : str
        The name under which the values stand.
    """
    if _is_empty(late):
        return late if _is_empty(early) and late is not None else early
    if isinstance(early, dict) and isinstance(late, dict):
        names = [*early, *(name for name in late if name not in early)]
        return {
            name: fuller(early.get(name), late[name], name) if name in late else early[name] for name in names
        }
    if isinstance(early, list) and isinstance(late, list):
        shared = min(len(early), len(late))
        merged = [fuller(early[index], late[index], field) for index in range(shared)]
        return merged + early[shared:] + late[shared:]
    if isinstance(early, str) and isinstance(late, str) and (field in _GROWING or field == "commands"):
        return early if len(early) > len(late) else late
    return late


def copied(value: Any) -> Any:
    """Return a copy of JSON whose lists and objects are new; texts are shared."""
    if isinstance(value, dict):
        return {name: copied(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [copied(inner) for inner in value]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}
