"""The doctor's calls: what it finds out from answers, streams and stored responses at degraded gateways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.client.transports import (
    SSE,
    Answer,
    Clock,
    body_of,
    json_answer,
    sse,
    text_events,
)
from tests.session.doctor_gateway import (
    IDS,
    NOT_FOUND,
    WORDS,
    Gateway,
    Paced,
    Reply,
    as_one,
    found_at,
    not_ok,
    pieces_of_stream,
    usage_of,
    with_id,
)


def test_effort_is_lowered_to_what_the_model_takes() -> None:
    """From none up, without it last; the later calls use what worked."""

    def choosy(asked: Mapping[str, Any]) -> Answer:
        if asked.get("reasoning", {}).get("effort") != "low":
            return json_answer({"error": {"message": "Unsupported value", "param": "reasoning.effort"}}, 400)
        return with_id(body_of("OK", usage=usage_of(20)))

    gateway = Gateway({"body": choosy})
    assert not_ok(found_at(gateway)) == {}
    posted = [json.loads(request.content) for request in gateway.requests if request.method == "POST"]
    assert [asked["reasoning"]["effort"] for asked in posted] == ["none", "minimal", "low", "low", "low"]


def test_a_model_that_takes_no_effort() -> None:
    """It is asked without, and the finding says so."""

    def plain(asked: Mapping[str, Any]) -> Answer:
        if "reasoning" in asked:
            return json_answer({"error": {"message": "Unknown parameter: reasoning"}}, 400)
        return with_id(body_of("OK", usage=usage_of(20)))

    found = found_at(Gateway({"body": plain}))
    assert not_ok(found) == {}
    assert "without reasoning effort" in found["call without stream"].fact


def test_a_service_that_only_streams() -> None:
    """The body is missing; the rest is found out from the stream."""
    gateway = Gateway({"body": json_answer({"error": {"message": "stream must be true"}}, 400)})
    found = found_at(gateway)
    assert found["call without stream"].state == "missing"
    assert (found["stream"].state, found["previous_response_id"].state) == ("ok", "ok")


def test_a_stream_is_buffered() -> None:
    """All deltas in one burst after a long wait."""
    clock = Clock()
    whole = Answer(200, SSE | IDS, Paced([as_one(pieces_of_stream())], clock, 3))
    found = found_at(Gateway({"stream": whole}), clock=clock)
    assert not_ok(found) == {"stream": "degraded"}
    assert "20 deltas came in one piece, 3.0 s" in found["stream"].fact


def test_a_stream_that_is_held_back_after_its_first_delta_is_buffered() -> None:
    """One delta at once and the rest at the end is no stream either."""
    clock = Clock()
    pieces = [as_one(pieces_of_stream()[:3]), as_one(pieces_of_stream()[3:])]
    found = found_at(Gateway({"stream": Answer(200, SSE | IDS, Paced(pieces, clock, 2))}), clock=clock)
    assert found["stream"].state == "degraded"


def test_a_stream_is_answered_with_one_body() -> None:
    """The text came in one piece, and there are no events to judge."""
    found = found_at(Gateway({"stream": with_id(body_of("one, two", usage=usage_of(12)))}))
    assert not_ok(found) == {"stream": "degraded", "stream's events": "skipped"}


def test_events_with_oddities() -> None:
    """What had to be settled is told, and how often."""
    events = text_events(*WORDS, id="resp_2", usage=usage_of(12))
    found = found_at(Gateway({"stream": Answer(200, SSE | IDS, [sse(event) for event in events])}))
    assert not_ok(found) == {"stream's events": "degraded"}
    assert f"an event without sequence_number ({len(events)} times)" in found["stream's events"].fact


def test_sequence_numbers_that_jump() -> None:
    """They are told as out of order."""
    pieces = pieces_of_stream()
    found = found_at(Gateway({"stream": Answer(200, SSE | IDS, [*pieces[:4], *pieces[5:]])}))
    assert "out of order" in found["stream's events"].fact


def test_a_stream_without_its_last_event() -> None:
    """The call fails, and the events say why."""
    found = found_at(Gateway({"stream": Answer(200, SSE | IDS, pieces_of_stream()[:-1])}))
    assert (found["stream"].state, found["stream's events"].state) == ("missing", "missing")
    assert found["usage in a stream"].state == "skipped"


def test_usage_is_missing_from_streams() -> None:
    """It is told apart from usage in a body."""
    pieces = text_events(*WORDS, id="resp_2", usage=None)
    numbered = [sse(event | {"sequence_number": number}) for number, event in enumerate(pieces)]
    found = found_at(Gateway({"stream": Answer(200, SSE | IDS, numbered)}))
    assert not_ok(found) == {"usage in a stream": "missing"}
    assert "NaN" in found["usage in a stream"].consequence


def test_usage_comes_without_its_details() -> None:
    """The figures that are absent are named."""
    found = found_at(Gateway({"body": with_id(body_of("OK"))}))
    assert found["usage in a body"].state == "degraded"
    assert "cached or reasoning" in found["usage in a body"].fact


def test_previous_response_id_is_refused() -> None:
    """With what the service says."""
    found = found_at(Gateway({"second": json_answer({"error": {"message": "Unsupported parameter"}}, 400)}))
    assert not_ok(found) == {"previous_response_id": "missing"}
    assert "Unsupported parameter" in found["previous_response_id"].fact


def test_previous_response_id_is_ignored() -> None:
    """No more tokens went in than the first turn had: the history was not among them."""
    found = found_at(Gateway({"second": with_id(body_of("OK", usage=usage_of(6)))}))
    assert not_ok(found) == {"previous_response_id": "degraded"}


@pytest.mark.parametrize(("echo", "state"), [("resp_1", "ok"), (None, "degraded")])
def test_previous_response_id_without_usage(echo: str | None, state: str) -> None:
    """Only the echo can tell."""
    answer = with_id(body_of("OK", usage=None, previous_response_id=echo))
    assert found_at(Gateway({"second": answer}))["previous_response_id"].state == state


def test_nothing_stored_can_be_fetched() -> None:
    """Retrieval, input items and deletion are told one by one."""
    missing = json_answer(NOT_FOUND, 404)
    found = found_at(Gateway({"GET": missing, "GET items": missing, "DELETE": missing}))
    assert not_ok(found) == {"retrieval": "missing", "input items": "missing", "deletion": "missing"}


def test_what_is_fetched_is_something_else() -> None:
    """Another id, an empty list and no word of a deletion are not ok."""
    replies: dict[str, Reply] = {
        "GET": json_answer(body_of("OK", id="resp_9")),
        "GET items": json_answer({"data": []}),
        "DELETE": json_answer({"id": "resp_1"}),
    }
    found = found_at(Gateway(replies))
    assert not_ok(found) == {"retrieval": "degraded", "input items": "degraded", "deletion": "degraded"}


def test_answers_carry_no_request_id() -> None:
    """Then there is none to quote."""
    replies: dict[str, Reply] = {
        "body": json_answer(body_of("OK", usage=usage_of(20))),
        "stream": Answer(200, SSE, pieces_of_stream()),
    }
    assert not_ok(found_at(Gateway(replies))) == {"request id": "missing"}
