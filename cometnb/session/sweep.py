"""A sweep's grid: every combination of its axes as a request that has been checked, before anything is sent."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from cometnb.errors import CometError, ParamError
from cometnb.protocol.canonical import fingerprint
from cometnb.protocol.counted import counted
from cometnb.protocol.request import Prepared, prepare
from cometnb.session.named_tools import toolbox_of
from cometnb.session.prompt import prompt_of
from cometnb.session.structured import Schema, asking_for
from cometnb.session.sweep_axes import Axis, Value, label_text, placed, prompt_axis, read_parameters
from cometnb.session.template import compiled, filled
from cometnb.session.tools import Toolbox

__all__ = ["COLUMNS", "MOST_RUNS", "Grid", "Point", "Run", "grid_of", "said"]

MOST_RUNS = 100
"""How many calls a sweep makes unless more are allowed."""

COLUMNS = (
    "repeat", "answer", "status", "error", "model", "model_reported", "input_tokens", "cached_tokens",
    "output_tokens", "reasoning_tokens", "total_tokens", "cost_usd", "ttft_s", "duration_s", "output_tokens_per_s",
    "response_id",
)  # fmt: skip
"""The columns of a sweep's frame behind those of its axes."""

_Ask = Callable[[str, Mapping[str, Any]], Any]

_NAME = re.compile(r"[^\W\d]\w*")

