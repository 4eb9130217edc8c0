"""Prompts and answers as text, for those who want them kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from cometnb.ledger.storage.contents import LONGEST_CONTENT, answer_of, prompt_of
from cometnb.protocol.response import Response
from tests.ledger.test_frames import JSON

KEY = "sk-abcdefghijklmnop"


@pytest.mark.parametrize(
    ("params", "prompt"),
    [
        ({"input": "Why?"}, "Why?"),
        ({"instructions": "Be brief.", "input": "Why?"}, "Be brief.\n\nWhy?"),
        (
            {"input": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]},
            "Why?\n\nSo.",
        ),
        (
            {
                "input": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "input_text", "text": "What is this?"},
                            {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                            {"type": "input_file", "file_data": "AAAA"},
                        ],
                    }
                ]
            },
            "What is this?\n\n[image]\n\n[file]",
        ),
        (
            {
                "input": [
                    {"type": "function_call", "name": "sum", "call_id": "c", "arguments": '{"a": 1}'},
                    {"type": "function_call_output", "call_id": "c", "output": "3"},
                ]
            },
            'sum({"a": 1})\n\n3',
        ),
        ({}, None),
        ({"input": ""}, None),
        ({"input": [], "prompt": {"id": "p"}}, None),
    ],
)
def test_a_prompt_is_what_the_request_says(params: dict[str, Any], prompt: str | None) -> None:
    """Texts in order, a word for what is no text."""
    assert prompt_of(params) == prompt


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ([{"type": "message", "content": [{"type": "output_text", "text": "So."}]}], "So."),
        ([{"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}], "No."),
        ([{"type": "function_call", "name": "sum", "arguments": "{}"}], "sum({})"),
        ([{"type": "reasoning", "summary": [{"text": "Hm."}]}], None),
        ([], None),
    ],
)
def test_an_answer_is_what_it_says(output: list[Any], answer: str | None) -> None:
    """Its text, its refusal, or the functions it calls."""
    assert answer_of(Response({"output": output})) == answer


def test_a_key_is_masked() -> None:
    """Also one that stands where the text is cut."""
    prompt = prompt_of({"input": "x" * (LONGEST_CONTENT - 80) + " " + KEY + " x" * 50})
    assert prompt is not None
    assert KEY[:8] not in prompt


def test_a_long_text_is_cut_and_says_so() -> None:
    """A book is not kept whole."""
    prompt = prompt_of({"input": "x" * 250_000})
    assert prompt is not None
    assert len(prompt) == LONGEST_CONTENT
    assert prompt.endswith("… [cut: 250,000 characters, of which these are the first 100,000]")


@pytest.mark.parametrize("text", ["a\0b", "half \ud83d"])
def test_a_text_no_database_takes_is_made_storable(text: str) -> None:
    """One such text would hold back every row behind it."""
    prompt = prompt_of({"input": text})
    assert prompt is not None
    assert "\0" not in prompt
    assert prompt.encode()


@given(value=JSON)
def test_whatever_is_sent_has_a_prompt_or_none(value: Any) -> None:
    """Unknown shapes pass through a request, and must not end its recording."""
    prompt = prompt_of({"input": value, "instructions": value})
    assert prompt is None or 0 < len(prompt) <= LONGEST_CONTENT
