"""What objects become in a prompt: Python's own kinds, users' types, and the order in which they are asked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import CellError
from cometnb.protocol.items import image_part
from cometnb.protocol.response import Response
from cometnb.session import content
from cometnb.session.content import pieces_of, register_content
from tests.client.transports import body_of
from tests.needs import ROOT


@dataclasses.dataclass
class _Point:
    x: int
    y: float = 0.5


class _Model(pydantic.BaseModel):
    name: str
    tags: set[str] = set()


class _Colour(str, enum.Enum):  # noqa: UP042  # whose str() is not its text
    RED = "red"


class _Pair(NamedTuple):
    left: int
    right: set[int]


class _Described:
    def _repr_llm_(self) -> str:
        return "for a model"

    def _repr_markdown_(self) -> str:
        return "for a page"


@pytest.fixture(autouse=True)
def _no_types_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test registers another does not see."""
    monkeypatch.setattr(content, "_OWN", {})


def _text(value: Any) -> str:
    return "".join(piece.text for piece in pieces_of(value, "{{value}}"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        ("", ""),
        (_Colour.RED, "red"),
        (7, "7"),
        (1.5, "1.5"),
        (True, "True"),
        (None, "None"),
        (1 + 2j, "(1+2j)"),
        (10**30, "1" + "0" * 30),
        (decimal.Decimal("0.10"), "0.10"),
        (dt.date(2026, 3, 1), "2026-03-01"),
        (np.float64(0.1), "0.1"),
        (np.int64(7), "7"),
        (np.bool_(1), "True"),
        (np.array(7), "7"),
        (np.datetime64("2026-03-01"), "2026-03-01"),
        (pd.Timestamp("2026-03-01"), "2026-03-01 00:00:00"),
        (pd.NaT, "NaT"),
        (pd.NA, "<NA>"),
        (Response(body_of("Hello.")), "Hello."),
        (_Described(), "for a model"),
    ],
)
def test_plain_values_read_as_python_writes_them(value: Any, text: str) -> None:
    """Texts, numbers, dates, missing values, answers, and objects that say how they read."""
    assert _text(value) == text


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"ä": 1}, {"ä": 1}),
        ((1, "a", None), [1, "a", None]),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", 1}), ["b", 1]),
        (_Point(1), {"x": 1, "y": 0.5}),
        (
            [_Point(1), _Model(name="n", tags={"b", "a"})],
            [{"x": 1, "y": 0.5}, {"name": "n", "tags": ["a", "b"]}],
        ),
        (_Pair(1, {2}), {"left": 1, "right": [2]}),
        (
            {"when": dt.date(2026, 3, 1), "n": np.int64(3), "v": np.array([1, 2])},
            {"when": "2026-03-01", "n": 3, "v": [1, 2]},
        ),
    ],
)
def test_collections_are_json(value: Any, read: Any) -> None:
    """Also sets, dataclasses, pydantic models, and what they hold."""
    assert json.loads(_text(value)) == read


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.lists(_PLAIN) | st.dictionaries(st.text(), _PLAIN))
def test_lists_and_dicts_read_back_as_they_were(value: Any) -> None:
    """Their text is JSON for the value itself."""
    assert json.loads(_text(value)) == value


def test_a_page_is_asked_after_a_model() -> None:
    """_repr_markdown_ serves where there is no _repr_llm_; IPython allows a tuple there."""
    assert _text(type("Page", (), {"_repr_markdown_": lambda self: "**bold**"})()) == "**bold**"
    assert _text(type("Page", (), {"_repr_markdown_": lambda self: ("**bold**", {})})()) == "**bold**"


def test_functions_and_classes_read_as_their_source() -> None:
    """Without the indentation of where they stand."""

    def inner(x: int) -> int:
        return x + 1

    assert _text(inner) == "def inner(x: int) -> int:\n    return x + 1"
    assert _text(_Point).startswith("@dataclasses.dataclass\nclass _Point:")


@pytest.mark.parametrize("value", [object(), len, type("Made", (), {}), b"bytes", iter(()), {(1, 2): 3}])
def test_what_has_no_rendering_is_a_two_line_error(value: Any) -> None:
    """It names the object and its type, and says how to register the type."""
    with pytest.raises(CellError) as caught:
        pieces_of(value, "{{thing}}")
    fact, step = str(caught.value).splitlines()
    assert fact.startswith(f"{{{{thing}}}} is a {type(value).__module__}.{type(value).__qualname__}")
    assert "{{str(thing)}}" in step
    assert "register_content" in step


