"""Functions as tools: what the model is told of them, how they are called, and what goes back."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from typing import Any, Literal

import matplotlib.figure
import numpy as np
import pandas as pd
import pydantic
import pytest

from cometnb.errors import ConfigError, ParamError, ToolError
from cometnb.protocol.response import FunctionCall
from cometnb.session.tool_results import LARGEST_OUTPUT
from cometnb.session.tools import BUILT_IN, Tool, Toolbox, ToolResult, tool


def _called(one: Any, arguments: Any = "{}", name: str | None = None) -> ToolResult:
    box = Toolbox([one])
    sent = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return asyncio.run(box.call(FunctionCall(name or box.params()[0]["name"], "call_1", sent)))


def test_a_function_is_offered_with_its_docstring_and_hints() -> None:
    """Strict, with every parameter required; what has a default may be null."""

    @tool
    def population(city: str, year: int = 2025) -> int:
        """People living in a city.

        Parameters
        ----------
        city : str
            Its name, in English.
        """
        return len(city) + year

    assert population.param() == {
        "type": "function",
        "name": "population",
        "description": "People living in a city.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Its name, in English."},
                "year": {"type": ["integer", "null"], "description": "(default: 2025)"},
            },
            "required": ["city", "year"],
            "additionalProperties": False,
        },
    }
    assert population("Rome", year=1) == 5
    assert _called(population, {"city": "Rome", "year": None}).output == "2029"
    assert _called(population, {"city": "Rome", "year": 1}).output == "5"


class _Place(pydantic.BaseModel):
    city: str


@dataclasses.dataclass
class _Span:
    start: int
    end: int = 9


def test_arguments_arrive_in_the_types_of_the_hints() -> None:
    """Pydantic and dataclass objects, literals, lists, and names that pydantic keeps for itself."""
    seen: list[Any] = []

    def look(
        place: _Place, span: _Span, mood: Literal["a", "b"], copy: list[int], /, *, schema: float
    ) -> str:
        seen.append((place, span, mood, copy, schema))
        return "done"

    sent = {
        "place": {"city": "Rome"},
        "span": {"start": 1, "end": None},
        "mood": "b",
        "copy": [1],
        "schema": 2,
    }
    assert _called(look, sent).output == "done"
    assert seen == [(_Place(city="Rome"), _Span(1), "b", [1], 2.0)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('{"n": "x"}', "n: Input should be a valid integer"),
        ('{"m": 1}', "n: Field required; m: Extra inputs"),
        ("{", "no JSON"),
        ("[]", "arguments: Input should be"),
    ],
)
def test_arguments_that_do_not_fit_go_back_as_an_error(arguments: str, words: str) -> None:
    """The function is not called, and the model is told what is wrong."""

    def never(n: int) -> None:
        raise AssertionError(n)

    result = _called(never, arguments)
    assert result.is_error
    assert words in str(result.output)


def test_an_exception_goes_back_to_the_model() -> None:
    """Its kind and words; a key in it is masked, and the person can have it raised."""

    def fails() -> None:
        raise ValueError("no such city, sk-canary-0123456789")

    result = _called(fails)
    assert result.output == "Error: ValueError: no such city, sk-***"
    with pytest.raises(ToolError, match="fails failed") as raised:
        result.check()
    assert isinstance(raised.value.__cause__, ValueError)
    ToolResult("f", "c", "{}", "fine").check()


def test_a_tool_nobody_offered_is_an_error_that_names_those_there_are() -> None:
    """The model may have made it up."""

    def real() -> None: ...

    result = _called(real, name="unreal")
    assert result.is_error
    assert "'unreal'; there are real" in str(result.output)


def test_async_functions_and_awaitables_are_awaited() -> None:
    """Also what a sync function returns to be awaited."""

    async def slow(n: int) -> int:
        await asyncio.sleep(0)
        return n * 2

    def later(n: int) -> Any:
        return slow(n)

    assert _called(slow, {"n": 2}).output == "4"
    assert _called(later, {"n": 3}).output == "6"


def test_calls_run_side_by_side_and_answer_in_order() -> None:
    """Each sync function waits for the other to have begun."""
    barrier = threading.Barrier(2, timeout=20)

    def meet(name: str) -> str:
        barrier.wait()
        return name

    box = Toolbox([meet])
    calls = [FunctionCall("meet", f"c{n}", f'{{"name": "{n}"}}') for n in range(2)]
    results = asyncio.run(box.call_all(calls))
    assert [(one.call_id, one.output) for one in results] == [("c0", "0"), ("c1", "1")]


_FRAME = pd.DataFrame({"n": [1, 2], "when": [pd.Timestamp("2026-01-01"), pd.NaT]}, index=["x", "y"])


@pytest.mark.parametrize(
    ("value", "output"),
    [
        (None, "null"),
        ("text", "text"),
        (3.5, "3.5"),
        ({"a": [1, True]}, '{"a": [1, true]}'),
        (
            _FRAME.reset_index(drop=True),
            '[{"n": 1, "when": "2026-01-01T00:00:00.000"}, {"n": 2, "when": null}]',
        ),
        (pd.Series([1, 2], name="s"), '[{"s": 1}, {"s": 2}]'),
        (np.float64(2.5), "2.5"),
    ],
)
def test_results_of_any_type_become_text_or_json(value: Any, output: str) -> None:
    """Tables as records, plain data as JSON."""
    result = _called(Tool(lambda: value, name="f"))
    assert not result.is_error
    assert result.output == output
    assert result.value is value
    assert result.item == {"type": "function_call_output", "call_id": "call_1", "output": output}


def test_an_index_that_says_something_is_kept() -> None:
    """Its labels are a column of the records."""
    assert json.loads(str(_called(Tool(lambda: _FRAME, name="f")).output))[0]["index"] == "x"


def test_a_long_table_and_a_long_text_are_cut_and_say_so() -> None:
    """The model learns that there is more."""
    rows = _called(Tool(lambda: pd.DataFrame({"n": range(5_000)}), name="f"))
    assert json.loads(str(rows.output))["rows_left_out"] == 4_000
    text = _called(Tool(lambda: "x" * (LARGEST_OUTPUT + 5), name="f"))
    assert str(text.output).endswith("[5 more characters were cut]")


def test_a_figure_goes_back_as_an_image() -> None:
    """As a content part of the output."""
    figure = matplotlib.figure.Figure()
    figure.subplots().plot([1, 2])
    output = _called(Tool(lambda: figure, name="f")).output
    assert isinstance(output, list)
    assert [part["type"] for part in output] == ["input_image"]


def test_an_object_without_a_rendering_is_an_error_for_the_model() -> None:
    """And not one of the loop."""
    lock = threading.Lock()
    result = _called(Tool(lambda: lock, name="f"))
    assert result.is_error
    assert "the result of f" in str(result.output)


def test_names_and_dicts_pass_as_they_are() -> None:
    """The service's own tools by name, MCP servers and unknown kinds as dicts."""
    mcp = {"type": "mcp", "server_label": "x", "server_url": "https://example.org"}
    box = Toolbox(["web_search_preview", mcp, {"type": "new_kind", "a": 1}])
    assert box.params() == [BUILT_IN["web_search_preview"], mcp, {"type": "new_kind", "a": 1}]
    assert not box.runs_functions
    assert len(box) == 3


