"""What the service remembers: earlier responses, conversations, items by reference, and nothing if told so."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.client.simulator import Simulator
from tests.client.simulator.talk import asked, call, posted, text_of

_ENCRYPTED = "reasoning.encrypted_content"


def _conversation(simulator: Simulator, **body: Any) -> str:
    return str(call(simulator, "POST", "/conversations", body).json()["id"])


def _items(simulator: Simulator, conversation_id: str) -> list[dict[str, Any]]:
    answer = call(simulator, "GET", f"/conversations/{conversation_id}/items", order="asc", limit="100")
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


@pytest.mark.parametrize("as_object", [False, True])
def test_a_conversation_gathers_what_is_said(as_object: bool) -> None:
    """Input and output of every response, and the next one continues from there."""
    simulator = Simulator()
    conversation_id = _conversation(simulator, metadata={"a": "b"})
    named = {"id": conversation_id} if as_object else conversation_id
    first = asked(simulator, conversation=named, model="gpt-4.1")
    second = asked(simulator, conversation=named, model="gpt-4.1", input="And then?")
    items = _items(simulator, conversation_id)
    assert first["conversation"] == {"id": conversation_id}
    assert [item["role"] for item in items] == ["user", "assistant", "user", "assistant"]
    assert items[3]["content"] == second["output"][0]["content"]
    assert "**Conversation** goes on after 2 earlier items" in text_of(second)
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"] + 100


def test_a_conversation_can_be_looked_at_and_changed() -> None:
    """Its routes make, show, change and forget it."""
    simulator = Simulator()
    path = f"/conversations/{_conversation(simulator, items=[{'role': 'user', 'content': 'Hi'}])}"
    assert call(simulator, "POST", path, {"metadata": {"a": "b"}}).json()["metadata"] == {"a": "b"}
    assert call(simulator, "GET", path).json()["object"] == "conversation"
    added = call(simulator, "POST", f"{path}/items", {"items": [{"role": "user", "content": "Ho"}]}).json()[
        "data"
    ]
    assert [item["content"][0]["text"] for item in added] == ["Ho"]
    one = f"{path}/items/{added[0]['id']}"
    assert call(simulator, "GET", one).json() == added[0]
    assert call(simulator, "DELETE", one).status_code == 200
    assert call(simulator, "GET", one).status_code == 404
    assert [item["content"][0]["text"] for item in _items(simulator, path.split("/")[2])] == ["Hi"]
    assert call(simulator, "DELETE", path).json()["deleted"] is True
    assert call(simulator, "GET", path).status_code == 404


def test_a_conversation_that_is_unknown_is_refused() -> None:
    """404, before anything is made."""
    answer = posted(Simulator(), conversation="conv_gone")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "conversation_not_found")
    assert posted(Simulator(), conversation={"name": "x"}).status_code == 400


def test_a_failed_stream_is_not_part_of_the_conversation() -> None:
    """Only what came to its end is."""
    simulator = Simulator()
    conversation_id = _conversation(simulator)
    posted(simulator, conversation=conversation_id, stream=True, metadata={"simulate": "eof"})
    assert _items(simulator, conversation_id) == []


def test_what_is_not_stored_cannot_be_continued() -> None:
    """Nor its items be referred to."""
    simulator = Simulator()
    response = asked(simulator, store=False)
    assert posted(simulator, previous_response_id=response["id"]).status_code == 400
    reasoning, message = response["output"]
    for item in (reasoning, {"type": "item_reference", "id": message["id"]}):
        answer = posted(simulator, input=[item, {"role": "user", "content": "Go on"}])
        assert (answer.status_code, answer.json()["error"]["param"]) == (404, "input")
        assert "Items are not persisted when `store` is set to false" in answer.json()["error"]["message"]


def test_encrypted_reasoning_can_be_carried_back() -> None:
    """It is there when asked for, and is taken where the bare item is not."""
    simulator = Simulator()
    response = asked(simulator, store=False, include=[_ENCRYPTED])
    assert len(response["output"][0]["encrypted_content"]) > 100
    assert asked(simulator, store=False, input=[*response["output"], {"role": "user", "content": "Go on"}])


def test_items_that_are_kept_can_be_referred_to() -> None:
    """A reference counts as what it stands for."""
    simulator = Simulator()
    first = asked(simulator, model="gpt-4.1")
    reference = {"type": "item_reference", "id": first["output"][0]["id"]}
    by_reference = asked(simulator, model="gpt-4.1", input=[reference, {"role": "user", "content": "Go on"}])
    whole = asked(
        simulator, model="gpt-4.1", input=[first["output"][0], {"role": "user", "content": "Go on"}]
    )
    assert by_reference["usage"]["input_tokens"] == whole["usage"]["input_tokens"]


def test_everything_can_be_forgotten() -> None:
    """As by a service that starts anew."""
    simulator = Simulator()
    response, conversation_id = asked(simulator), _conversation(simulator)
    simulator.forget()
    assert posted(simulator, previous_response_id=response["id"]).status_code == 400
    assert posted(simulator, conversation=conversation_id).status_code == 404


def test_input_tokens_are_counted_without_an_answer() -> None:
    """The count is the one the answer reports."""
    simulator = Simulator()
    counted = call(
        simulator, "POST", "/responses/input_tokens", {"model": "gpt-5.4", "input": "How many?"}
    ).json()
    assert counted == {
        "object": "response.input_tokens",
        "input_tokens": asked(simulator, input="How many?")["usage"]["input_tokens"],
    }


def test_a_conversation_can_be_compacted() -> None:
    """The user's words stay, the rest is one sealed item, and the next turn is the cheaper for it."""
    simulator = Simulator()
    first = asked(simulator, model="gpt-4.1")
    body = {"model": "gpt-4.1", "previous_response_id": first["id"], "input": "More"}
    compacted = call(simulator, "POST", "/responses/compact", body).json()
    assert [item["type"] for item in compacted["output"]] == ["message", "message", "compaction"]
    assert compacted["object"] == "response.compaction"
    assert (
        asked(simulator, input=[*compacted["output"], {"role": "user", "content": "Go on"}])["status"]
        == "completed"
    )


def test_input_is_compacted_when_it_grows() -> None:
    """From the threshold on; what came before the sealed item no longer counts."""
    simulator, rule = Simulator(), [{"type": "compaction", "compact_threshold": 300}]
    first = asked(simulator, model="gpt-4.1", input="word " * 400, context_management=rule)
    second = asked(simulator, model="gpt-4.1", previous_response_id=first["id"], context_management=rule)
    assert [item["type"] for item in first["output"]] == ["compaction", "message"]
    assert [item["type"] for item in asked(simulator, context_management=rule)["output"]] == [
        "reasoning",
        "message",
    ]
    assert second["usage"]["input_tokens"] < first["usage"]["input_tokens"] + 300
