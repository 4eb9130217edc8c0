"""The controls of a panel, derived from the parameter table: a new row there is a new control here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cometnb.errors import ParamError
from cometnb.protocol.params import PARAMS, Param, find
from cometnb.protocol.request import checked

__all__ = ["CONTROLS", "Control", "Kind", "Place", "derived", "other", "problem_of"]

Kind = Literal[
    "model",
    "lines",
    "text",
    "slider",
    "log",
    "number",
    "buttons",
    "choice",
    "switch",
    "marks",
    "names",
    "json",
]
Place = Literal["desk", "dial", "more"]

# What people turn all the time is in sight, in this order; everything else is folded away.
_DESK = ("model", "input", "instructions")
_DIALS = (
    "temperature",
    "top_p",
    "max_output_tokens",
    "reasoning.effort",
    "text.verbosity",
    "tools",
    "schema",
)

# How the panel sends is its own business.
_LEFT_OUT = frozenset({"stream", "stream_options"})

# More buttons than this do not fit beside each other, and fewer words need no list to choose from.
_MOST_BUTTONS = 7
_SCALE = (16.0, 131_072.0)
_STEPS = 20


@dataclass(frozen=True, slots=True)
class Control:
    """One control.

    Attributes
    ----------
    path : str
        The parameter it sets, with dots for a field inside one; ``input`` is the prompt.
    kind : str
        How it looks and what it takes: ``model`` (text with suggestions), ``lines`` (text of many lines), ``text``,
        ``slider``, ``log`` (a slider on a logarithmic scale), ``number``, ``buttons`` (one of a few), ``choice``
        (text with suggestions), ``switch`` (true or false), ``marks`` (any of some), ``names`` (a list of names),
        ``json``.
    place : str
        ``desk`` (beside the prompt), ``dial`` (always in sight) or ``more`` (folded away).
    doc : str
        One line.
    default : object
        What the service takes when it is not sent; None if it documents none.
    minimum, maximum, step : float or None
        Inclusive bounds, and how far a key moves a slider.
    choices : tuple of str
        Known values.
    is_closed : bool
        True if there are no others.
    is_whole : bool
        True for whole numbers.
    unit : str
    is_own : bool
        True for what is the notebook's and no parameter of the API.
    """

    path: str
    kind: Kind
    place: Place
    doc: str
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    is_closed: bool = False
    scale: tuple[float, float] | None = None
    is_whole: bool = False
    takes_text: bool = False
    unit: str = ""
    is_own: bool = False

    def as_state(self) -> dict[str, Any]:
        """Return it as JSON for the page."""
        return asdict(self) | {"choices": list(self.choices)}


_OWN = (
    Control(
        "schema",
        "text",
        "dial",
        "Structured output: a class, a DataFrame or a dict by name, or fields such as 'name, age int'.",
        is_own=True,
    ),
    Control(
        "images", "names", "more", "Images to attach: variables of the notebook, paths or URLs.", is_own=True
    ),
    Control(
        "files",
        "names",
        "more",
        "Files to attach: variables of the notebook, paths, URLs or file ids.",
        is_own=True,
    ),
    Control(
        "detail",
        "buttons",
        "more",
        "How closely every image is looked at.",
        choices=("low", "high", "auto"),
        is_own=True,
    ),
    Control("raw", "switch", "more", "Leave {{ }} as it is typed.", default=False, is_own=True),
    Control(
        "confirms",
        "switch",
        "more",
        "Ask before each function of the notebook runs.",
        default=False,
        is_own=True,
    ),
)


def derived(rows: tuple[Param, ...] = PARAMS) -> tuple[Control, ...]:
    """Return the controls of a table of parameters and the notebook's own, those in sight first.

    Parameters
    ----------
    rows : tuple of Param
    """
    found = [*_of_rows(rows), *_OWN]
    places = {path: place for place, path in enumerate((*_DESK, *_DIALS))}
    # What is older than something else comes last.
    return tuple(
        sorted(found, key=lambda one: (places.get(one.path, len(places)), _is_older(one.path), one.is_own))
    )


def other(path: str) -> Control:
    """Return a control for what no table knows and is sent all the same."""
    return Control(path, "json", "more", "Not in the reference; sent as it is.")


def problem_of(path: str, value: Any) -> str:
    """Return why a value cannot be sent, in one line; empty if it can.

    Parameters
    ----------
    path : str
        Of the parameter, with dots.
    value : object
        As it would be sent.
    """
    row = find(path)
    if row is None or path == "input":
        return ""
    try:
        checked(row, value, path, [])
    except ParamError as error:
        return error.fact
    return ""


def _of_rows(rows: tuple[Param, ...]) -> Iterator[Control]:
    for row in rows:
        if row.name in _LEFT_OUT:
            continue
        if not row.fields:
            yield _control(row, row.name)
        for field in row.fields:
            yield _control(field, f"{row.name}.{field.name}")


def _control(row: Param, path: str) -> Control:
    kind = _NAMED_KINDS.get(path) or _kind(row)
    place: Place = "desk" if path in _DESK else "dial" if path in _DIALS else "more"
    step: float | None = 1 if "integer" in row.kinds else None
    if kind == "slider" and step is None:
        step = round(((row.maximum or 0) - (row.minimum or 0)) / _STEPS, 6)
    return Control(
        path,
        kind,
        place,
        f"{row.doc} Older; use {row.deprecated}." if row.deprecated else row.doc,
        default=row.default,
        minimum=row.minimum,
        maximum=row.maximum,
        step=step,
        choices=row.choices,
        is_closed=row.closed,
        scale=_SCALE if kind == "log" else None,
        is_whole="integer" in row.kinds and "number" not in row.kinds,
        takes_text="string" in row.kinds,
        unit=row.unit,
    )


_NAMED_KINDS: Mapping[str, Kind] = {
    "model": "model",
    "input": "lines",
    "instructions": "lines",
    "tools": "names",
}


def _kind(row: Param) -> Kind:
    kinds = set(row.kinds)
    if kinds & {"integer", "number"}:
        if row.minimum is not None and row.maximum is not None:
            return "slider"
        return "log" if row.minimum and row.minimum > 0 else "number"
    if kinds == {"boolean"}:
        return "switch"
    if "array" in kinds:
        return "marks" if row.choices else "json"
    if kinds == {"string"}:
        if not row.choices:
            return "text"
        return "buttons" if len(row.choices) <= _MOST_BUTTONS else "choice"
    # A word or an object: what begins like JSON is read as such.
    return "json"


def _is_older(path: str) -> bool:
    row = find(path)
    return row is not None and bool(row.deprecated)


CONTROLS = derived()
