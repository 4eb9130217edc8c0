"""An answer is described as what a reader sees, in order."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.protocol.response import Response
from cometnb.view.parts import describe


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