def test_a_builder_returns_text_parts_and_objects_in_order() -> None:
    """A list may mix texts, the API's content parts, and whatever else has a rendering."""
    picture = image_part("https://example.org/a.png")
    register_content(_Described, lambda value: ["one", picture, pd.Series([1], name="s"), {"plain": 1}])
    kinds = [(piece.kind, piece.part) for piece in pieces_of(_Described(), "{{d}}")]
    assert [kind for kind, _ in kinds] == ["text", "image", "text", "text"]
    assert kinds[0][1]["text"] == "one"
    assert kinds[1][1] == picture
    assert "Series s" in kinds[2][1]["text"]
    assert json.loads(kinds[3][1]["text"]) == {"plain": 1}


def test_a_users_type_goes_before_everything_built_in() -> None:
    """Also for what cometnb knows itself."""
    register_content(pd.DataFrame, lambda frame: f"{len(frame)} rows")
    assert _text(pd.DataFrame({"a": [1, 2]})) == "2 rows"


def test_a_subclass_is_rendered_as_its_nearest_registered_base() -> None:
    """The order is that of inheritance."""
    base = type("Base", (), {})
    middle = type("Middle", (base,), {})
    leaf = type("Leaf", (middle,), {})
    register_content(base, lambda value: "base")
    assert _text(leaf()) == "base"
    register_content(middle, lambda value: "middle")
    assert _text(leaf()) == "middle"


@pytest.mark.parametrize("name", [f"{__name__}._Described", "fractions.Fraction", "pandas.DataFrame"])
def test_a_type_may_be_named_before_it_is_loaded(name: str) -> None:
    """By where it was defined or where its package shows it."""
    register_content(name, lambda value: "by name")
    import fractions

    values = {"_Described": _Described(), "Fraction": fractions.Fraction(1, 2), "DataFrame": pd.DataFrame()}
    assert _text(values[name.rpartition(".")[2]]) == "by name"


def test_it_works_as_a_decorator_and_returns_the_builder() -> None:
    """Both ways of writing it leave the function as it was."""

    @register_content(_Point)
    def shown(point: _Point) -> str:
        return f"({point.x})"

    assert shown(_Point(3)) == "(3)"
    assert _text(_Point(4)) == "(4)"
    assert register_content(_Point, shown) is shown


@pytest.mark.parametrize("given_type", ["Point", "", ".", "a.b c", 3, None])
def test_what_is_no_type_cannot_be_registered(given_type: Any) -> None:
    """A bare name could be anybody's."""
    with pytest.raises(CellError, match="neither a type nor"):
        register_content(given_type, str)


def test_a_builder_has_to_be_callable() -> None:
    """A text is no function."""
    with pytest.raises(CellError, match="cannot be called"):
        register_content(_Point, "text")  # type: ignore[call-overload]


def _fails(value: object) -> str:
    raise ValueError("no such\nthing")


@pytest.mark.parametrize(
    ("builder", "words"),
    [
        (lambda value: None, "returned None"),
        (_fails, "raised ValueError: no such thing"),
        (lambda value: value, "8 deep"),
        (lambda value: {"type": "input_picture"}, "content part of type 'input_picture'"),
        (lambda value: {"type": "input_text"}, "content part of type 'input_text'"),
        (lambda value: object(), "which has no text"),
        (
            lambda value: {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 27_000_000},
            "at most 20 MB",
        ),
    ],
)
def test_a_builder_that_gives_nothing_of_use_is_an_error(builder: Any, words: str) -> None:
    """Two lines that name the expression."""
    register_content(_Point, builder)
    with pytest.raises(CellError) as caught:
        pieces_of(_Point(1), "{{p}}")
    assert words in caught.value.fact
    assert "{{p}}" in caught.value.fact


def test_a_part_of_data_knows_its_size_and_type() -> None:
    """So --dry-run can list it."""
    part = image_part(b"\xff\xd8\xff" + b"0" * 97)
    register_content(_Point, lambda value: part)
    (piece,) = pieces_of(_Point(1), "{{p}}")
    assert (piece.media_type, piece.kind) == ("image/jpeg", "image")
    assert abs(piece.size_bytes - 100) < 3


def _modules() -> Iterator[str]:
    for path in (ROOT / "cometnb" / "session").glob("*.py"):
        if path.stem in _THESE:
            yield f"cometnb.session.{path.stem}"


_THESE = {
    "attachments",
    "content",
    "pictures",
    "piece",
    "plain",
    "prompt",
    "sources",
    "tabular",
    "template",
    "tracebacks",
}


def test_importing_it_loads_the_standard_library_only() -> None:
    """pandas, numpy, matplotlib and PIL are asked only about objects of their own."""
    code = f"import sys, {', '.join(sorted(_modules()))}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert (
        loaded & {"pandas", "numpy", "matplotlib", "PIL", "pydantic", "polars", "httpx", "IPython"} == set()
    )
    assert "cometnb" in loaded
