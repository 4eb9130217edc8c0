"""``{{expression}}`` in a prompt, and everything that only looks like one."""

from __future__ import annotations

from typing import Any

import matplotlib.figure
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import CellError
from cometnb.session.template import filled, stretches


class _Bad:
    def _repr_llm_(self) -> str:
        raise ValueError("line one\nline two")


def _two_lines(caught: pytest.ExceptionInfo[CellError], expression: str) -> str:
    text = str(caught.value)
    fact, step = text.splitlines()
    assert f"{{{{{expression}" in fact
    assert step
    return text


@given(st.text().filter(lambda text: "{{" not in text))
def test_text_without_an_expression_is_returned_unchanged(text: str) -> None:
    """Single braces, `}}`, dollars, backslashes and anything else stay as typed."""
    assert filled(text, {}) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"b": [1, {"c": 2}]}}',
        r"$\frac{1}{2}$ and \(\mathbf{x}_{i}\) and $x$ and ${HOME}",
        "def f(): return {1: {2: 3}}",
        "100 % {x} %(x)s {0} $x }} }",
        r"C:\temp\{x}",
    ],
)
def test_what_other_languages_mean_by_braces_stays(text: str) -> None:
    """JSON, LaTeX, code and format strings."""
    assert filled(text, {"x": "WRONG"}) == text


@given(st.text(), st.text(), st.text())
def test_a_value_is_inserted_as_it_is(before: str, value: str, after: str) -> None:
    """What a text value holds is not looked at again, even if it looks like an expression."""
    before, after = before.replace("{", "").rstrip("\\"), after.replace("{", "").lstrip("}")
    assert filled(f"{before}{{{{x}}}}{after}", {"x": value}) == f"{before}{value}{after}"


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        ("{{x}}", "7"),
        ("{{ x }}", "7"),
        ("{{\nx\n}}", "7"),
        ("{{ (x +\n1) }}", "8"),
        ("{{x}}{{x}}", "77"),
        ("{{x}} and }} and {{x}}", "7 and }} and 7"),
        ("{{ {1: {2: 3}}[1][2] }}", "3"),
        ("{{ {'a': {'b': x}}['a']['b'] }}", "7"),
        ("{{ {1: {2: x}} }}", '{\n  "1": {\n    "2": 7\n  }\n}'),
        ("{{{1:x}}}", '{\n  "1": 7\n}'),
        ("{{ '}}' }}", "}}"),
        ("{{ d['}}'] }}", "seven"),
        ("{{ '{{x}}' }}", "{{x}}"),
        ("{{ ', '.join(str(n * x) for n in ns) }}", "7, 14"),
        ("{{ [n for n in ns if n < x] }}", "[\n  1,\n  2\n]"),
        ("{{ (lambda n: n + x)(1) }}", "8"),
        ("{{ f'{x:03d}' }}", "007"),
        ("{{ len(ns) }}", "2"),
        (r"\{{x}}", "{{x}}"),
        (r"\{{x}} {{x}}", "{{x}} 7"),
        (r"\{{ and }}", "{{ and }}"),
    ],
)
def test_expressions_are_python(template: str, prompt: str) -> None:
    """Nested braces, texts that hold closing braces, comprehensions over the notebook's names, escapes."""
    assert filled(template, {"x": 7, "ns": [1, 2], "d": {"}}": "seven"}}) == prompt


def test_the_notebook_is_not_changed() -> None:
    """A name given inside an expression stays inside."""
    namespace: dict[str, Any] = {"x": 1}
    assert filled("{{ (y := x + 1) }}", namespace) == "2"
    assert namespace == {"x": 1}


