"""The grid of a sweep: what is an axis, what every combination asks, and what is refused before anything is sent."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import CellError, CometError, ParamError
from cometnb.session.structured import schema_of
from cometnb.session.sweep import Grid, grid_of, said


def grid(prompt: Any = "Hello", /, **params: Any) -> Grid:
    """Return a grid for gpt-5.4."""
    settings = {
        name: params.pop(name)
        for name in ("repeat", "max_runs", "namespace", "schema", "is_raw")
        if name in params
    }
    return grid_of(prompt, params, model="gpt-5.4", **settings)


def error(prompt: Any = "Hello", /, **params: Any) -> CometError:
    """Return why there is no such grid."""
    with pytest.raises(CometError) as caught:
        grid(prompt, **params)
    return caught.value


def axes(made: Grid) -> dict[str, tuple[Any, ...]]:
    """Return the labels of each axis."""
    return {axis.name: axis.labels for axis in made.axes}


def test_without_a_list_there_is_one_run() -> None:
    """And no axis."""
    made = grid(temperature=0.5)
    assert axes(made) == {}
    assert [run.point.body["temperature"] for run in made.runs] == [0.5]


def test_lists_are_axes_and_every_combination_is_a_point() -> None:
    """In order, the last axis fastest."""
    made = grid(model=["a", "b"], temperature=[0, 0.5])
    assert axes(made) == {"model": ("a", "b"), "temperature": (0, 0.5)}
    assert [(p.body["model"], p.body["temperature"]) for p in made.points] == [
        ("a", 0),
        ("a", 0.5),
        ("b", 0),
        ("b", 0.5),
    ]


@given(st.lists(st.integers(1, 4), max_size=4), st.integers(1, 3))
def test_a_grid_has_each_combination_once_for_every_repeat(sizes: list[int], repeat: int) -> None:
    """Whatever the axes' lengths; places count up, and every call has a key of its own."""
    names = ("temperature", "top_p", "max_output_tokens", "effort")
    values: dict[str, list[Any]] = {
        "temperature": [0, 0.5, 1, 1.5],
        "top_p": [0.1, 0.2, 0.3, 0.4],
        "max_output_tokens": [16, 32, 64, 128],
        "effort": ["none", "low", "medium", "high"],
    }
    chosen = {name: values[name][:size] for name, size in zip(names, sizes, strict=False)}
    made = grid(**chosen, repeat=repeat, max_runs=1000)
    assert [point.labels for point in made.points] == list(product(*chosen.values()))
    assert [run.place for run in made.runs] == list(range(len(made.points) * repeat))
    assert [run.repeat for run in made.runs] == list(range(1, repeat + 1)) * len(made.points)
    assert len({run.key for run in made.runs}) == len(made.runs)


@pytest.mark.parametrize(
    "values",
    [(0, 1), range(2), np.array([0, 1]), pd.Series([0, 1]), iter([0, 1]), {0, 1}],
    ids=["tuple", "range", "array", "Series", "iterator", "set"],
)
def test_any_list_is_an_axis(values: Any) -> None:
    """Its values are plain numbers."""
    made = grid(temperature=values)
    assert axes(made) == {"temperature": (0, 1)}
    assert all(type(label) is int for label in made.axes[0].labels)


def test_short_names_and_fields_are_one_axis() -> None:
    """Typed short, with dots, or as a mapping: the column is the short name."""
    for params in (
        {"effort": ["low", "high"]},
        {"reasoning.effort": ["low", "high"]},
        {"reasoning": {"effort": ["low", "high"]}},
    ):
        made = grid(**params)
        assert axes(made) == {"effort": ("low", "high")}
        assert [point.body["reasoning"] for point in made.points] == [{"effort": "low"}, {"effort": "high"}]


