"""The axes of a sweep as they are typed on a cell's line: ``model=a,b effort=low,high``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cometnb.errors import CellError
from cometnb.protocol.params import find
from cometnb.session.sweep_axes import SHORT_NAMES, entries_of
from cometnb.session.template import filled

__all__ = ["SETTINGS", "assignments", "typed_axes"]

_FILLED_LATER = frozenset({"prompt", "instructions"})
_MOST_DIGITS = 9
_EXAMPLE = "Write --sweep model=gpt-5.4,gpt-5.4-mini effort=low,high"


def _whole(name: str, text: str) -> int:
    if not text.isdecimal() or len(text) > _MOST_DIGITS or not int(text):
        raise CellError(
            f"--sweep {name}={text[:40]}: that is no whole number from 1.", f"Write {name}=8, for example."
        )
    return int(text)


def _amount(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CellError(
            f"--sweep {name}={text}: that is no amount of US dollars.", f"Write {name}=0.50, for example."
        ) from None


SETTINGS: Mapping[str, Callable[[str, str], Any]] = {
    "budget": _amount,
    "checkpoint": lambda _, text: text,
    "max_concurrency": _whole,
    "max_runs": _whole,
}
"""What may stand between the axes and is none, and how its text is read."""


def assignments(words: Sequence[str], begun: Sequence[str] = ()) -> tuple[list[str], int]:
    """Return the assignments a line's words begin with, and how many words they are.

    Parameters
    ----------
    words : sequence of str
        What follows ``--sweep``.
    begun : sequence of str
        What was typed together with it.

    Raises
    ------
    CellError
        If there is none.
    """
    found, n_words = list(begun), 0
    for word in words:
        # "effort=low, high" is typed by people who put a space behind a comma.
        if found and found[-1].endswith(",") and not word.startswith("--") and "=" not in word:
            found[-1] += word
        elif "=" in word and not word.startswith("-"):
            found.append(word)
        else:
            break
        n_words += 1
    if not found:
        raise CellError("--sweep has no axis.", _EXAMPLE)
    return found, n_words


def typed_axes(
    typed: Sequence[str], namespace: Mapping[str, Any], *, is_raw: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the assignments.

    Parameters
    ----------
    typed : sequence of str
        Each ``name=a,b``, ``name=[JSON list]`` or ``name=variable`` with a variable that holds a list or a dict. Of
        what is no text, each value is read as JSON; ``null`` is "not set". Of a parameter that is a list, each value
        is a list of one, and ``none`` an empty one.
    namespace : Mapping
        The notebook's names; ``{{ }}`` in a text is filled in from them, but for prompts and instructions, which each
        run fills in.
    is_raw : bool
        Leave ``{{ }}`` as it is typed.

    Returns
    -------
    axes : dict
        As `read_parameters` takes them, and ``prompt``.
    settings : dict
        Those of `SETTINGS` that were given.

    Raises
    ------
    CellError
        No assignment, one given twice, or a value that cannot be read. It names it.
    """
    axes: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for one in typed:
        name, mark, text = one.partition("=")
        name = name.strip().lstrip("-").replace("-", "_")
        if not mark or not name or not text.strip():
            raise CellError(f"--sweep {one!r} is not NAME=VALUES.", f"{_EXAMPLE}, for example.")
        if name in axes or name in settings:
            raise CellError(f"--sweep has {name} twice.", f"Write all its values together: {name}=a,b")
        if name in SETTINGS:
            settings[name] = SETTINGS[name](name, text.strip())
        else:
            values = _values(name, text.strip(), namespace)
            is_filled = isinstance(values, list) and name not in _FILLED_LATER and not is_raw
            axes[name] = [_filled(value, namespace) for value in values] if is_filled else values
    return axes, settings


def _values(name: str, text: str, namespace: Mapping[str, Any]) -> Any:
    if text.isidentifier() and text in namespace:
        held = namespace[text]
        if isinstance(held, Mapping) or entries_of(held) is not None:
            return held
    if text[0] in "[{" and not text.startswith("{{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CellError(
                f"--sweep {name}={text}: that is no JSON: {error}.", f"{_EXAMPLE}, for example."
            ) from None
    parts = [part.strip() for part in text.split(",")]
    if "" in parts:
        raise CellError(
            f"--sweep {name}={text} has an empty value.", "Leave out the comma, or write null for not set."
        )
    row = find(SHORT_NAMES.get(name, name))
    kinds = row.kinds if row is not None else ()
    return [None if part == "null" else _value(part, kinds, is_known=row is not None) for part in parts]


def _filled(value: Any, namespace: Mapping[str, Any]) -> Any:
    return filled(value, namespace) if isinstance(value, str) and "{{" in value else value


def _value(text: str, kinds: tuple[str, ...], *, is_known: bool) -> Any:
    if "array" in kinds and "string" not in kinds:
        return [] if text == "none" else [text]
    if is_known and kinds[0] == "string":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
