"""Conversations: what is sent when cells run in this order or that, whether or not the service keeps anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import BadRequestError, CellError, ConfigError, StreamInterruptedError
from cometnb.protocol.response import Response
from cometnb.session.conversation import ENCRYPTED, Conversation
from tests.session.services import PLACE, Service, ask, call_item, texts


def _sent(service: Service) -> list[tuple[str | None, list[str]]]:
    return [(one.get("previous_response_id"), texts(one)) for one in service.requests]


def test_turns_in_order_name_the_response_before() -> None:
    """Where the service keeps them only what is new is sent."""
    chat, service = Conversation("c"), Service()
    for cell in ("one", "two", "three"):
        ask(chat, service, cell, owner=cell)
    assert _sent(service) == [(None, ["one"]), ("resp_1", ["two"]), ("resp_2", ["three"])]
    assert [turn.prompt for turn in chat.path] == ["one", "two", "three"]


def test_a_cell_that_runs_again_replaces_its_turn() -> None:
    """1-2-2: the second answer to 2 is asked after 1, and the first is in no history any more."""
    chat, service = Conversation("c"), Service()
    for cell in ("one", "two", "two", "three"):
        ask(chat, service, cell, owner=cell)
    assert [before for before, _ in _sent(service)] == [None, "resp_1", "resp_1", "resp_3"]
    assert [turn.text for turn in chat.path] == ["answer 1", "answer 3", "answer 4"]


def test_what_was_built_on_a_replaced_turn_is_stale() -> None:
    """1-2-1-3: 2 is stale, and 3 is asked after the new 1."""
    chat, service = Conversation("c"), Service()
    one, two = ask(chat, service, "one", owner="1"), ask(chat, service, "two", owner="2")
    assert not chat.turns.is_stale(two)
    again, three = ask(chat, service, "one", owner="1"), ask(chat, service, "three", owner="3")
    assert [before for before, _ in _sent(service)] == [None, "resp_1", None, "resp_3"]
    assert one.replaced_by == again.turn_id
    assert chat.turns.is_stale(two)
    assert not chat.turns.is_stale(three)


def test_run_all_again_builds_a_new_conversation_of_the_same_shape() -> None:
    """1-2-3-1-2-3: each is asked after the new version of the one before."""
    chat, service = Conversation("c"), Service()
    for cell in ("one", "two", "three") * 2:
        ask(chat, service, cell, owner=cell)
    assert [before for before, _ in _sent(service)] == [None, "resp_1", "resp_2", None, "resp_4", "resp_5"]
    assert [turn.text for turn in chat.path] == ["answer 4", "answer 5", "answer 6"]


def test_without_an_owner_every_question_is_a_new_turn() -> None:
    """Asking the same again is going on."""
    chat, service = Conversation("c"), Service()
    for _ in range(3):
        ask(chat, service, "go on")
    assert len(chat.path) == 3


def test_a_conversation_says_how_long_it_is() -> None:
    """The way to the head, and all turns there are."""
    chat, service = Conversation("c"), Service()
    ask(chat, service, "one", owner="one")
    assert repr(chat) == "<Conversation 'c', 1 turn to the head, 1 in all>"
    ask(chat, service, "two", owner="two")
    ask(chat, service, "one", owner="one")
    assert repr(chat) == "<Conversation 'c', 1 turn to the head, 3 in all>"


def test_a_service_that_keeps_nothing_is_sent_the_history_once_and_from_then_on() -> None:
    """One refused request, the same again with the history, and no more ids after it; the user is told once."""
    chat, service = Conversation("c"), Service(keeps=False)
    for cell in ("one", "two", "three"):
        ask(chat, service, cell, owner=cell)
    assert _sent(service) == [
        (None, ["one"]),
        ("resp_1", ["two"]),
        (None, ["one", "answer 1", "two"]),
        (None, ["one", "answer 1", "two", "answer 3", "three"]),
    ]
    assert len(chat.remarks) == 1
    assert "refused to go on from resp_1" in chat.remarks[0]


def test_a_service_that_forgets_halfway_is_sent_the_history() -> None:
    """Nothing of the conversation is lost."""
    chat, service = Conversation("c"), Service()
    ask(chat, service, "one")
    ask(chat, service, "two")
    service.keeps = False
    ask(chat, service, "three")
    assert _sent(service)[-1] == (None, ["one", "answer 1", "two", "answer 2", "three"])


def test_a_service_that_drops_the_id_in_silence_is_found_out() -> None:
    """It answers that it went on from nothing; the next turn brings the history."""
    chat = Conversation("c")

    class Silent(Service):
        def __call__(self, params: Any) -> Response:
            response = super().__call__(
                {name: value for name, value in params.items() if name != "previous_response_id"}
            )
            self.requests[-1] = dict(params)
            return Response({**response.raw, "previous_response_id": None})

    service = Silent()
    for text in ("one", "two", "three"):
        ask(chat, service, text)
    assert [before for before, _ in _sent(service)] == [None, "resp_1", None]
    assert "dropped previous_response_id" in chat.remarks[0]


def test_the_choice_is_kept_for_one_model_at_one_place() -> None:
    """Another model at the same service is tried by id."""
    chat, service = Conversation("c"), Service(keeps=False)
    ask(chat, service, "one")
    ask(chat, service, "two")
    assert (PLACE, "gpt-5.4") in chat.forgetful
    service.keeps = True
    ask(chat, service, "three", model="other")
    assert service.requests[-1]["previous_response_id"] == "resp_3"


def test_another_error_is_not_taken_for_it() -> None:
    """A refused parameter is the caller's; nothing is sent twice and nothing kept."""
    error = BadRequestError("temperature is not supported.", "Leave it out.")
    error.param = "temperature"
    chat, service = Conversation("c"), Service([], error)
    ask(chat, service, "one")
    with pytest.raises(BadRequestError, match="temperature"):
        ask(chat, service, "two")
    assert len(service.requests) == 2
    assert len(chat.path) == 1


