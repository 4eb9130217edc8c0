"""The axes of a sweep: which parameters of a call are lists of values to try, and what each value is called."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cometnb.errors import ParamError
from cometnb.protocol.params import PARAMS, PASSED_ON, Param, find

__all__ = [
    "SHORT_NAMES",
    "Axis",
    "Parameters",
    "Value",
    "entries_of",
    "label_text",
    "placed",
    "prompt_axis",
    "read_parameters",
]

SHORT_NAMES = {"effort": "reasoning.effort", "verbosity": "text.verbosity"}
"""What people call a field inside a parameter; the column of the frame has this name, too."""

_NAMES = {path: name for name, path in SHORT_NAMES.items()}
_KNOWN = frozenset({row.name for row in PARAMS} | PASSED_ON | {"extra_body"})
_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an axis.

    Attributes
    ----------
    label : str, int, float, bool or None
        What stands for it in the frame and in headings; None is "not set".
    value : object
        What is sent.
    """

    label: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that is varied.

    Attributes
    ----------
    name : str
        Its column: ``model``, ``effort``, ``temperature``, ``text.format.name``, ``prompt``, or a name that stands in
        braces in the prompt.
    path : str
        The API parameter it sets, with dots for a field inside one; ``input`` for prompts, empty for such a name.
    values : tuple of Value
        At least one, all different.
    """

    name: str
    path: str
    values: tuple[Value, ...]

    @property
    def labels(self) -> tuple[Any, ...]:
        """What stands for its values, in order."""
        return tuple(value.label for value in self.values)


@dataclass(frozen=True, slots=True)
class Parameters:
    """A sweep's parameters, sorted by what they do.

    Attributes
    ----------
    constants : dict
        The same for all runs, by the API's names.
    words : dict
        Values for names that stand in braces in the prompt, the same for all runs.
    axes : tuple of Axis
    """

    constants: dict[str, Any]
    words: dict[str, Any]
    axes: tuple[Axis, ...]


def read_parameters(params: Mapping[str, Any], words: frozenset[str] = frozenset()) -> Parameters:
    """Tell constants from axes.

    Parameters
    ----------
    params : Mapping
        By the API's names, with dots for a field inside one, ``effort`` and ``verbosity`` for short. A list is an
        axis; of a parameter that is a list itself (``tools``, ``include``), a list of lists. A mapping of names to
        values is an axis, too, unless the parameter is an object itself.
    words : frozenset of str
        The names that stand in braces in the prompt: such a name may be given, too.

    Raises
    ------
    ParamError
        An unknown name, one given twice, an axis without values or with a value given twice.
    """
    constants: dict[str, Any] = {}
    given: dict[str, Any] = {}
    axes: list[Axis] = []
    for name, value in params.items():
        path = SHORT_NAMES.get(name, name)
        if path.partition(".")[0] not in _KNOWN:
            if name not in words:
                raise _unknown(name, words)
            found = _named(value) or entries_of(value)
            if found is None:
                given[name] = value
            else:
                axes.append(_axis(name, "", found))
            continue
        if value is None:
            continue
        for at, one in _leaves(path, value, is_typed=True):
            if isinstance(one, list):
                axes.append(_axis(_NAMES.get(at, at), at, one))
            else:
                constants = placed(constants, at, one.value)
    _check_twice(axes, constants)
    return Parameters(constants, given, tuple(axes))


def prompt_axis(prompt: Any) -> Axis | None:
    """Return the axis of several prompts, None if there is one.

    Parameters
    ----------
    prompt : str, list or Mapping
        A list of texts, a list of lists of input items, or a mapping of names to either; anything else is one prompt.

    Raises
    ------
    ParamError
        An axis without values or with a value given twice.
    """
    if isinstance(prompt, Mapping):
        # An input item is one prompt.
        is_item = "role" in prompt or "type" in prompt
        return None if is_item else _axis("prompt", "input", _named(prompt) or [])
    found = entries_of(prompt)
    if found is None or (found and any(isinstance(one, Mapping) for one in found)):
        return None
    return _axis("prompt", "input", found)


def entries_of(value: Any) -> list[Any] | None:
    """Return the entries of a list, tuple, range, set, array, Series or iterator; None for anything else."""
    if isinstance(value, str | bytes | Mapping):
        return None
    if isinstance(value, list | tuple | range | Iterator):
        return list(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if hasattr(value, "tolist") and getattr(value, "ndim", None):
        entries: list[Any] = value.tolist()
        return entries
    return None


def label_text(label: Any) -> str:
    """Return a label as a heading writes it."""
    if label is None:
        return "not set"
    return str(label).lower() if isinstance(label, bool) else str(label)


def placed(params: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return parameters with one more, by its path, without changing those that were given."""
    name, _, rest = path.partition(".")
    inner = params.get(name)
    if rest:
        value = placed(inner if isinstance(inner, Mapping) else {}, rest, value)
    return {**params, name: value}


