"""The flow of a turn: rounds of calls and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cometnb.errors import BadRequestError, ServerError
from cometnb.protocol.response import FunctionCall
from cometnb.session.conversation import Conversation
from cometnb.session.rounds import asking
from tests.session.services import PLACE, Service, ask, call_item, drive, texts


def _results(calls: Sequence[FunctionCall]) -> list[dict[str, Any]]:
    return [{"type": "function_call_output", "call_id": call.call_id, "output": "42"} for call in calls]


@pytest.mark.parametrize("keeps", [True, False])
def test_results_go_back_until_no_call_is_left(keeps: bool) -> None:
    """By id only the results are sent; without, the whole history with them."""
    chat = Conversation("c")
    service = Service([call_item("f", "a"), call_item("g", "b")], [call_item("f", "c")], keeps=keeps)
    turn = chat.begin("go")
    response = drive(asking(chat, turn, PLACE, {"model": "m"}, runs_tools=True), service, _results)
    assert response.output_text.startswith("answer")
    sent = [texts(one) for one in service.requests if keeps or "previous_response_id" not in one]
    both = ["function_call_output a", "function_call_output b"]
    if keeps:
        assert sent == [["go"], both, ["function_call_output c"]]
    else:
        first = ["go", "function_call a", "function_call b", *both]
        assert sent == [["go"], first, [*first, "function_call c", "function_call_output c"]]
    assert chat.path == [turn]


def _orphan() -> BadRequestError:
    return BadRequestError("A tool message must follow the call it answers.", "Mend the messages.")


def test_results_go_back_with_the_history_where_the_service_ignores_the_id() -> None:
    """It knows nothing of the calls and says so in words of its own; the whole history is understood."""
    chat, service = Conversation("c"), Service([call_item("f", "a")], _orphan())
    turn = chat.begin("go")
    response = drive(asking(chat, turn, PLACE, {"model": "m"}, runs_tools=True), service, _results)
    assert response.output_text.startswith("answer")
    assert texts(service.requests[-1]) == ["go", "function_call a", "function_call_output a"]
    assert (PLACE, "m") in chat.forgetful
    assert "keeps no conversation" in chat.remarks[0]


def test_a_result_that_is_refused_with_the_history_too_says_nothing_of_the_service() -> None:
    """The request is at fault: the error is raised, and the next turn goes on by id."""
    chat, service = Conversation("c"), Service([call_item("f", "a")], _orphan(), _orphan())
    turn = chat.begin("go")
    with pytest.raises(BadRequestError):
        drive(asking(chat, turn, PLACE, {"model": "m"}, runs_tools=True), service, _results)
    assert (PLACE, "m") not in chat.forgetful
    assert chat.remarks == []


def test_calls_are_left_alone_where_nobody_runs_them() -> None:
    """The answer with the calls is the last."""
    chat, service = Conversation("c"), Service([call_item("f", "a")])
    turn = chat.begin("go")
    response = drive(asking(chat, turn, PLACE, {"model": "m"}), service)
    assert [call.name for call in response.function_calls] == ["f"]
    assert len(service.requests) == 1


def test_the_most_rounds_end_it_with_everything_kept() -> None:
    """The user is told what the model wanted next, and the conversation can go on."""
    chat, service = Conversation("c"), Service(*([call_item("f", f"c{n}")] for n in range(9)))
    turn = chat.begin("go")
    response = drive(
        asking(chat, turn, PLACE, {"model": "m"}, runs_tools=True, max_rounds=3), service, _results
    )
    assert len(service.requests) == 3
    assert response.function_calls[0].call_id == "c2"
    assert chat.remarks == ["Stopped after 3 rounds; the model wanted f next."]
    ask(chat, service, "and now?")
    assert texts(service.requests[-1]) == ["function_call_output c2", "and now?"]


def test_a_stop_between_calls_leaves_a_conversation_that_goes_on() -> None:
    """The result that came is kept, the call that was not run is answered as cancelled."""
    chat, service = Conversation("c"), Service([call_item("f", "a"), call_item("g", "b")])
    turn = chat.begin("go")
    drive(
        asking(chat, turn, PLACE, {"model": "m"}, runs_tools=True), service, lambda calls: _results(calls[:1])
    )
    assert len(service.requests) == 1
    ask(chat, service, "go on")
    assert texts(service.requests[-1]) == ["function_call_output a", "function_call_output b", "go on"]
    assert service.requests[-1]["input"][0]["output"] == "42"
    assert "cancelled" in service.requests[-1]["input"][1]["output"]


def test_an_error_in_a_later_round_keeps_the_rounds_before() -> None:
    """What was answered is in the turn; the next one goes on from there."""
    chat = Conversation("c")
    service = Service([call_item("f", "a")], ServerError("Down.", "Try again."))
    turn = chat.begin("go")
    with pytest.raises(ServerError):
        drive(asking(chat, turn, PLACE, {"model": "m"}, runs_tools=True), service, _results)
    assert chat.path == [turn]
    ask(chat, service, "again")
    assert service.requests[-1]["previous_response_id"] == "resp_1"
    assert texts(service.requests[-1]) == ["function_call_output a", "again"]


def test_a_flow_that_is_closed_keeps_its_turn() -> None:
    """An interrupt while functions run closes the flow."""
    chat, service = Conversation("c"), Service([call_item("f", "a")])
    turn = chat.begin("go")
    flow = asking(chat, turn, PLACE, {"model": "m"}, runs_tools=True)
    flow.send(None)
    flow.send(service({"input": []}))
    flow.close()
    assert chat.path == [turn]
