"""A request with an idempotency key has one effect, however often it comes."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from cometnb.client.simulator import Simulator
from cometnb.client.simulator.once import Once
from cometnb.client.simulator.reply import Refusal

_BODY: dict[str, Any] = {"model": "gpt-5.4", "input": "Say hello."}


def _asked(simulator: Simulator, key: str = "", **body: Any) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    with httpx.Client(transport=simulator, base_url="http://simulator/v1") as http:
        return http.post("/responses", json=_BODY | body, headers=headers)


def test_the_same_request_with_the_same_key_gets_the_same_response() -> None:
    """It is made once; without a key it is made each time."""
    simulator = Simulator()
    first, again = (_asked(simulator, "a").json() for _ in range(2))
    assert again["id"] == first["id"]
    assert again["output"] == first["output"]
    assert list(simulator.times_made.values()) == [1]
    assert _asked(simulator).json()["id"] != first["id"]
    assert list(simulator.times_made.values()) == [2]


def test_a_stream_that_was_cut_off_is_streamed_again_whole() -> None:
    """Its response was made, although nobody has read it to its end."""
    simulator = Simulator(fault="cut:times=1")
    with pytest.raises(httpx.RemoteProtocolError):
        _asked(simulator, "a", stream=True)
    again = _asked(simulator, "a", stream=True)
    events = [json.loads(line[6:]) for line in again.text.splitlines() if line.startswith("data: {")]
    assert events[-1]["type"] == "response.completed"
    assert list(simulator.times_made.values()) == [1]


def test_a_refusal_is_not_kept() -> None:
    """Nothing was made, and the next try may fare better."""
    simulator = Simulator(fault="503:times=1")
    assert _asked(simulator, "a").status_code == 503
    assert _asked(simulator, "a").status_code == 200


def test_a_key_is_good_for_one_request_only() -> None:
    """Another one under it is refused, as it would get the wrong answer."""
    simulator = Simulator()
    _asked(simulator, "a")
    refused = _asked(simulator, "a", input="Say goodbye.")
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "idempotency_key_reused"


def test_old_keys_are_forgotten() -> None:
    """As services keep them for a day or so."""
    once = Once(most=1)
    entry: Any = object()
    once.keep("a", b"1", entry, entry)
    once.keep("b", b"2", entry, entry)
    assert once.get("a", b"1") is None
    assert once.get("b", b"2") is not None
    with pytest.raises(Refusal):
        once.get("b", b"3")