def _untyped(x):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # it is what is tested
    return x


def _many(*names: str) -> None: ...


def _free(options: dict[str, int]) -> None: ...


@pytest.mark.parametrize(
    ("function", "words", "step"),
    [
        (_untyped, "'x' of _untyped has no type", "Write x: str"),
        (_many, "takes \\*names", "Name every parameter"),
        (_free, "_free: .*not named", "strict=False"),
    ],
)
def test_a_function_the_model_cannot_be_told_is_refused(function: Any, words: str, step: str) -> None:
    """Before anything is sent, with what to write instead."""
    with pytest.raises(ParamError, match=words) as raised:
        tool(function)
    assert step in raised.value.next_step


def test_without_strict_mode_a_free_form_is_offered() -> None:
    """The schema is then as pydantic gives it."""
    loose = tool(strict=False)(_free)
    assert loose.param()["strict"] is False
    assert loose.parameters["properties"]["options"]["additionalProperties"] == {"type": "integer"}
    assert _called(loose, {"options": {"a": 1}}).output == "null"


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        (["nonsense"], "'nonsense' is no tool"),
        (["file_search"], "'file_search' is no tool"),
        ([3], "A int is no tool"),
    ],
)
def test_what_is_no_tool_is_named(tools: list[Any], words: str) -> None:
    """Line 2 says what there is."""
    with pytest.raises(ConfigError, match=words):
        Toolbox(tools)


def test_a_name_the_api_does_not_take_is_refused() -> None:
    """A lambda has none of its own."""
    with pytest.raises(ConfigError, match="'<lambda>' cannot be a tool's name"):
        Toolbox([lambda: 1])


def test_two_tools_of_one_name_are_refused() -> None:
    """A call could mean either."""

    def twice(n: int) -> int:
        return n

    with pytest.raises(ConfigError, match="Two tools are called 'twice'"):
        Toolbox([twice, Tool(twice)])


def test_rewrites_of_strict_mode_are_reported() -> None:
    """With the tool's name and the parameter."""

    def search(text: str, limit: int = 5) -> str:
        return text * limit

    assert "search $.limit: may be absent, so it may be null" in Toolbox([search]).changes
