"""A response reads its JSON tolerantly: what was sent is kept, and what is absent is not invented."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given

from cometnb.protocol.response import Response, Timing, whole_text
from tests.protocol.streams import JSON_OBJECTS, message


@given(raw=JSON_OBJECTS)
def test_the_json_survives_as_sent(raw: dict[str, Any]) -> None:
    """Unknown fields are kept, and reading changes nothing."""
    before = copy.deepcopy(raw)
    response = Response(raw)
    _ = (str(response), repr(response), response.usage, response.error, response.function_calls)
    assert response.raw == before


def test_an_empty_response_has_nothing() -> None:
    """Every property has an answer that means nothing was sent."""
    response = Response({})
    assert (response.id, response.model, response.refusal, response.error) == (None, None, None, None)
    assert (response.output, response.output_text, response.function_calls, response.citations) == (
        [],
        "",
        [],
        [],
    )
    assert (response.reasoning_summary, response.reasoning_text) == ([], "")
    assert (response.service_tier, response.previous_response_id, response.incomplete_reason) == (
        None,
        None,
        None,
    )
    assert response.timing == Timing(None, None)
    assert not response.usage


@pytest.mark.parametrize(
    ("raw", "given", "status"),
    [
        ({"status": "completed"}, None, "completed"),
        ({"status": "completed"}, "interrupted", "interrupted"),
        ({"status": "new_status"}, None, "new_status"),
        ({"status": 5, "output": [{}]}, None, "completed"),
        ({"output": [{}]}, None, "completed"),
        ({"error": "no"}, None, "failed"),
        ({}, None, "in_progress"),
    ],
)
def test_where_the_status_comes_from(raw: dict[str, Any], given: str | None, status: str) -> None:
    """The client's word, then the JSON's, then what the JSON holds."""
    assert Response(raw, status=given).status == status


def test_text_is_that_of_all_messages() -> None:
    """Messages and their parts are joined; other items and parts are left out."""
    output = [
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "why"}], "summary": []},
        message("A", "B"),
        {"type": "new_kind", "content": [{"type": "output_text", "text": "no"}]},
        {
            "type": "message",
            "content": [{"text": "C"}, {"type": "text", "text": "D"}, 5, {"type": "output_text"}],
        },
        {"type": "message", "content": "E"},
        "junk",
    ]
    response = Response({"output": output})
    assert response.output_text == str(response) == "ABCDE"
    assert response.reasoning_text == "why"
    assert len(response.output) == 5


def test_a_refusal_is_no_text() -> None:
    """The words of a refusal are kept apart from the answer's."""
    content = [{"type": "refusal", "refusal": "I can't"}, {"type": "output_text", "text": "A"}]
    response = Response({"output": [{"type": "message", "content": content}]})
    assert (response.refusal, response.output_text) == ("I can't", "A")


def test_arguments_are_json_text_even_if_sent_as_an_object() -> None:
    """Some servers send the object; what is neither is empty."""
    output = [
        {"type": "function_call", "name": "f", "call_id": "c", "arguments": arguments}
        for arguments in ('{"a": 1', {"a": "é"}, None)
    ]
    calls = Response({"output": output}).function_calls
    assert [call.arguments for call in calls] == ['{"a": 1', '{"a": "é"}', ""]
    assert (calls[0].name, calls[0].call_id) == ("f", "c")


def test_citations_name_their_source() -> None:
    """A link, a file and an unknown kind are all citations, with what they have."""
    annotations = [
        {"type": "url_citation", "url": "u", "title": "t"},
        {"type": "file_citation", "file_id": "file-1", "filename": "a.pdf"},
        {"type": "new_kind", "x": 1},
        5,
    ]
    content = [{"type": "output_text", "text": "", "annotations": annotations}]
    found = Response({"output": [{"type": "message", "content": content}]}).citations
    assert [(each.kind, each.title, each.url, each.file_id) for each in found] == [
        ("url_citation", "t", "u", None),
        ("file_citation", "a.pdf", None, "file-1"),
        ("new_kind", None, None, None),
    ]
    assert found[2].raw == {"type": "new_kind", "x": 1}


@pytest.mark.parametrize(
    ("sent", "given", "error"),
    [
        ({"message": "no", "code": "c"}, None, {"message": "no", "code": "c"}),
        ("no", None, {"message": "no"}),
        (None, {"message": "event"}, {"message": "event"}),
        (None, None, None),
    ],
)
def test_the_error_is_the_response_s_or_the_event_s(sent: Any, given: Any, error: Any) -> None:
    """What the JSON says comes first."""
    assert Response({"error": sent}, error=given).error == error


def test_why_an_answer_is_incomplete() -> None:
    """The reason is passed on as sent; details of another shape are none."""
    assert Response({"incomplete_details": {"reason": "new"}}).incomplete_reason == "new"
    assert Response({"incomplete_details": "x"}).incomplete_reason is None


@pytest.mark.parametrize(
    ("text", "whole"),
    [("a", "a"), ("\ud83d\ude00", "😀"), ("a\ud83d", "a\ufffd"), ("\ude00b", "\ufffdb"), ("", "")],
)
def test_halves_of_a_character_are_joined_or_replaced(text: str, whole: str) -> None:
    """Text that two deltas cut in the middle of an escape can be encoded."""
    assert whole_text(text) == whole


def test_every_text_of_a_response_can_be_encoded() -> None:
    """A half of a character in a name or id is replaced, as nothing could store or print it."""
    call = {"type": "function_call", "name": "\ud83d", "call_id": "\ud83d", "arguments": "\ud83d"}
    response = Response({"id": "\ud83d", "model": "\ud83d", "output": [call]})
    found = response.function_calls[0]
    assert {response.id, response.model, found.name, found.call_id, found.arguments} == {"\ufffd"}


def test_the_repr_is_short() -> None:
    """It names the response, its status and the start of its text."""
    raw = {"id": "resp_1", "status": "completed", "output": [message("x" * 100)]}
    assert repr(Response(raw)) == f"<Response resp_1 completed: '{'x' * 57}...'>"


def test_the_repr_holds_no_key() -> None:
    """Nor half of one: a notebook keeps what its last line shows."""
    for n_before in (0, 40, 50):
        text = "x" * n_before + " sk-Canary2x7Qm4Vt9Zp1Rw6Kb3"
        raw = {"id": "sk-Canary2x7", "output": [{"type": "message", "content": text}]}
        assert "Canary" not in repr(Response(raw))


def test_a_response_can_be_pickled() -> None:
    """It can travel to another process with all that is known of it."""
    response = Response({"id": "a"}, status="truncated", timing=Timing(0.1, 0.2), error={"message": "m"})
    again = pickle.loads(pickle.dumps(response))  # noqa: S301
    assert (again.raw, again.status, again.timing, again.error) == (
        response.raw,
        "truncated",
        Timing(0.1, 0.2),
        {"message": "m"},
    )