def _leaves(path: str, value: Any, *, is_typed: bool) -> Iterator[tuple[str, list[Value] | Value]]:
    """Yield what a parameter sets: the values of an axis, or one value; for a mapping, field by field.

    A field that is not known is what it is, unless its path was typed out.
    """
    row = find(path)
    if isinstance(value, Mapping) and row is not None and row.fields and value:
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}", inner, is_typed=False)
        return
    found = _alternatives(row, path, value, is_typed=is_typed)
    yield path, Value(None, value) if found is None else found


def _alternatives(row: Param | None, path: str, value: Any, *, is_typed: bool) -> list[Value] | None:
    kinds = row.kinds if row is not None else ()
    if isinstance(value, Mapping):
        return None if row is None or "object" in kinds else _named(value)
    found = entries_of(value)
    if found is None or (row is None and not is_typed):
        return None
    if "array" not in kinds:
        return _values(found)
    are_lists = [one is None or entries_of(one) is not None for one in found]
    if not any(are_lists):
        return None
    if not all(are_lists):
        odd = found[are_lists.index(False)]
        raise ParamError(
            f"{path} has lists and other values: {_short(odd)} is no list.",
            f"One list for all runs: {path}=[…]. To try several: {path}=[[…], […]].",
            param=path,
        )
    return _values([one if one is None else entries_of(one) for one in found])


def _named(value: Any) -> list[Value] | None:
    if not isinstance(value, Mapping):
        return None
    return [Value(str(name), inner) for name, inner in value.items()]


def _values(entries: list[Any]) -> list[Value]:
    plain = [
        one.item() if getattr(one, "ndim", None) == 0 and hasattr(one, "item") else one for one in entries
    ]
    return [Value(_label(one), one) for one in plain]


def _axis(name: str, path: str, entries: list[Any]) -> Axis:
    """Return an axis that can be told apart by its labels."""
    values = [one if isinstance(one, Value) else _values([one])[0] for one in entries]
    if not values:
        raise ParamError(
            f"The axis {name} has no values.", "Give it at least one, or leave it out.", param=path or name
        )
    twice = _twice([value.value for value in values])
    if twice is not None:
        raise ParamError(
            f"The axis {name} has {_short(values[twice].label)} twice.",
            "Leave one of them out; repeat=2 makes every call twice.",
            param=path or name,
        )
    seen: dict[str, int] = {}
    distinct = []
    for value in values:
        # 1 and True are one key of a dict.
        mark = f"{type(value.label).__name__} {value.label}"
        seen[mark] = seen.get(mark, 0) + 1
        distinct.append(value if seen[mark] == 1 else Value(f"{value.label} ({seen[mark]})", value.value))
    return Axis(name, path, tuple(distinct))


def _twice(values: list[Any]) -> int | None:
    """Return where a value stands that has stood before; None if there is none."""
    seen: set[Any] = set()
    others: list[Any] = []
    for at, value in enumerate(values):
        # 1 equals True in Python, and not in JSON.
        mark = (isinstance(value, bool), value)
        try:
            is_again = mark in seen
            seen.add(mark)
        except TypeError:
            is_again = any(_is_same(value, other) for other in others)
            others.append(value)
        if is_again:
            return at
    return None


def _is_same(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)
    except (ValueError, TypeError):
        # What cannot be compared (an array) is not the same.
        return False


def _label(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return " + ".join(str(_label(one)) for one in value) or "none"
    name = getattr(value, "__name__", None) or getattr(value, "name", None)
    if isinstance(value, Mapping):
        name = value.get("name") or value.get("type")
    if isinstance(name, str):
        return name
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = type(value).__name__
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _check_twice(axes: list[Axis], constants: Mapping[str, Any]) -> None:
    paths = [axis.path for axis in axes if axis.path]
    for path in paths:
        held: Any = constants
        for name in path.split("."):
            held = held.get(name) if isinstance(held, Mapping) else None
        inside = any(other != path and other.startswith(f"{path}.") for other in paths)
        if paths.count(path) > 1 or held is not None or inside:
            name = _NAMES.get(path, path)
            raise ParamError(f"{name} is given twice.", f"Give {name} once.", param=path)


def _unknown(name: str, words: frozenset[str]) -> ParamError:
    close = difflib.get_close_matches(name, [*SHORT_NAMES, *sorted(_KNOWN), *sorted(words)], n=1, cutoff=0.6)
    hint = f"Did you mean {close[0]}? " if close else ""
    return ParamError(
        f"{name} is no parameter, and the prompt has no {{{{{name}}}}}.",
        f"{hint}To send a field that is not known: extra_body={{{name!r}: …}}, in a cell extra_body.{name}=…",
        param=name,
    )


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST_LABEL else f"{shown[: _LONGEST_LABEL - 1]}…"