def test_a_mapping_of_an_object_keeps_what_is_no_list() -> None:
    """A schema inside it holds lists that are none of ours."""
    form = {"type": "json_schema", "name": "x", "schema": {"type": "object", "required": ["a"]}}
    made = grid(text={"format": form, "verbosity": ["low", "high"]})
    assert axes(made) == {"verbosity": ("low", "high")}
    assert made.points[1].body["text"] == {"format": form, "verbosity": "high"}


def test_named_values_are_labels() -> None:
    """A dict of a parameter that is no object names its values."""
    made = grid(instructions={"kind": "Be kind.", "terse": "Be terse."})
    assert axes(made) == {"instructions": ("kind", "terse")}
    assert made.points[1].body["instructions"] == "Be terse."


def test_a_list_parameter_needs_a_list_of_lists() -> None:
    """One list is the same for all runs."""
    assert axes(grid(include=["reasoning.encrypted_content"])) == {}
    made = grid(tools=[[], ["web_search_preview"]])
    assert axes(made) == {"tools": ("none", "web_search_preview")}
    assert ["tools" in point.body for point in made.points] == [False, True]
    assert "tools=[[…], […]]" in error(tools=[["web_search_preview"], "x"]).next_step


def test_none_is_not_set() -> None:
    """The parameter is not sent."""
    made = grid(temperature=[None, 1])
    assert axes(made) == {"temperature": (None, 1)}
    assert ["temperature" in point.body for point in made.points] == [False, True]


@pytest.mark.parametrize(
    ("prompt", "labels"),
    [
        (["One", "Two"], ("One", "Two")),
        ({"short": "One", "long": "Two"}, ("short", "long")),
        ([[{"role": "user", "content": "One"}], [{"role": "user", "content": "Two"}]], None),
    ],
)
def test_several_prompts_are_an_axis(prompt: Any, labels: tuple[str, ...] | None) -> None:
    """Texts, named texts, or lists of input items."""
    made = grid(prompt)
    assert [axis.name for axis in made.axes] == ["prompt"]
    assert len({str(point.body["input"]) for point in made.points}) == 2
    if labels is not None:
        assert made.axes[0].labels == labels


def test_input_items_are_one_prompt() -> None:
    """A list of dicts is what the API takes."""
    assert axes(grid([{"role": "user", "content": "One"}])) == {}


def test_braces_are_filled_from_the_notebook_and_from_axes() -> None:
    """In prompts and instructions; a name in braces may be an axis or a constant."""
    made = grid(
        "Explain {{topic}} to {{who}} in {{n}} words.",
        namespace={"topic": "rain"},
        who=["a child", "a pilot"],
        n=5,
        instructions="Speak to {{who}}.",
    )
    assert axes(made) == {"who": ("a child", "a pilot")}
    assert made.points[1].body["input"] == "Explain rain to a pilot in 5 words."
    assert made.points[1].body["instructions"] == "Speak to a pilot."


def test_raw_leaves_braces() -> None:
    """As they are typed."""
    assert grid("{{x}}", is_raw=True).points[0].body["input"] == "{{x}}"


def test_a_name_that_is_nowhere_is_refused() -> None:
    """With the one that was meant."""
    wrong = error(efort=["low"])
    assert "efort is no parameter, and the prompt has no {{efort}}." in str(wrong)
    assert "Did you mean effort?" in wrong.next_step
    assert isinstance(error("{{nothing}}"), CellError)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (
            {"temperature": [0, 5]},
            "Axis temperature, value 2 of 2 (5): temperature=5 is above its maximum 2.",
        ),
        ({"effort": ["low", 3]}, "Axis effort, value 2 of 2 (3): reasoning.effort=3 is int, not text."),
        ({"truncation": ["auto", "wild"]}, "Axis truncation, value 2 of 2 (wild)"),
        ({"model": []}, "The axis model has no values."),
        ({"model": ["a", "a"]}, "The axis model has 'a' twice."),
        ({"temperature": [0, 0.0]}, "The axis temperature has 0.0 twice."),
        ({"effort": ["low"], "reasoning": {"effort": "high"}}, "effort is given twice."),
        ({"reasoning": [{"effort": "low"}], "effort": ["high"]}, "is given twice."),
        ({"repeat": 0}, "repeat=0 is no whole number from 1."),
        ({"repeat": True}, "repeat=True is no whole number from 1."),
        ({"background": True}, "A sweep waits for its answers."),
        ({"conversation": "conv_1"}, "turns of one conversation"),
        ({"input": "x"}, "input is the prompt of a sweep."),
        ({"temperature": 5, "model": ["a", "b"]}, "temperature=5 is above its maximum 2."),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_axis_and_value(params: dict[str, Any], words: str) -> None:
    """Before anything is sent."""
    found = error(**params)
    assert isinstance(found, ParamError)
    assert words in found.fact
    assert found.next_step


