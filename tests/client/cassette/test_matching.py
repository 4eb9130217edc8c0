"""Which recording answers: by what is asked, in the order of recording, and never by a guess."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from cometnb.client.cassette import Cassette
from cometnb.client.client import Client
from cometnb.client.gate import Admitted, Planned
from cometnb.client.simulator import Simulator
from cometnb.errors import CassetteMissError, CometError, CometWarning, ServerError
from tests.client.cassette.recordings import lines_of, recorded, replaying, said
from tests.client.transports import KEY, Answer, Script, at_once, body_of, json_answer

_CALL = {"type": "function_call", "call_id": "call_1", "id": "fc_1", "name": "f", "arguments": "{}"}
_RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "4"}


def test_the_same_request_is_answered_in_order_of_recording(tmp_path: Path) -> None:
    """And after the last one with that again."""
    client = replaying(said(tmp_path / "c.jsonl", "One.", "Two."))
    assert [client.respond("Hi").output_text for _ in range(4)] == ["One.", "Two.", "Two.", "Two."]


def test_after_the_last_one_nothing_may_come(tmp_path: Path) -> None:
    """Where each recording is to be used once."""
    client = replaying(said(tmp_path / "c.jsonl", "One."), after_last="miss")
    client.respond("Hi")
    with pytest.raises(CassetteMissError, match="has given all 1 of its answers"):
        client.respond("Hi")


def test_a_cassette_can_be_rewound(tmp_path: Path) -> None:
    """Then it begins with the first recording again."""
    cassette = Cassette(said(tmp_path / "c.jsonl", "One.", "Two."), pace="instant")
    client = Client(transport=cassette)
    first = client.respond("Hi").output_text
    cassette.rewind()
    assert client.respond("Hi").output_text == first == "One."


@pytest.mark.parametrize(
    "params",
    [
        {"temperature": 1, "store": True, "tools": []},
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]},
        {"truncation": "disabled", "metadata": {}},
    ],
)
def test_what_asks_the_same_is_the_same(tmp_path: Path, params: dict[str, Any]) -> None:
    """Defaults that are said, and text in its longer form."""
    client = replaying(said(tmp_path / "c.jsonl", "One."))
    assert client.respond(**{"input": "Hi", **params}).output_text == "One."


def test_a_limit_that_a_budget_set_is_not_part_of_what_was_asked(tmp_path: Path) -> None:
    """What was recorded under one is replayed without, and under any other; nothing is asked and paid for twice."""

    class Cap:
        def __init__(self, max_output_tokens: int) -> None:
            self.max_output_tokens = max_output_tokens

        def admit(self, planned: Planned) -> Admitted | None:
            return None if planned.backend == "cassette" else Admitted(self.max_output_tokens)

    path = tmp_path / "c.jsonl"
    for cap in (300, 200):
        cassette = Cassette(path, "auto", transport=Simulator(text="One."))
        with Client(transport=cassette, gates=[Cap(cap)]) as client:
            assert client.respond("Hi").raw["max_output_tokens"] == 300
    (asked,) = lines_of(path, "request")
    assert "max_output_tokens" not in asked["body"]
    assert replaying(path).respond("Hi").output_text == "One."
    with pytest.raises(CassetteMissError, match="max_output_tokens"):
        replaying(path).respond("Hi", max_output_tokens=300)


def test_generated_ids_may_differ(tmp_path: Path) -> None:
    """A call with its result, from another run."""
    path = tmp_path / "c.jsonl"
    recorded(path, lambda client: client.respond([{"role": "user", "content": "Hi"}, _CALL, _RESULT]))
    other = [{**_CALL, "call_id": "call_x", "id": "fc_x"}, {**_RESULT, "call_id": "call_x"}]
    replaying(path).respond([{"role": "user", "content": "Hi"}, *other])


def test_what_follows_an_answer_is_found_by_what_that_answered(tmp_path: Path) -> None:
    """Two conversations with the same words are told apart, and the file names no id in a request."""
    path = tmp_path / "c.jsonl"

    def ask(client: Client) -> list[str]:
        first, second = client.respond("I am Ada."), client.respond("I am Bob.")
        return [client.respond("Who?", previous_response_id=one.id).output_text for one in (first, second)]

    texts = recorded(path, ask)
    assert ask(replaying(path)) == texts
    keys = [line["key"] for line in lines_of(path, "request")]
    referred = [line["body"].get("previous_response_id") for line in lines_of(path, "request")]
    assert referred == [None, None, f"@{keys[0]}", f"@{keys[1]}"]


def test_another_base_url_is_the_same_request(tmp_path: Path) -> None:
    """What was recorded through one gateway is replayed for another."""
    path = said(tmp_path / "c.jsonl", "One.")
    client = Client(base_url="https://gateway.example/api/v9", transport=Cassette(path))
    assert client.respond("Hi").output_text == "One."


def test_a_miss_names_the_nearest_and_what_differs(tmp_path: Path) -> None:
    """The line of the file, and path by path what was recorded and asked; nothing is sent."""
    path = tmp_path / "c.jsonl"
    recorded(path, lambda client: [client.respond("What is a comet?", temperature=0.2), client.models()])
    with pytest.raises(CassetteMissError) as caught:
        replaying(path).respond("What is a planet?", temperature=0.7, text={"verbosity": "low"})
    error = caught.value
    assert error.line == 2
    assert error.difference == (
        'input: recorded "What is a comet?", asked "What is a planet?"',
        "temperature: recorded 0.2, asked 0.7",
        'text.verbosity: not recorded, asked "low"',
    )
    assert "line 2" in error.fact
    assert "%comet record" in error.next_step


def test_a_miss_shows_long_text_where_it_differs(tmp_path: Path) -> None:
    """Not its beginning, which is the same."""
    long = "word " * 200
    path = said(tmp_path / "c.jsonl", "One.", prompt=f"{long}comet")
    with pytest.raises(CassetteMissError, match=r"word comet\", asked \"….*word planet\""):
        replaying(path).respond(f"{long}planet")


def test_a_miss_becomes_a_row(tmp_path: Path) -> None:
    """Of an attempt that failed, with its reason; it is not tried again."""
    seen: list[Any] = []
    path = said(tmp_path / "c.jsonl", "One.")
    client = Client(transport=Cassette(path), observers=[seen.append])
    with pytest.raises(CassetteMissError):
        client.respond("Hello?")
    (attempt,) = seen
    assert (attempt.backend, attempt.status, attempt.error_code) == ("cassette", "error", "cassette")
    assert attempt.is_unsent
    assert attempt.response.cost.usd == 0


def test_auto_sends_what_is_not_there_and_adds_it(tmp_path: Path) -> None:
    """Each answer says who gave it; what is sent the first time is replayed the next."""
    path = said(tmp_path / "c.jsonl", "One.")
    seen: list[str] = []
    for _ in range(2):
        cassette = Cassette(path, "auto", transport=Simulator(text="New."))
        with Client(transport=cassette, observers=[lambda one: seen.append(one.backend)]) as client:
            assert [client.respond("Hi").output_text, client.respond("Ho").output_text] == ["One.", "New."]
    assert seen == ["cassette", "simulator", "cassette", "cassette"]
    assert len(lines_of(path, "request")) == 2


def test_a_budget_knows_what_will_be_replayed(tmp_path: Path) -> None:
    """A gate is told before anything is sent who will answer; what is replayed cannot cost anything."""
    path = said(tmp_path / "c.jsonl", "One.")
    told: list[str] = []

    class Gate:
        def admit(self, planned: Planned) -> None:
            told.append(planned.backend)

    service = Script(json_answer(body_of("New.")))
    with Client(KEY, transport=Cassette(path, "auto", transport=service), gates=[Gate()]) as client:
        client.respond("Hi")
        client.respond("Ho")
        client.respond("Ho")
    assert told == ["cassette", "api", "cassette"]


def test_auto_begins_a_file_that_is_not_there(tmp_path: Path) -> None:
    """With its folders."""
    path = tmp_path / "cassettes" / "c.jsonl"
    recorded(path, lambda client: client.respond("Hi"), mode="auto")
    assert replaying(path).respond("Hi").status == "completed"


def test_auto_asks_again_after_a_failure(tmp_path: Path) -> None:
    """A failure is recorded with what followed it, and one that nothing followed is not the last word."""
    path = tmp_path / "c.jsonl"
    service = Script(json_answer({"error": {"message": "busy"}}, 503), json_answer(body_of("Done.")))
    with Client(KEY, transport=Cassette(path, "auto", transport=service), max_retries=0) as client:
        with pytest.raises(ServerError):
            client.respond("Hi")
        assert client.respond("Hi").output_text == "Done."
    again = Client(transport=Cassette(path, pace="instant"))
    at_once(again)
    assert again.respond("Hi").output_text == "Done."


@pytest.mark.parametrize("line", [b'"end": "left"', b'"end": "broken"', b""])
def test_auto_asks_again_for_what_was_cut(tmp_path: Path, line: bytes) -> None:
    """Half an answer is better than none only where nothing can be sent."""
    path = said(tmp_path / "c.jsonl", "One.")
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"end": "whole"', line) if line else data[: data.index(b'{"end"')])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CometWarning)
        for text in ("Two.", "Three."):
            asked = recorded(path, lambda client: client.respond("Hi"), mode="auto", text=text)
            assert asked.output_text == "Two."


def test_what_was_stopped_and_asked_again_is_whole(tmp_path: Path) -> None:
    """In a replay, too: that somebody stopped reading says nothing of the answer."""
    path = said(tmp_path / "c.jsonl", "One.", "Two.")
    path.write_bytes(path.read_bytes().replace(b'"end": "whole"', b'"end": "left"', 1))
    assert replaying(path).respond("Hi").output_text == "Two."


def test_auto_without_a_key_never_sends(tmp_path: Path) -> None:
    """What is there is answered, and the error of the rest says what is missing."""
    client = Client(transport=Cassette(said(tmp_path / "c.jsonl", "One."), "auto"))
    assert client.respond("Hi").output_text == "One."
    with pytest.raises(CassetteMissError, match="COMETAPI_KEY"):
        client.respond("Ho")


def test_looking_at_unfinished_work_ends(tmp_path: Path) -> None:
    """A recording that stops before the end of the work does not keep whoever waits for it waiting forever."""
    path = tmp_path / "c.jsonl"
    queued = {**body_of(), "status": "queued"}
    with Client(KEY, transport=Cassette(path, "record", transport=Script(json_answer(queued)))) as client:
        client.retrieve("resp_1")
    looking = replaying(path)
    assert looking.retrieve("resp_1").status == "queued"
    with pytest.raises(CassetteMissError):
        looking.retrieve("resp_1")


def test_nothing_listens_to_a_network_in_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key is needed, and one that is there is not handed on."""
    monkeypatch.setenv("COMETAPI_KEY", KEY)
    service = Script(Answer(500))
    client = Client(transport=Cassette(said(tmp_path / "c.jsonl", "One."), transport=service))
    with pytest.raises(CometError):
        client.respond("Ho")
    assert service.requests == []
    assert client.setup.api_key == ""