# What makes no sense for many calls side by side, and what to do instead.
_REFUSED = {
    "input": ("input is the prompt of a sweep", "Call it prompt: prompt=…"),
    "background": ("A sweep waits for its answers", "Leave background out."),
    "conversation": (
        "The runs of a sweep would be turns of one conversation",
        "Leave conversation out; previous_response_id=… asks every run after the same response.",
    ),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of the axes' values.

    Attributes
    ----------
    labels : tuple
        Of its values, in the order of the axes.
    params : dict
        Of its calls, by the API's names, with ``model`` and ``input``.
    body : dict
        As it is sent, checked.
    toolbox : Toolbox
        The tools offered; functions among them are run.
    """

    labels: tuple[Any, ...]
    params: dict[str, Any]
    body: dict[str, Any]
    toolbox: Toolbox = field(default_factory=Toolbox)


@dataclass(frozen=True, slots=True)
class Run:
    """One call of a sweep.

    Attributes
    ----------
    place : int
        Its row in the frame, from 0.
    point : Point
    repeat : int
        From 1.
    key : str
        The same for the same call of the same grid in every process; each repeat has its own.
    """

    place: int
    point: Point
    repeat: int
    key: str


@dataclass(frozen=True, slots=True)
class Grid:
    """What a sweep asks.

    Attributes
    ----------
    axes : tuple of Axis
        In the order in which they were given, prompts first.
    points : tuple of Point
        Every combination, the last axis fastest.
    repeat : int
        Calls for each point.
    runs : tuple of Run
        In the order of the frame: the repeats of a point stand together.
    schema : Schema or None
        Of structured answers.
    notes : tuple of str
        What was settled about the parameters.
    """

    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    repeat: int
    runs: tuple[Run, ...]
    schema: Schema | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [counted(len(axis.values), axis.name, _several(axis)) for axis in self.axes]
        parts += [f"{self.repeat} repeats"] if self.repeat > 1 else []
        return counted(len(self.runs), "run") + (f" ({' × '.join(parts)})" if parts else "")


def grid_of(
    prompt: Any,
    params: Mapping[str, Any],
    *,
    model: str,
    namespace: Mapping[str, Any] | None = None,
    repeat: int = 1,
    schema: Schema | None = None,
    max_runs: int = MOST_RUNS,
    ask: _Ask | None = None,
    is_raw: bool = False,
) -> Grid:
    """Return the grid of a sweep, every request of it checked.

    Parameters
    ----------
    prompt : str, list or Mapping
        One prompt or several; see `prompt_axis`.
    params : Mapping
        See `read_parameters`. ``tools`` takes functions and names of the service's own tools.
    model : str
        The model of calls that name none.
    namespace : Mapping, optional
        What ``{{ }}`` is filled from.
    repeat : int
        Calls for each combination, from 1.
    schema : Schema, optional
        Of structured answers.
    max_runs : int
        Most calls.
    ask : callable, optional
        Makes the input of a prompt's text and the names that stand in it; fills in ``{{ }}`` if not given.
    is_raw : bool
        Leave ``{{ }}`` as it is typed.

    Raises
    ------
    ParamError
        A parameter that cannot be sent, an axis that is none, or too many runs. It names the axis and the value.
    CellError
        A prompt that cannot be filled in.
    """
    for name in params:
        if name in _REFUSED and params[name] is not None:
            fact, step = _REFUSED[name]
            raise ParamError(f"{fact}.", step, param=name)
    known = namespace or {}
    ask = ask or (lambda text, words: prompt_of(text, {**known, **words}, is_raw=is_raw).input)
    maker = _Maker(prompt, params, known, model, schema, ask, is_raw=is_raw)
    _check_size(maker.axes, repeat, max_runs)
    points, notes = maker.points()
    return Grid(maker.axes, points, repeat, _runs(points, repeat), schema, notes)


def said(axes: tuple[Axis, ...], labels: tuple[Any, ...], repeat: int = 0) -> str:
    """Return a combination in words: ``model=gpt-5.4, effort=low``; with a repeat if there are several."""
    parts = [f"{axis.name}={label_text(label)}" for axis, label in zip(axes, labels, strict=True)]
    return ", ".join([*parts, f"repeat {repeat}"] if repeat else parts)


class _Maker:
    """Makes the points of one grid."""

    def __init__(  # noqa: PLR0917  # they are those of `grid_of`
        self,
        prompt: Any,
        params: Mapping[str, Any],
        namespace: Mapping[str, Any],
        model: str,
        schema: Schema | None,
        ask: _Ask,
        *,
        is_raw: bool,
    ) -> None:
        self._namespace, self._model, self._schema = namespace, model, schema
        self._ask, self._is_raw = ask, is_raw
        several = prompt_axis(prompt)
        texts = [value.value for value in several.values] if several is not None else [prompt]
        instructions = params.get("instructions")
        told = instructions.values() if isinstance(instructions, Mapping) else instructions
        texts += [told] if isinstance(told, str) else list(told or ())
        self._read = read_parameters(params, frozenset() if is_raw else _words_in(texts))
        self.axes = ((several,) if several is not None else ()) + self._read.axes
        self._prompt = prompt
        for axis in self.axes:
            if axis.name in COLUMNS and axis.name != "model":
                raise ParamError(
                    f"{axis.name} is a column of the frame, and cannot be an axis, too.",
                    f"Give {{{{{axis.name}}}}} another name in the prompt.",
                    param=axis.name,
                )

    def points(self) -> tuple[tuple[Point, ...], tuple[str, ...]]:
        """Return every combination, and what was settled about them."""
        points = []
        notes: dict[str, None] = {}
        for values in itertools.product(*(axis.values for axis in self.axes)):
            try:
                box, params, prepared = self._prepared(values)
            except CometError as error:
                raise self._located(error, values) from error
            points.append(Point(tuple(value.label for value in values), params, prepared.body, box))
            notes |= dict.fromkeys(prepared.notes)
        return tuple(points), tuple(notes)

    def _prepared(self, values: tuple[Value, ...]) -> tuple[Toolbox, dict[str, Any], Prepared]:
        box, params = self._params(values)
        return box, params, prepare({**params, "stream": True})

    def _params(self, values: tuple[Value, ...]) -> tuple[Toolbox, dict[str, Any]]:
        prompt, params, words = self._prompt, dict(self._read.constants), dict(self._read.words)
        for axis, value in zip(self.axes, values, strict=True):
            if axis.path == "input":
                prompt = value.value
            elif not axis.path:
                words[axis.name] = value.value
            elif value.value is not None:
                params = placed(params, axis.path, value.value)
        if not self._is_raw:
            known = {**self._namespace, **words}
            texts = {name: text for name, text in params.items() if isinstance(text, str)}
            params |= {name: filled(text, known) for name, text in texts.items()}
        tools = params.pop("tools", None) or ()
        named = [tools] if isinstance(tools, str | Mapping) or callable(tools) else tools
        box = toolbox_of(named, self._namespace)
        params |= box.offered()
        return box, {
            "model": self._model,
            **asking_for(self._schema, params),
            "input": self._ask(prompt, words) if isinstance(prompt, str) else prompt,
        }

    def _located(self, error: CometError, values: tuple[Value, ...]) -> CometError:
        """Return an error that says at which value of which axis it came up."""
        param = getattr(error, "param", "") or ("input" if not isinstance(error, ParamError) else "")
        for axis, value in zip(self.axes, values, strict=True):
            is_here = axis.path == param or f"{axis.path}.".startswith(f"{param}.") if param else False
            if is_here or (axis.path and param.startswith(f"{axis.path}.")):
                at = axis.values.index(value) + 1
                where = f"Axis {axis.name}, value {at} of {len(axis.values)} ({label_text(value.label)})"
                return ParamError(f"{where}: {error.fact}", error.next_step, param=param)
        if not self.axes or not isinstance(error, ParamError) or self._is_everywhere(error):
            return error
        where = said(self.axes, tuple(value.label for value in values))
        return ParamError(f"At {where}: {error.fact}", error.next_step, param=param)

    def _is_everywhere(self, error: CometError) -> bool:
        """Tell whether an error has nothing to do with the axes: the last combination has it, too."""
        try:
            self._prepared(tuple(axis.values[-1] for axis in self.axes))
        except CometError as other:
            return other.fact == error.fact
        return False


def _words_in(texts: list[Any]) -> frozenset[str]:
    """Return the names that stand in braces in any of the texts."""
    return frozenset(
        name
        for text in texts
        if isinstance(text, str)
        for part in compiled(text)
        if not isinstance(part, str)
        for name in _NAME.findall(part.text)
    )


def _several(axis: Axis) -> str:
    """Return the plural of an axis's name, where that is an English word."""
    name = axis.name
    if not axis.path or "." in name:
        return f"{name} values"
    return f"{name[:-1]}ies" if name.endswith("y") else name if name.endswith("s") else f"{name}s"


def _check_size(axes: tuple[Axis, ...], repeat: Any, max_runs: Any) -> None:
    for name, number in (("repeat", repeat), ("max_runs", max_runs)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ParamError(
                f"{name}={number!r} is no whole number from 1.",
                f"Give {name} a whole number from 1.",
                param=name,
            )
    sizes = [len(axis.values) for axis in axes] + ([repeat] if repeat > 1 else [])
    n_runs = prod(sizes)
    if n_runs > max_runs:
        product = f" ({' × '.join(map(str, sizes))})" if len(sizes) > 1 else ""
        raise ParamError(
            f"The grid has {n_runs:,} runs{product}, and {max_runs:,} is the most a sweep makes unasked.",
            f"Leave values out, or allow them: max_runs={n_runs}, in a cell --sweep max_runs={n_runs}",
            param="max_runs",
        )


def _runs(points: tuple[Point, ...], repeat: int) -> tuple[Run, ...]:
    """Return the calls of a grid; calls that ask the same are numbered, so that each is made."""
    seen: Counter[str] = Counter()
    runs: list[Run] = []
    for point in points:
        mark = fingerprint(point.body)
        for number in range(1, repeat + 1):
            seen[mark] += 1
            runs.append(Run(len(runs), point, number, f"{mark}/{seen[mark]}"))
    return tuple(runs)