def test_nothing_stored_carries_encrypted_reasoning() -> None:
    """With store off the history travels, reasoning in its encrypted form, and is asked for in that form."""
    thought: dict[str, Any] = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "encrypted_content": "gAAA",
        "status": None,
    }
    said = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "hi", "logprobs": [1]}],
    }
    chat, service = Conversation("c"), Service([thought, said])
    ask(chat, service, "one", store=False)
    ask(chat, service, "two", store=False, include=["x"])
    assert service.requests[0]["include"] == [ENCRYPTED]
    second = service.requests[1]
    assert "previous_response_id" not in second
    assert second["include"] == ["x", ENCRYPTED]
    assert second["input"][1] == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "encrypted_content": "gAAA",
    }
    assert second["input"][2]["content"] == [{"type": "output_text", "text": "hi"}]


def test_a_model_that_does_not_reason_is_not_answered_for_reasoning() -> None:
    """It would answer such an include with an error."""
    chat, service = Conversation("c"), Service()
    ask(chat, service, "one", store=False, model="gpt-4.1")
    assert "include" not in service.requests[0]


def test_reasoning_that_is_kept_nowhere_is_left_out() -> None:
    """Without its content a service would look for it by id."""
    chat, service = (
        Conversation("c"),
        Service([{"type": "reasoning", "id": "rs_1", "summary": []}], keeps=False),
    )
    ask(chat, service, "one")
    ask(chat, service, "two")
    assert [item.get("type", "message") for item in service.requests[-1]["input"]] == ["message", "message"]


def test_instructions_hold_for_the_turns_after() -> None:
    """The service does not carry them over; a turn's own go first."""
    chat, service = Conversation("c"), Service()
    ask(chat, service, "one", instructions="Be brief.")
    ask(chat, service, "two")
    ask(chat, service, "three", instructions="Be long.")
    assert [one["instructions"] for one in service.requests] == ["Be brief.", "Be brief.", "Be long."]


def test_asking_after_an_earlier_turn_branches() -> None:
    """By a turn's id or a response's; both branches stay."""
    chat, service = Conversation("c"), Service()
    one = ask(chat, service, "one")
    two = ask(chat, service, "two")
    ask(chat, service, "other", after=one.turn_id)
    ask(chat, service, "third", after="resp_1")
    assert [before for before, _ in _sent(service)] == [None, "resp_1", "resp_1", "resp_1"]
    assert len(chat.turns.children(one.turn_id)) == 3
    assert not chat.turns.is_stale(two)
    with pytest.raises(CellError, match="'nothing'"):
        chat.begin("x", after="nothing")


def test_a_conversation_object_keeps_its_own_order() -> None:
    """Its id is sent with what is new, and a cell that runs again adds a turn."""
    chat, service = Conversation("c", conversation_id="conv_1"), Service()
    for _ in range(2):
        ask(chat, service, "one", owner="1")
    assert [(one["conversation"], texts(one)) for one in service.requests] == [("conv_1", ["one"])] * 2
    assert len(chat.path) == 2


def test_a_turn_that_was_cut_off_is_sent_along() -> None:
    """The service does not have it; the last one it has is named, and the text so far comes as input."""
    cut = StreamInterruptedError("The stream ended.", "Ask again.")
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "half"}]}
    cut.response = Response({"id": "resp_cut", "output": [said]}, status="truncated")
    chat, service = Conversation("c"), Service([], cut)
    ask(chat, service, "one")
    with pytest.raises(StreamInterruptedError):
        ask(chat, service, "two")
    ask(chat, service, "three")
    assert _sent(service)[-1] == ("resp_1", ["two", "half", "three"])


def test_a_turn_without_any_answer_changes_nothing() -> None:
    """The turn it would have replaced stays."""
    chat, service = Conversation("c"), Service([], BadRequestError("No.", "Ask otherwise."))
    ask(chat, service, "one", owner="1")
    with pytest.raises(BadRequestError):
        ask(chat, service, "one!", owner="1")
    assert [turn.prompt for turn in chat.path] == ["one"]
    assert chat.path[0].replaced_by is None


