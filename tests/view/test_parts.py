"""An answer is described as what a reader sees, in order."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.protocol.response import Response
from cometnb.session.permit import REFUSED
from cometnb.session.tools import ToolResult
from cometnb.view.parts import describe, outcome


def _message(text: str, **part: Any) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": "output_text", "text": text, **part}]}


def _kinds(output: list[Any], **raw: Any) -> list[tuple[str, str]]:
    response = Response({"status": "completed", "output": output, **raw})
    return [(part.kind, part.text) for part in describe(response)]


def test_items_in_their_order() -> None:
    """Reasoning, a call, the text."""
    output = [
        {"type": "reasoning", "summary": [{"text": "One."}, {"text": "Two."}]},
        {"type": "function_call", "name": "f", "arguments": '{"x":1}'},
        _message("Done."),
    ]
    assert _kinds(output) == [("reasoning", "One.\n\nTwo."), ("call", '{"x":1}'), ("text", "Done.")]


def test_a_result_stands_behind_its_call() -> None:
    """Also where calls were made side by side; one whose call is not there, and a second one, are not lost."""
    output = [
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "1"},
        {"type": "function_call", "call_id": "b", "name": "f", "arguments": "2"},
        {"type": "function_call_output", "call_id": "a", "output": "one"},
        {"type": "function_call_output", "call_id": "b", "output": "two"},
        {"type": "function_call_output", "call_id": "a", "output": "one again"},
        {"type": "function_call_output", "call_id": "c", "output": "whose?"},
    ]
    assert [text for _, text in _kinds(output)] == ["1", "one", "one again", "2", "two", "whose?"]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"type": "search", "query": "red kites", "queries": ["red kites"]}, "red kites"),
        ({"type": "open_page", "url": "https://a.b"}, "https://a.b"),
        ({"type": "find", "pattern": "wing", "url": "https://a.b"}, "wing, https://a.b"),
        ({"type": "click", "x": 1}, '{"type": "click", "x": 1}'),
    ],
)
def test_a_web_search_shows_what_it_looked_for(action: dict[str, Any], words: str) -> None:
    """In words; an action of another kind is shown whole."""
    assert _kinds([{"type": "web_search_call", "action": action}]) == [("call", words)]


def test_a_source_is_listed_once() -> None:
    """However often the text points to it."""
    annotation = {"type": "url_citation", "url": "https://a.b", "title": "A"}
    assert _kinds([_message("x", annotations=[annotation, annotation])])[1:] == [("source", "A")]


def test_unknown_items_are_counted() -> None:
    """What cometnb does not know is not hidden."""
    assert _kinds([{"type": "dream"}, {"type": "dream"}, {"type": "song"}]) == [
        ("notice", "2 items of type dream."),
        ("notice", "1 item of type song."),
    ]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (
            {
                "status": "incomplete",
                "incomplete_details": {"reason": "max_output_tokens"},
                "max_output_tokens": 9,
            },
            "all of max_output_tokens=9 went to reasoning",
        ),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({"status": "incomplete"}, "no reason given"),
        ({"status": "failed", "error": {"message": "Out of luck."}}, "Out of luck."),
        ({"status": "cancelled"}, "Cancelled"),
        ({"status": "queued"}, "background"),
        ({"status": "steered"}, "steered"),
    ],
)
def test_an_unusual_end_is_said(raw: dict[str, Any], words: str) -> None:
    """In words, as the last part."""
    assert words in describe(Response({"output": [], **raw}))[-1].text


def test_a_limit_that_left_text_is_told_apart() -> None:
    """With text there, the advice is to raise the limit, not to reason less."""
    kinds = _kinds(
        [_message("Some")], status="incomplete", incomplete_details={"reason": "max_output_tokens"}
    )
    assert "was reached" in kinds[-1][1]


@pytest.mark.parametrize(
    ("output", "known", "told"),
    [
        ("42", {}, ("result", "42")),
        ("42", {"duration_s": 1.2345}, ("result, 1,234 ms", "42")),
        ("Error: no", {"duration_s": 0.0, "is_error": True}, ("error, 0 ms", "Error: no")),
        (REFUSED, {"duration_s": 0.0, "is_error": True}, ("refused", "")),
        ([{"type": "input_text", "text": "a"}, {"type": "input_file"}, 5], {}, ("result", "a [input_file]")),
        (None, {}, ("result", "")),
    ],
)
def test_what_came_of_a_call_is_told(output: Any, known: dict[str, Any], told: tuple[str, str]) -> None:
    """Its time where it is known; a refusal in one word."""
    assert outcome(output, **known) == told


def test_times_of_functions_can_be_left_out() -> None:
    """Where outputs are compared between runs, nothing that differs is shown."""
    call = {"type": "function_call", "name": "f", "call_id": "a", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "a", "output": "3"}
    response = Response({"output": [call, output]})
    response.tool_results = (ToolResult("f", "a", "{}", "3", duration_s=0.0123),)
    titles = [[part.title for part in describe(response, with_times=shown)][1] for shown in (True, False)]
    assert titles == ["result, 12 ms", "result"]


def test_a_key_is_masked_before_anything_is_shortened() -> None:
    """Half a key would not be known for one."""
    key = "sk-canary-0123456789abcdef"
    output = [{"type": "function_call", "name": "look", "arguments": f'{{"a": "{"x" * 280} {key}"}}'}]
    (part,) = describe(Response({"status": "completed", "output": output}))
    assert "canary" not in part.text
