"""A sweep's axes as they are typed on a cell's line."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.errors import CellError
from cometnb.session.cell_line import help_text, parsed
from cometnb.session.sweep_line import assignments, typed_axes


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("model=a,b", ["a", "b"]),
        ("effort=low", ["low"]),
        ("temperature=0,0.5,null", [0, 0.5, None]),
        ("store=true,false", [True, False]),
        ("max-output-tokens=16,32", [16, 32]),
        ("tools=none,web_search_preview", [[], ["web_search_preview"]]),
        ('include=[["a"], []]', [["a"], []]),
        ("user=1,2", ["1", "2"]),
        ("topic=rain,2", ["rain", 2]),
        ("temperature=temps", (0, 1)),
        ("prompt=named", {"x": "One"}),
        ("temperature=unknown", ["unknown"]),
    ],
)
def test_values_are_read_by_the_parameters_kind(typed: str, values: Any) -> None:
    """Texts stay texts, numbers are numbers, and a variable that holds a list is one."""
    axes, settings = typed_axes([typed], {"temps": (0, 1), "named": {"x": "One"}})
    assert list(axes.values()) == [values]
    assert settings == {}


def test_what_is_no_axis_is_a_setting() -> None:
    """How many at once, how many at most, where answers are kept, and for how much."""
    _, settings = typed_axes(["max_concurrency=8", "max-runs=200", "checkpoint=x.db", "budget=0.5"], {})
    assert settings == {"max_concurrency": 8, "max_runs": 200, "checkpoint": "x.db", "budget": 0.5}


@pytest.mark.parametrize(
    "typed",
    [
        ["model"],
        ["=a"],
        ["model="],
        ["model=a,,b"],
        ["model=a", "model=b"],
        ["max_runs=x"],
        ["budget=x"],
        ["include=[1"],
    ],
)
def test_what_cannot_be_read_is_refused(typed: list[str]) -> None:
    """In two lines."""
    with pytest.raises(CellError) as caught:
        typed_axes(typed, {})
    assert caught.value.next_step


def test_words_belong_to_a_sweep_as_long_as_they_assign() -> None:
    """Also behind a comma and a space."""
    assert assignments(["model=a,", "b", "effort=low", "--tag", "x=1"]) == (["model=a,b", "effort=low"], 3)
    with pytest.raises(CellError, match="--sweep has no axis"):
        assignments(["--tag", "x"])


def test_a_line_holds_a_sweep() -> None:
    """Between other options, once or more, with its repeats."""
    found = parsed("-n 20 --sweep model=a,b effort=low --tag t --repeat 3 --sweep=top_p=0.5,1", {})
    assert found.sweep == ["model=a,b", "effort=low", "top_p=0.5,1"]
    assert (found.repeat, found.tag, found.params) == (3, "t", {"max_output_tokens": 20})


@pytest.mark.parametrize("line", ["--sweep", "--sweep --tag x", "--repeat 0", "--repeat x", "--repeat"])
def test_a_line_with_half_a_sweep_is_refused(line: str) -> None:
    """With how to write it."""
    with pytest.raises(CellError) as caught:
        parsed(line, {})
    assert "--sweep" in str(caught.value) or "--repeat" in str(caught.value)


def test_the_help_names_both_options() -> None:
    """With an example."""
    assert "--sweep NAME=A,B …" in help_text()
    assert "--repeat N" in help_text()
    assert "%%respond --sweep model=" in help_text()