@pytest.mark.parametrize(
    ("template", "expression", "words"),
    [
        ("{{ nothing }}", "nothing", "name 'nothing' is not defined"),
        ("{{ 1 / 0 }}", "1 / 0", "ZeroDivisionError"),
        ("{{ {}['k'] }}", "{}['k']", "KeyError"),
        ("{{ object() }}", "object()", "builtins.object, which has no text"),
        ("{{ figure }}", "figure", "is an image, and only text can stand here"),
        ("{{ x = 1 }}", "x = 1", "not a Python expression"),
        ("{{ }}", "", "not a Python expression"),
        ("{{ a b }}", "a b", "not a Python expression"),
        ("{{ x!r }}", "x!r", "not a Python expression"),
        ("{{ x\0 }}", "x", "not a Python expression"),
        ("Hello {{ x", "x", "has no closing"),
        ("{{ bad }}", "bad", "ValueError: line one line two"),
        ("{{ loop }}", "loop", "which has no text"),
        ("{{ deep }}", "deep", "which has no text"),
    ],
)
def test_what_cannot_be_filled_in_is_a_two_line_error(template: str, expression: str, words: str) -> None:
    """The first line names the expression and what is wrong, the second what to do."""
    loop: list[Any] = []
    loop.append(loop)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    names = {
        "x": 1,
        "figure": matplotlib.figure.Figure(figsize=(1, 1)),
        "bad": _Bad(),
        "loop": loop,
        "deep": deep,
    }
    with pytest.raises(CellError) as caught:
        filled(template, names)
    assert words in _two_lines(caught, expression)


def test_an_unknown_name_close_to_a_variable_names_it() -> None:
    """A misspelt variable is the usual reason; names with an underscore in front are nobody's."""
    with pytest.raises(CellError, match="Did you mean deliveries"):
        filled("{{ delivereis.head() }}", {"deliveries": 1, "_delivereis": 2})


def test_an_unknown_name_says_how_to_write_braces() -> None:
    """Somebody may have meant two plain braces."""
    with pytest.raises(CellError, match=r"write \\\{\{ for two plain braces, or use --raw"):
        filled("{{ mustache }}", {})


@pytest.mark.parametrize("code", ["(" * 5000, "-" * 200_000 + "1", "[" * 90 + "]" * 90 + "'", "1 +" * 50_000])
def test_what_the_parser_cannot_take_is_a_cell_error(code: str) -> None:
    """However deep it is nested."""
    with pytest.raises(CellError):
        filled(f"{{{{{code}}}}}", {})


def test_a_long_expression_is_cut_in_the_error() -> None:
    """The error stays readable."""
    with pytest.raises(CellError) as caught:
        filled("{{ nothing + '" + "x" * 500 + "' }}", {})
    assert len(caught.value.fact) < 200


def test_an_interrupt_is_not_swallowed() -> None:
    """Ctrl-C while an expression runs stops the cell as anywhere."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled("{{ f() }}", {"f": interrupt})


def test_a_table_has_a_text_for_an_option_too() -> None:
    """Whatever is text in a prompt is text in an option's value."""
    assert "| a |" in filled("{{ df }}", {"df": pd.DataFrame({"a": [1]})})


def test_an_options_value_is_never_cut() -> None:
    """Nobody would see a note on it."""
    assert filled("{{ x }}", {"x": "y" * 50_000}) == "y" * 50_000


def test_stretches_name_the_expression_they_come_from() -> None:
    """Text of the template itself has no name."""
    found = [(name, piece.text) for name, piece in stretches("a {{ x }} b", {"x": 7})]
    assert found == [("", "a "), ("x", "7"), ("", " b")]


def test_braces_without_end_cost_no_time_and_are_an_error() -> None:
    """Each pair of closing braces may be the end, and is tried; not as many as there can be in a text."""
    with pytest.raises(CellError, match="is not a Python expression"):
        filled("{{" * 20_000 + "}}" * 20_000, {})


def test_a_value_with_braces_is_not_evaluated() -> None:
    """A cell of a table may hold anything."""
    frame = pd.DataFrame({"note": ["{{secret}}", "{{1 + 1}}"]})
    text = filled("{{frame}} {{note}}", {"frame": frame, "note": "{{secret}}", "secret": "gone"})
    assert "{{1 + 1}}" in text
    assert "gone" not in text
