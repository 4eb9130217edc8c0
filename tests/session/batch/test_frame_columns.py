"""Names in a prompt: columns first, then the index, then the notebook; what is unknown is said before anything is sent."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import CellError
from cometnb.session.batch.columns import Columns, is_missing
from cometnb.session.template import Expression

_NAMES = ["title", "Review text", "class", 0, "n"]
_VALUES = ["T", "R", "C", 0.5, 3]


def _filled(template: str, columns: Columns, values: list[Any], label: Any = 7) -> list[Any]:
    """What each expression of a template gives for one row."""
    namespace = columns.namespace(columns.row(values, label))
    return [part.value(namespace) for part in columns.parts(template) if isinstance(part, Expression)]


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{title}}", "T"),
        ("{{ Review text }}", "R"),
        ("{{class}}", "C"),
        ("{{0}}", 0.5),
        ("{{n + offset}}", 13),
        ("{{[letter for letter in title]}}", ["T"]),
        ("{{(lambda more: n + more)(1)}}", 4),
        ("{{(twice := n * 2) + twice}}", 12),
        ("{{row['Review text']}}", "R"),
        ("{{row.n}}", 3),
        ("{{row.label}}", 7),
        ("{{id}}", 7),
        ("{{len(row)}}", 5),
    ],
)
def test_an_expression_sees_the_row(template: str, value: Any) -> None:
    """By a column's name, odd names as they stand, the named index, and `row` itself."""
    columns = Columns(_NAMES, ["id"], {"offset": 10, "title": "hidden"})
    assert _filled(template, columns, _VALUES) == [value]


def test_a_column_goes_before_an_index_and_a_variable() -> None:
    """The data that was handed over is meant, whatever the notebook holds."""
    columns = Columns(["id"], ["id"], {"id": "variable"})
    assert _filled("{{id}}", columns, ["column"], "label") == ["column"]


def test_the_levels_of_an_index_have_names() -> None:
    """A level without a name is skipped."""
    columns = Columns(["n"], ["city", None, "year"], {})
    assert _filled("{{city}} {{year}}", columns, [1], ("Rome", "x", 2024)) == ["Rome", 2024]


@pytest.mark.parametrize(
    ("template", "said", "step"),
    [
        ("{{titel}}", "no column 'titel'", "Did you mean title?"),
        ("{{TITLE}}", "no column 'TITLE'", "Did you mean title?"),
        ("{{row['titel']}}", "no column 'titel'", "Did you mean title?"),
        ("{{row.titel}}", "no column 'titel'", "Did you mean title?"),
        ("{{review_text}}", "no column 'review_text'", "Did you mean Review text?"),
        ("{{xyzzy}}", "no variable of that name", "The columns are: title, Review text, class, 0, n."),
        ("{{a b}}", "not a Python expression", "Mend it, or write \\{{"),
        ("{{title", "no closing }}", "Close it, or write \\{{"),
    ],
)
def test_an_unknown_name_says_which_is_near(template: str, said: str, step: str) -> None:
    """Before any row is looked at; the magic's options are not spoken of."""
    with pytest.raises(CellError) as caught:
        Columns(_NAMES, [None], {}).parts(template)
    assert said in caught.value.fact
    assert step in caught.value.next_step
    assert "--raw" not in str(caught.value)


def test_two_columns_of_one_name_are_refused() -> None:
    """Nobody could say which is meant."""
    with pytest.raises(CellError, match="Two columns are called 'a'"):
        Columns(["a", "b", "a"], [None], {})


def test_columns_that_are_written_alike_are_refused() -> None:
    """Between {{0}} and {{0}} nobody could choose."""
    with pytest.raises(CellError, match="The columns 0 and '0' are written alike"):
        Columns([0, "n", "0"], [None], {})


@pytest.mark.parametrize("names", [["_comet_column_0", "Review text"], ["Review text", "_comet_column_0"]])
def test_a_column_of_a_stand_in_s_name_keeps_its_own_cells(names: list[str]) -> None:
    """And the column that the stand-in stands for keeps its own."""
    asked = "".join(f"{{{{{name}}}}}" for name in names)
    assert _filled(asked, Columns(names, [None], {}), ["A", "B"]) == ["A", "B"]


def test_a_column_cannot_take_the_place_of_python_s_own_names() -> None:
    """It is found by its name, and what is built in stays."""
    columns = Columns(["__builtins__", "text"], [None], {})
    assert _filled("{{__builtins__}}{{len(text)}}", columns, ["x", "abc"]) == ["x", 3]


def test_nothing_else_is_touched() -> None:
    """Single braces, dollars and JSON stay; a backslash keeps a pair of braces."""
    parts = Columns(["n"], [None], {}).parts(r'{n} $n {"n": 1} \{{n}} {{n}}')
    assert [part for part in parts if isinstance(part, str)] == ['{n} $n {"n": 1} {{', "n}} ", ""]


@given(st.text(min_size=1).filter(lambda name: not set(name) & set("{}\\") and name == name.strip()))
def test_any_name_stands_between_the_braces(name: str) -> None:
    """Also names that are no Python at all."""
    columns = Columns([name], [None], {})
    assert _filled(f"{{{{{name}}}}}", columns, ["value"]) == ["value"]


def test_what_is_missing_is_none() -> None:
    """So that `or` works for every dtype."""
    import numpy as np
    import pandas as pd

    dates = [np.datetime64("NaT"), np.timedelta64("NaT")]
    absent = [None, float("nan"), np.float32("nan"), Decimal("nan"), Decimal("sNaN"), pd.NA, pd.NaT, *dates]
    assert all(map(is_missing, absent))
    present: list[Any] = [
        0,
        "",
        False,
        "nan",
        [],
        0.0,
        np.float32(0),
        Decimal(1),
        10**400,
        Fraction(10**400),
        np.datetime64("2024-01-01"),
    ]
    assert not any(map(is_missing, present))
    columns = Columns(["a"], [None], {})
    assert _filled("{{a or 'none'}}", columns, [pd.NA]) == ["none"]