def test_open_calls_are_answered_as_cancelled() -> None:
    """The service refuses a history with a call that has no result."""
    for keeps in (True, False):
        chat, service = Conversation("c"), Service([call_item("f", "call_1")], keeps=keeps)
        ask(chat, service, "one")
        ask(chat, service, "two")
        last = service.requests[-1]
        expected = ["function_call_output call_1", "two"]
        assert texts(last) == (expected if keeps else ["one", "function_call call_1", *expected])
        output = next(item for item in last["input"] if item.get("type") == "function_call_output")
        assert "cancelled" in output["output"]


def test_saved_and_loaded_it_goes_on(tmp_path: Path) -> None:
    """From the file alone the next request is the same."""
    chat, service = Conversation("c"), Service()
    for cell in ("one", "two", "one"):
        ask(chat, service, cell, owner=cell, instructions="Be brief.")
    chat.save(tmp_path / "chat.json")
    loaded = Conversation.load(tmp_path / "chat.json")
    for one in (chat, loaded):
        ask(one, service, "three")
    assert service.requests[-1] == {**service.requests[-2], "previous_response_id": "resp_3"}
    assert [turn.turn_id for turn in loaded.turns][:3] == [turn.turn_id for turn in chat.turns][:3]


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        '{"format": "other"}',
        '{"format": "cometnb-conversation", "version": 9}',
        '{"format": "cometnb-conversation", "version": 1, "name": "x"}',
        '{"format": "cometnb-conversation", "version": 1, "head_id": "gone", "turns": []}',
        '{"format": "cometnb-conversation", "version": 1, "head_id": null, "turns": [{"turn_id": "a"}]}',
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    """Two lines with the file's name."""
    file = tmp_path / "x.json"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"x\.json"):
        Conversation.load(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        Conversation.load(tmp_path / "absent.json")


def test_a_file_with_a_circle_is_refused(tmp_path: Path) -> None:
    """A malicious file cannot make a walk endless."""
    chat, service = Conversation("c"), Service()
    ask(chat, service, "one", owner="1")
    ask(chat, service, "one", owner="1")
    chat.save(tmp_path / "x.json")
    saved = json.loads((tmp_path / "x.json").read_text())
    saved["turns"][1]["replaced_by"] = saved["turns"][0]["turn_id"]
    (tmp_path / "x.json").write_text(json.dumps(saved))
    with pytest.raises(ConfigError, match="older one"):
        Conversation.load(tmp_path / "x.json")


@given(st.lists(st.integers(0, 4), min_size=1, max_size=25), st.booleans())
def test_in_any_order_the_history_is_one_that_a_reader_sees(order: list[int], keeps: bool) -> None:
    """No turn stands twice in a path, no cell has two turns in it that count, and the service got what the path says."""
    chat, service = Conversation("c"), Service(keeps=keeps)
    for cell in order:
        turn = ask(chat, service, f"cell {cell}", owner=str(cell))
        path = chat.path
        assert path[-1] is turn
        assert len({one.turn_id for one in path}) == len(path)
        assert chat.turns.latest(turn) is turn
        if service.requests[-1].get("previous_response_id") is None:
            said = [text for one in path for text in (one.prompt, one.text)][:-1]
            assert texts(service.requests[-1]) == said


def _saved(tmp_path: Path, text: str = "one") -> tuple[Path, dict[str, Any]]:
    file = tmp_path / "x.json"
    chat = Conversation("x")
    ask(chat, Service(keeps=False), text)
    chat.save(file)
    saved: dict[str, Any] = json.loads(file.read_text())
    return file, saved


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("turn_id", 5), ("prompt", None), ("status", [1]), ("n_input", "x"), ("n_input", -1), ("n_kept", 10**30),
        ("items", {"a": 1}), ("items", [5]), ("response_ids", [5]), ("response_ids", []), ("owner", "\ud800"),
        ("parent_id", 5), ("model", []), ("instructions", "\ud800"),
    ],
)  # fmt: skip
def test_a_file_with_fields_of_another_form_is_refused(name: str, value: Any, tmp_path: Path) -> None:
    """It would fail later, when the tree is drawn or the next question asked."""
    file, saved = _saved(tmp_path)
    saved["turns"][0][name] = value
    file.write_text(json.dumps(saved))
    with pytest.raises(ConfigError, match="no saved conversation"):
        Conversation.load(file)


def test_two_turns_of_one_id_are_refused(tmp_path: Path) -> None:
    """One of them would be lost without a word."""
    file, saved = _saved(tmp_path)
    saved["turns"] *= 2
    file.write_text(json.dumps(saved))
    with pytest.raises(ConfigError, match="two turns"):
        Conversation.load(file)


def test_half_of_a_character_in_a_prompt_is_saved_as_a_question_mark(tmp_path: Path) -> None:
    """A conversation is not lost for it."""
    file, _ = _saved(tmp_path, "a\ud800b")
    assert len(Conversation.load(file).turns) == 1


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x.json", "a\0b", "\ud800"], ids=range(3))
def test_a_path_that_no_file_can_have_is_refused(path: str) -> None:
    """As any other that is not there."""
    with pytest.raises(ConfigError):
        Conversation.load(path)
