"""The controls of a panel come from the parameter table alone, and their values from the panel's settings and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.panel.controls import CONTROLS, derived, other, problem_of
from cometnb.panel.values import problems_of, settings_with, summary, values_of
from cometnb.protocol.params import PARAMS, Param, find
from cometnb.session.settings import Settings

_BY_PATH = {control.path: control for control in CONTROLS}


def test_every_parameter_has_a_control() -> None:
    """Also every field of an object; only how the panel streams is its own business."""
    paths = [
        row.name if not row.fields else f"{row.name}.{field.name}"
        for row in PARAMS
        for field in row.fields or (row,)
    ]
    assert set(paths) - set(_BY_PATH) == {"stream", "stream_options.include_obfuscation"}


def test_each_control_says_what_its_row_says() -> None:
    """Words, bounds, choices and default are those of the table."""
    for path, control in _BY_PATH.items():
        row = find(path)
        if row is None:
            assert control.is_own
            continue
        assert control.doc.startswith(row.doc)
        assert (control.minimum, control.maximum) == (row.minimum, row.maximum)
        assert (control.choices, control.default) == (row.choices, row.default)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (Param("seed", ("integer",), "A seed.", minimum=0, maximum=9), "slider"),
        (Param("budget_tokens", ("integer",), "A bound.", minimum=1), "log"),
        (Param("depth", ("integer",), "How deep.", minimum=0), "number"),
        (Param("mode", ("string",), "A mode.", choices=("a", "b")), "buttons"),
        (Param("tone", ("string",), "A tone.", choices=tuple("abcdefgh")), "choice"),
        (Param("note", ("string",), "A note."), "text"),
        (Param("fast", ("boolean",), "Faster.", default=False), "switch"),
        (Param("parts", ("array",), "Which.", choices=("a",)), "marks"),
        (Param("plan", ("object",), "A plan."), "json"),
        (Param("who", ("string", "object"), "Who."), "json"),
    ],
)
def test_a_new_row_is_a_new_control(row: Param, kind: str) -> None:
    """It is folded away with the others, and looks like what it takes."""
    (found,) = [control for control in derived((*PARAMS, row)) if control.path == row.name]
    assert (found.kind, found.place, found.doc) == (kind, "more", row.doc)


def test_what_people_turn_is_in_sight_and_what_is_older_comes_last() -> None:
    """Model and prompt first, then the dials; deprecated parameters at the end."""
    assert [control.path for control in CONTROLS[:5]] == [
        "model",
        "input",
        "instructions",
        "temperature",
        "top_p",
    ]
    assert [control.path for control in CONTROLS[-2:]] == ["reasoning.generate_summary", "user"]


def test_a_control_is_json() -> None:
    """It travels to the page."""
    states = [control.as_state() for control in (*CONTROLS, other("provider"))]
    assert json.loads(json.dumps(states))[-1]["kind"] == "json"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("temperature", 2.5, "above its maximum 2"),
        ("top_p", -0.1, "below its minimum 0"),
        ("max_output_tokens", "many", "not a whole number"),
        ("truncation", "maybe", "not one of"),
        ("temperature", 0.7, ""),
        ("reasoning.effort", "unheard-of", ""),
        ("provider", object(), ""),
    ],
)
def test_what_cannot_be_sent_is_said_at_its_control(path: str, value: Any, words: str) -> None:
    """In the words of the check that a request goes through; open choices and unknown parameters pass."""
    found = problem_of(path, value)
    assert words in found
    assert bool(found) == bool(words)


_WORDS = st.text("abc ", min_size=1).filter(str.strip)
_PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "max_output_tokens": st.integers(1, 10**6),
        "reasoning": st.fixed_dictionaries({"effort": _WORDS}, optional={"depth": st.integers()}),
        "text": st.fixed_dictionaries({"verbosity": _WORDS}),
        "store": st.booleans(),
        "metadata": st.dictionaries(_WORDS, _WORDS, min_size=1),
        "provider": st.dictionaries(_WORDS, st.integers(), min_size=1),
    },
)
_SETTINGS = st.builds(
    Settings,
    prompt=st.just("") | _WORDS,
    params=_PARAMS,
    tools=st.lists(_WORDS, max_size=2).map(tuple),
    schema=st.just("") | _WORDS,
    images=st.lists(_WORDS, max_size=2).map(tuple),
    detail=st.none() | st.just("low"),
    is_raw=st.booleans(),
)


@given(_SETTINGS, _SETTINGS)
def test_values_and_settings_are_two_ways_to_say_the_same(before: Settings, after: Settings) -> None:
    """Whatever was set before, a panel that is given the values of some settings has exactly those."""
    assert settings_with(before, values_of(after)) == after


def test_not_set_is_not_in_the_values() -> None:
    """And what is taken out of them is no longer sent, with the object that would be empty without it."""
    settings = Settings("Hi.", {"temperature": 0, "reasoning": {"effort": "low"}})
    values = values_of(settings)
    assert values == {"input": "Hi.", "temperature": 0, "reasoning.effort": "low"}
    del values["reasoning.effort"]
    assert settings_with(settings, values).params == {"temperature": 0}


def test_true_is_not_one() -> None:
    """Python calls them equal; JSON does not."""
    assert settings_with(Settings(params={"x": 1}), {"x": True}).params["x"] is True


def test_problems_are_found_for_all_values_at_once() -> None:
    """By path, and only where there are some."""
    assert list(problems_of({"input": "Hi.", "temperature": 3, "top_p": 1})) == ["temperature"]


def test_a_summary_is_one_line() -> None:
    """Long values are cut; the prompt is left out."""
    line = summary({"input": "Hi.", "instructions": "a\nb" * 100, "tools": ["f", "g"], "top_p": None})
    assert "\n" not in line
    assert line.endswith("…  tools=f,g  top_p=not set")
