"""What of an exception goes into a prompt, and what does not."""

from __future__ import annotations

import json
import linecache

import pytest

from cometnb.errors import CellError
from cometnb.session.sources import source_of
from cometnb.session.tracebacks import exception_text

_CELL = "<a cell>"


@pytest.fixture
def _as_cell(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> dict[str, object]:
    """Run a source as IPython runs a cell: its lines are kept under a made-up name without a date."""
    source: str = request.param
    monkeypatch.setitem(linecache.cache, _CELL, (len(source), None, source.splitlines(keepends=True), _CELL))
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(compile(source, _CELL, "exec"), namespace)  # noqa: S102  # this is what a notebook does
    return namespace


def _caught(code: str, **names: object) -> BaseException:
    try:
        exec(code, names)  # noqa: S102  # an exception with a traceback is the subject
    except BaseException as error:  # noqa: BLE001  # whichever came
        return error
    raise AssertionError


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_it_says_the_users_own_lines_the_type_and_the_message() -> None:
    """The line that raised stands last, without the folder it lies in."""
    text = exception_text(_caught("mean([])", mean=_mean))
    lines = text.splitlines()
    assert lines[0] == "Traceback, your own lines only:"
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert lines[-2] == "    return sum(values) / len(values)"
    assert lines[-3].startswith('  File "test_tracebacks.py", line ')
    assert lines[-3].endswith(", in _mean")


def test_lines_of_libraries_are_left_out() -> None:
    """They are no news to anybody."""
    text = exception_text(_caught("json.loads('{')", json=json))
    assert "decoder.py" not in text
    assert "json.decoder.JSONDecodeError: Expecting property name" in text


@pytest.mark.parametrize("_as_cell", ["\ndef half(x):\n    return x / 0\n"], indirect=True)
def test_a_cells_line_is_named_as_such(_as_cell: dict[str, object]) -> None:
    """Its made-up file name, which differs every time, is not sent."""
    text = exception_text(_caught("half(1)", half=_as_cell["half"]))
    assert "  Cell, line 3, in half\n    return x / 0" in text
    assert _CELL not in text


def test_causes_come_first() -> None:
    """As Python prints them, with what joins them."""
    code = "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('no a') from error"
    text = exception_text(_caught(code))
    assert text.index("KeyError: 'a'") < text.index("direct cause") < text.index("ValueError: no a")
    context = exception_text(_caught(code.replace(" from error", "")))
    assert context.index("KeyError") < context.index("While this was handled") < context.index("ValueError")
    assert "KeyError" not in exception_text(_caught(code.replace("from error", "from None")))


def test_a_chain_that_ends_nowhere_is_cut() -> None:
    """An exception may be its own cause's cause."""
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert exception_text(first).count("ValueError: first") == 1


def test_members_of_a_group_are_named() -> None:
    """And notes on an exception."""
    error = ExceptionGroup("two", [ValueError("a"), KeyError("b")])
    error.add_note("while counting")
    text = exception_text(error)
    assert "ExceptionGroup: two (2 sub-exceptions)\nwhile counting" in text
    assert "with ValueError: a" in text
    assert "with KeyError: 'b'" in text


def test_a_key_is_masked() -> None:
    """Wherever in the message it stands."""
    text = exception_text(ValueError("bad key sk-abcdefghijklmnop"))
    assert text == "ValueError: bad key sk-***"


def test_an_error_of_cometnb_keeps_its_next_step() -> None:
    """Both lines are of use."""
    assert exception_text(CellError("A fact.", "A step.")).splitlines()[-2:] == [
        "cometnb.errors.CellError: A fact.",
        "A step.",
    ]


@pytest.mark.parametrize(
    "_as_cell",
    ["import dataclasses\n\n@dataclasses.dataclass\nclass Point:\n    x: int\n\npoint = Point(1)\n"],
    indirect=True,
)
def test_a_class_of_a_cell_has_its_source(_as_cell: dict[str, object]) -> None:
    """With its decorators, and nothing around it."""
    point = _as_cell["Point"]
    assert isinstance(point, type)
    assert source_of(point) == "@dataclasses.dataclass\nclass Point:\n    x: int"


def test_what_has_no_source_has_an_empty_one() -> None:
    """A built-in function, and a class that no cell defines."""
    assert source_of(len) == ""
    assert source_of(type("Nowhere", (), {"__module__": "__main__"})) == ""
