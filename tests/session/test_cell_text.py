"""Cells as they are written: short where that reads well, exact everywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import CellError
from cometnb.session.assignment import assigned, assignment
from cometnb.session.cell_text import cell_text
from cometnb.session.code_reader import read_code
from cometnb.session.settings import Settings
from tests.session.requests_at_random import TEXTS, json_values

_M = {"model": "m"}


@pytest.mark.parametrize(
    ("settings", "cell"),
    [
        (Settings("Hi"), "%%respond\nHi"),
        (
            Settings("Hi\n\nthere", {"model": "gpt-5.4", "reasoning": {"effort": "low"}, "temperature": 0.5}),
            "%%respond -m gpt-5.4 -e low -t 0.5\nHi\n\nthere",
        ),
        (
            Settings("Hi", {"max_output_tokens": 64, "instructions": "Don't shout."}),
            "%%respond -n 64 -s 'Don'\"'\"'t shout.'\nHi",
        ),
        (
            Settings("Hi", {"store": False, "background": True, "stream": False}),
            "%%respond --no-store --background --no-stream\nHi",
        ),
        (Settings("Hi", {"text": {"verbosity": "low"}}), "%%respond --text.verbosity low\nHi"),
        (Settings("Hi", {"future": {"a": [1]}}), "%%respond --set 'future={\"a\": [1]}'\nHi"),
        (Settings("Hi", {"future": "x"}), "%%respond --set future=x\nHi"),
        (
            Settings("Hi", {"include": ["reasoning.encrypted_content"]}),
            "%%respond --include reasoning.encrypted_content\nHi",
        ),
        (
            Settings(
                "Hi", tools=("f", "web_search"), schema="name, age int", images=("fig",), files=("a b.pdf",)
            ),
            "%%respond --tools f,web_search --schema 'name, age int' --image fig --file 'a b.pdf'\nHi",
        ),
        (Settings("{{x}}", is_raw=True), "%%respond --raw\n{{x}}"),
        (Settings("Hi", {"temperature": None}), "%%respond\nHi"),
    ],
)
def test_a_cell_reads_as_one_would_write_it(settings: Settings, cell: str) -> None:
    """Short flags, quotes where they are needed, one line and the prompt."""
    assert cell_text(settings) == cell


@pytest.mark.parametrize(
    ("params", "line"),
    [
        ({"instructions": "style"}, "--set instructions=style"),
        ({"instructions": "@style.md"}, "--set instructions=@style.md"),
        ({"instructions": "a\nb"}, "--set 'instructions=\"a\\nb\"'"),
        ({"instructions": "a\u2028b\x85"}, "--set 'instructions=\"a\\u2028b\\u0085\"'"),
        ({"instructions": "-m"}, "--instructions=-m"),
        ({"user": "\\{{x}}"}, "--user '\\{{x}}'"),
        ({"tool_choice": {}}, "--tool-choice '{}'"),
        ({"tool_choice": '{"a": 1}'}, '--set \'tool_choice="{\\"a\\": 1}"\''),
        ({"reasoning": {"effort": None}}, "--set reasoning.effort=null"),
        ({"include": ["df"]}, "--include '[\"df\"]'"),
        ({"temperature": 1.0}, "-t 1.0"),
        ({"temperature": 1}, "-t 1"),
        ({"metadata": {}}, "--metadata '{}'"),
        ({"extra_body": {"a.b": "1", "": None}}, '--set \'"a.b"="1"\' --set \'""=null\''),
        ({"extra_body": {"temperature": 9}}, "--set temperature=9"),
        ({"extra_body": {"store": None}}, "--set store=null"),
    ],
)
def test_what_a_line_would_take_for_something_else_is_set(params: dict[str, Any], line: str) -> None:
    """Variables, files, objects, numbers as text, line ends: each stands so that it reads back as what it is."""
    cell = cell_text(Settings("Hi", params))
    assert cell == f"%%respond {line}\nHi"
    namespace = {"style": "wrong", "df": "wrong", "m": "wrong"}
    assert json.dumps(read_code(cell, namespace).params) == json.dumps(
        dict(Settings("Hi", params).normal().params)
    )


@pytest.mark.parametrize(
    "prompt", ["a\rb", "a\x85b", "\n\nHi", "Hi\n", ">>> x", "a\n  >>> x", "... x", "\ud800"]
)
def test_a_prompt_that_lines_would_not_keep_is_set(prompt: str) -> None:
    """Editors change line ends, and a shell takes pasted prompts away."""
    cell = cell_text(Settings(prompt))
    assert cell.startswith("%%respond --set 'input=")
    assert cell.endswith("\n\n")
    assert read_code(cell).prompt == prompt


def test_a_template_keeps_its_expressions() -> None:
    """Characters that cannot be typed become expressions beside those that are there."""
    cell = cell_text(Settings("{{x}}\r{\x85", {"instructions": "In {{y}}:\n{\n}"}))
    assert cell == '%%respond -s \'In {{y}}:{{"\\n{\\n"}}}\'\n{{x}}{{"\\r{\\x85"}}'


def test_an_expression_of_several_lines_is_written_on_one() -> None:
    """Its meaning stays; one that cannot be is an error that says what to do."""
    assert "{{f(1, 2)}}" in cell_text(Settings("x", {"instructions": "{{f(1,\n  2)}}"}))
    assert "'a\\nb'" in cell_text(Settings("x", {"instructions": "{{'''a\nb'''}}"})).replace("'\"'\"'", "'")


@pytest.mark.parametrize("settings", [Settings("x", images=("a\nb.png",)), Settings("x", {"extra_body": 3})])
def test_what_cannot_stand_in_a_cell_is_an_error(settings: Settings) -> None:
    """Two lines."""
    with pytest.raises(CellError) as caught:
        cell_text(settings)
    assert len(str(caught.value).splitlines()) == 2


def test_a_schema_of_several_lines_is_one_line() -> None:
    """White space in it means nothing."""
    assert '--schema \'{"type": "string"}\'' in cell_text(Settings("x", schema='{\n "type": "string"\n}'))
    assert "--schema 'name, age int'" in cell_text(Settings("x", schema="name,\nage int"))


def test_a_key_is_masked() -> None:
    """Notebooks are saved and shared."""
    assert "canary" not in cell_text(Settings("My key: sk-canary1234567", {"user": "sk-canary1234567"}))


@given(st.lists(TEXTS, min_size=1, max_size=3), json_values())
def test_an_assignment_reads_back(names: list[str], value: Any) -> None:
    """Any path and any value, on one line."""
    text = assignment(names, value)
    assert text.isprintable()
    assert assigned(text)[0] == names
    assert json.dumps(assigned(text)[1]) == json.dumps(value)


@pytest.mark.parametrize("text", ["", "a", "=1", " =1", "a..b=1", "a.=1", '"a=1', '"a"b=1'])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    """The error shows the form."""
    with pytest.raises(CellError, match="not PATH=JSON"):
        assigned(text)
