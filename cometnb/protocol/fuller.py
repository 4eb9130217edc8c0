"""Two tellings of the same JSON object, merged so that neither loses what the other holds."""

from __future__ import annotations

from typing import Any

__all__ = ["agree", "copied", "fuller"]

_HOLDERS = (dict, list)

# Fields that grow while they are streamed: of two tellings the longer text is the fuller one.
_GROWING = frozenset(
    {
        "arguments",
        "code",
        "commands",
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

    The later telling wins, except that null or empty never erases something, a growing text is never replaced by
    a shorter one, and neither a growing text nor an object or list gives way to something of another kind.

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
    if isinstance(early, str) and field in _GROWING:
        return late if isinstance(late, str) and len(late) >= len(early) else early
    return early if isinstance(early, dict | list) else late


def agree(early: Any, late: Any, field: str = "") -> bool:
    """Tell whether two tellings can be of the same thing: no growing text, and no call id, contradicts the other.

    Parameters
    ----------
    early, late : JSON
    field : str
        The name under which the values stand.
    """
    if isinstance(early, dict) and isinstance(late, dict):
        return all(agree(early[name], late[name], name) for name in early if name in late)
    if isinstance(early, list) and isinstance(late, list):
        return all(agree(one, other, field) for one, other in zip(early, late, strict=False))
    if isinstance(early, str) and isinstance(late, str) and (field in _GROWING or field == "call_id"):
        return early.startswith(late) or late.startswith(early)
    return True


def copied(value: Any) -> Any:
    """Return a copy of JSON whose lists and objects are new; texts are shared."""
    # Most values hold no others: not asking for their copy saves most of the calls.
    if isinstance(value, dict):
        return {
            name: copied(inner) if isinstance(inner, _HOLDERS) else inner for name, inner in value.items()
        }
    if isinstance(value, list):
        return [copied(inner) if isinstance(inner, _HOLDERS) else inner for inner in value]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)
