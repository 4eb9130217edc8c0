"""The sequence of events, and that it says the same as a whole body."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from cometnb.client.simulator import Simulator
from tests.client.simulator.talk import EMPTY, asked, call, deltas, events, posted, raw, text_of

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_LOGPROBS = "message.output_text.logprobs"
_PARAMS = st.fixed_dictionaries(
    {"input": st.text(min_size=1, max_size=200).filter(str.strip)},
    optional={
        "model": st.sampled_from(["gpt-5.4", "gpt-4.1-mini", "o3"]),
        "reasoning": st.fixed_dictionaries(
            {},
            optional={
                "effort": st.sampled_from(["none", "minimal", "low", "high"]),
                "summary": st.sampled_from(["auto", "concise"]),
            },
        ),
        "max_output_tokens": st.integers(1, 900),
        "text": st.fixed_dictionaries({"verbosity": st.sampled_from(["low", "medium", "high"])}),
        "instructions": st.text(max_size=40),
        "include": st.sampled_from([[_LOGPROBS], ["reasoning.encrypted_content"]]),
    },
)


def _timeless(response: dict[str, Any]) -> dict[str, Any]:
    """Leave out what two runs of one request may differ in: times, and the ids of the second one."""
    plain = {
        name: value for name, value in response.items() if name not in ("id", "created_at", "completed_at")
    }
    plain["output"] = [{**item, "id": ""} for item in response["output"]]
    return plain


def test_the_documented_sequence_with_reasoning() -> None:
    """Every kind of event comes in its place; deltas are the only ones that repeat."""
    stream = events(Simulator(), reasoning={"summary": "concise"})
    assert [kind for kind, _ in groupby(event["type"].removeprefix("response.") for event in stream)] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


@given(_PARAMS, st.integers(0, 99))
def test_a_stream_and_a_body_say_the_same(params: dict[str, Any], seed: int) -> None:
    """Sequence, text and usage hold together for every request, cut short or not."""
    stream = events(Simulator(seed=seed), **params)
    final, whole = stream[-1]["response"], asked(Simulator(seed=seed), **params)
    usage = final["usage"]
    n_deltas = sum(event["type"] == "response.output_text.delta" for event in stream)
    n_reasoning = usage["output_tokens_details"]["reasoning_tokens"]
    assert [event["sequence_number"] for event in stream] == list(range(len(stream)))
    assert deltas(stream) == text_of(final)
    assert _timeless(final) == _timeless(whole)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens"] == n_reasoning + n_deltas
    assert usage["output_tokens"] <= params.get("max_output_tokens", usage["output_tokens"])
    assert final["status"] == stream[-1]["type"].removeprefix("response.")
    assert (final["status"] == "incomplete") == (final["incomplete_details"] is not None)


@given(_PARAMS)
def test_every_event_fits_the_types_of_others(params: dict[str, Any]) -> None:
    """The published event models accept all of them, strictly."""
    for event in events(Simulator(), **params):
        _EVENT.validate_python(event, strict=True)


def test_a_response_with_every_parameter_fits_the_types_of_others() -> None:
    """Echoed parameters keep the shapes of the response object."""
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
    simulator = Simulator()
    Response.model_validate(
        asked(
            simulator,
            tools=[tool],
            tool_choice="required",
            conversation=call(simulator, "POST", "/conversations", {}).json()["id"],
            service_tier="flex",
            text={"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}},
            top_logprobs=2,
            include=[_LOGPROBS],
        ),
        strict=True,
    )


def test_the_same_request_and_seed_give_the_same_answer() -> None:
    """Two simulators agree on everything but the clock."""
    first, second = asked(Simulator(seed=3)), asked(Simulator(seed=3))
    for response in (first, second):
        del response["created_at"], response["completed_at"]
    assert first == second


def test_a_repeated_request_gets_a_new_id_and_the_same_words() -> None:
    """Ids name responses, not requests."""
    simulator = Simulator()
    first, second = asked(simulator), asked(simulator)
    assert first["id"] != second["id"]
    assert first["output"][1]["id"] != second["output"][1]["id"]
    assert text_of(first) == text_of(second)


def test_ids_have_their_prefixes() -> None:
    """A reader can tell them apart."""
    response = asked(Simulator())
    assert response["id"].startswith("resp_")
    assert [item["id"].partition("_")[0] for item in response["output"]] == ["rs", "msg"]


def test_a_limit_cuts_the_text_at_a_token() -> None:
    """What is there is the beginning of the full answer, marked in item, body and event."""
    full = asked(Simulator(text="one two three four five"), model="gpt-4.1")
    cut = events(Simulator(text="one two three four five"), model="gpt-4.1", max_output_tokens=3)
    final = cut[-1]["response"]
    assert text_of(full) == "one two three four five"
    assert (cut[-1]["type"], text_of(final)) == ("response.incomplete", "one two three")
    assert final["incomplete_details"] == {"reason": "max_output_tokens"}
    assert final["output"][0]["status"] == "incomplete"
    assert final["completed_at"] is None


def test_a_limit_that_reasoning_uses_up_leaves_no_text() -> None:
    """The reasoning item is all there is, and the whole limit was spent."""
    stream = events(Simulator(), max_output_tokens=20, reasoning={"effort": "high", "summary": "auto"})
    final = stream[-1]["response"]
    assert [item["type"] for item in final["output"]] == ["reasoning"]
    assert final["usage"]["output_tokens_details"]["reasoning_tokens"] == 20
    assert deltas(stream) == ""


def test_a_limit_that_is_just_enough_completes() -> None:
    """The boundary itself is not a cut."""
    assert asked(Simulator(text="one two"), model="gpt-4.1", max_output_tokens=2)["status"] == "completed"


@pytest.mark.parametrize("text", ["", "héllo 🎉 wörld", "line\u2028separator \x85 and \x00"])
def test_a_forced_text_comes_out_exactly(text: str) -> None:
    """Benchmarks and tests choose the answer."""
    assert text_of(asked(Simulator(text=text))) == text
    assert deltas(events(Simulator(text=text))) == text


def test_padding_comes_only_when_asked_for() -> None:
    """With it every delta is brought to a multiple of 16 characters."""
    plain = events(Simulator())
    padded = events(Simulator(), stream_options={"include_obfuscation": True})
    assert not any("obfuscation" in event for event in plain)
    found = [event for event in padded if event["type"] == "response.output_text.delta"]
    assert {(len(event["delta"]) + len(event["obfuscation"])) % 16 for event in found} == {0}


def test_logprobs_are_chances_of_the_tokens() -> None:
    """Each token has its own, with as many rivals as asked for, and together they stay below one."""
    stream = events(Simulator(), include=[_LOGPROBS], top_logprobs=3)
    part = stream[-1]["response"]["output"][1]["content"][0]
    sent = [event["logprobs"][0] for event in stream if event["type"] == "response.output_text.delta"]
    assert "".join(entry["token"] for entry in part["logprobs"]) == part["text"]
    assert sent == part["logprobs"]
    for entry in part["logprobs"]:
        assert len(entry["top_logprobs"]) == 3
        assert entry["top_logprobs"][0]["token"] == entry["token"]
        assert sum(2.718281828 ** rival["logprob"] for rival in entry["top_logprobs"]) <= 1.0001


@pytest.mark.parametrize("events_per_chunk", [None, 1, 7])
def test_chunks_do_not_change_the_bytes(events_per_chunk: int | None) -> None:
    """How events are packed is a matter of speed only."""

    def settled(data: bytes) -> list[bytes]:
        return [line for line in data.split(b"\n") if b"created_at" not in line]

    assert settled(raw(Simulator(events_per_chunk=events_per_chunk))) == settled(raw(Simulator()))


def test_the_stream_says_what_it_is() -> None:
    """Content type and request id are in the headers."""
    answer = posted(Simulator(), **EMPTY, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert len(answer.headers["x-cometapi-request-id"]) == 24