def test_what_two_parameters_make_impossible_names_the_combination() -> None:
    """An error that only some combinations have."""
    wrong = error(include=[[], ["message.output_text.logprobs"]], top_logprobs=2)
    assert wrong.fact.startswith("At include=none: top_logprobs=2 needs")


def test_true_and_one_are_different_values() -> None:
    """As they are in JSON."""
    assert axes(grid("{{x}}", x=[1, True])) == {"x": (1, True)}


def test_a_column_of_the_frame_is_no_axis() -> None:
    """The name in braces has to be another one."""
    assert "status is a column" in error("{{status}}", status=["a"]).fact


def test_a_prompt_that_cannot_be_filled_in_names_its_place() -> None:
    """Of several, the one that is wrong."""
    assert "Axis prompt, value 2 of 2" in error(["Fine", "{{nothing}}"]).fact


def test_a_huge_grid_is_refused_without_being_made() -> None:
    """With its number and how to allow it."""
    wrong = error(temperature=list(np.linspace(0, 2, 5000)), top_p=list(np.linspace(0, 1, 5000)), repeat=1000)
    assert "25,000,000,000 runs (5000 × 5000 × 1000)" in wrong.fact
    assert "max_runs=25000000000" in wrong.next_step
    assert len(grid(temperature=list(np.linspace(0, 2, 101)), max_runs=101).runs) == 101


def test_the_same_call_has_the_same_key_in_a_larger_grid() -> None:
    """So that what was kept serves more repeats and more values."""
    small = {run.key for run in grid(effort=["low"], repeat=2).runs}
    large = {run.key for run in grid(effort=["low", "high"], repeat=3).runs}
    assert small < large


def test_points_that_ask_the_same_are_calls_of_their_own() -> None:
    """Temperature 1 is the default."""
    assert len({run.key for run in grid(temperature=[None, 1]).runs}) == 2


def test_a_schema_is_asked_for_at_every_point() -> None:
    """Beside what else is set of the text."""
    made = grid(schema=schema_of("name, age int"), verbosity=["low", "high"])
    assert [p.body["text"]["format"]["type"] for p in made.points] == ["json_schema"] * 2
    assert [p.body["text"]["verbosity"] for p in made.points] == ["low", "high"]


def test_functions_of_the_notebook_are_tools() -> None:
    """By name or as they are."""

    def double(x: int) -> int:
        """Double a number."""
        return 2 * x

    made = grid(tools=[[], ["double"], [double, "web_search_preview"]], namespace={"double": double})
    assert axes(made) == {"tools": ("none", "double", "double + web_search_preview")}
    assert [len(point.body.get("tools", [])) for point in made.points] == [0, 1, 2]
    assert [point.toolbox.runs_functions for point in made.points] == [False, True, True]


def test_a_grid_in_words() -> None:
    """Counted, with what is multiplied."""
    made = grid("{{x}}", model=["a", "b"], effort=["low"], x=[1, 2], repeat=3)
    assert str(made) == "12 runs (2 models × 1 effort × 2 x values × 3 repeats)"
    assert str(grid()) == "1 run"
    assert said(made.axes, made.points[0].labels, 2) == "model=a, effort=low, x=1, repeat 2"
