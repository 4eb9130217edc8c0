"""Gateways that lack something, on demand, and the other words the simulator takes."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.client.simulator import Simulator
from cometnb.client.simulator.faults import FAULTS
from cometnb.client.simulator.gaps import GAPS
from cometnb.client.simulator.orders import NUMBERS, SWITCHES, listed
from tests.client.simulator.talk import WEATHER, asked, call, posted

_SCHEMA = {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    ("missing", "params", "param"),
    [
        ("state", {"previous_response_id": "resp_1"}, "previous_response_id"),
        ("conversations", {"conversation": "conv_1"}, "conversation"),
        ("tools", {"tools": [WEATHER]}, "tools"),
        ("schema", {"text": _SCHEMA}, "text.format"),
        ("background", {"background": True}, "background"),
        ("stream", {"stream": True}, "stream"),
    ],
)
def test_what_a_gateway_lacks_is_refused(missing: str, params: dict[str, Any], param: str) -> None:
    """By a setting, by an order for all requests, or by a request's own; what does not use it goes on."""
    own = {"metadata": {"simulate": f"no_{missing}"}}
    answers = [
        posted(Simulator(without=[missing]), **params),
        posted(Simulator(fault=f"no_{missing}"), **params),
        posted(Simulator(), **params, **own),
    ]
    assert {answer.status_code for answer in answers} == {400}
    assert {answer.json()["error"]["param"] for answer in answers} == {param}
    assert asked(Simulator(without=[missing]))["status"] == "completed"


def test_state_can_be_dropped_without_a_word() -> None:
    """The response shows null, and nothing that came before counts."""
    simulator = Simulator()
    first = asked(simulator)
    simulator.without = ["state_silently"]
    second = asked(simulator, previous_response_id=first["id"])
    assert second["previous_response_id"] is None
    assert second["usage"]["input_tokens"] == first["usage"]["input_tokens"]


def test_state_can_be_lost_halfway() -> None:
    """The setting may change between two turns."""
    simulator = Simulator()
    first = asked(simulator)
    second = asked(simulator, previous_response_id=first["id"], input="And then?")
    simulator.without = ["state"]
    assert posted(simulator, previous_response_id=second["id"]).status_code == 400


@pytest.mark.parametrize("own", [False, True])
def test_a_gateway_without_retrieval_knows_no_such_route(own: bool) -> None:
    """404 for whatever is asked by id."""
    simulator = Simulator(without=() if own else ["retrieval"])
    response = asked(simulator, background=True, metadata={"simulate": "no_retrieval"} if own else {})
    path = f"/responses/{response['id']}"
    for method, where in (
        ("GET", path),
        ("POST", f"{path}/cancel"),
        ("DELETE", path),
        ("GET", f"{path}/input_items"),
    ):
        answer = call(simulator, method, where)
        assert (answer.status_code, "Invalid URL" in answer.json()["error"]["message"]) == (404, True)


def test_a_gateway_without_conversations_has_no_routes_for_them() -> None:
    """404."""
    assert call(Simulator(without=["conversations"]), "POST", "/conversations", {}).status_code == 404


def test_orders_add_up() -> None:
    """A request's own word goes first, the others stay."""
    simulator = Simulator(fault="no_background rounds=3", without=["schema"])
    assert posted(simulator, background=True, metadata={"simulate": "rows=2"}).status_code == 400
    assert posted(simulator, text=_SCHEMA).status_code == 400
    answer = asked(simulator, tools=[WEATHER], input="weather", metadata={"simulate": "rounds=0"})
    assert [item["type"] for item in answer["output"]] == ["reasoning", "message"]


def test_a_fault_and_an_order_together() -> None:
    """Words are apart by spaces or semicolons."""
    simulator = Simulator(fault="429:times=1, retry_after=0; no_tools")
    assert posted(simulator, tools=[WEATHER]).status_code == 400
    assert [posted(simulator).status_code for _ in range(2)] == [429, 200]


@pytest.mark.parametrize("word", ["rounds=x", "rounds=101", "calls=0", "no_sense", "polls"])
def test_a_word_that_cannot_be_is_refused(word: str) -> None:
    """400 that says what there is."""
    answer = posted(Simulator(), metadata={"simulate": word})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "metadata.simulate")


def test_help_lists_every_word() -> None:
    """A line each, with what it does; an unknown word is answered with all of them."""
    help_text, said = listed(), posted(Simulator(), metadata={"simulate": "bogus"}).json()["error"]["message"]
    for word in (*FAULTS, *GAPS, *SWITCHES, *NUMBERS):
        assert any(line.startswith(word) and len(line) > len(word) + 5 for line in help_text.splitlines())
        assert word in said
