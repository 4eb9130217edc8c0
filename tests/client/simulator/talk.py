"""Asks a simulator and reads its bytes without any of the client's own code."""

from __future__ import annotations

import json
from typing import Any

import httpx

from cometnb.client.simulator import Simulator

__all__ = ["EMPTY", "asked", "deltas", "events", "posted", "raw", "text_of"]

EMPTY: dict[str, Any] = {"model": "gpt-5.4", "input": "What is a monad?"}


def posted(simulator: Simulator, **params: Any) -> httpx.Response:
    """Send a request, in ASCII with escapes, and return the HTTP response, whatever its status."""
    with httpx.Client(transport=simulator, base_url="http://simulator/v1") as http:
        return http.post("/responses", content=json.dumps(EMPTY | params))


def asked(simulator: Simulator, **params: Any) -> dict[str, Any]:
    """Send a request that succeeds and return the response object."""
    answer = posted(simulator, **params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def raw(simulator: Simulator, **params: Any) -> bytes:
    """Stream a request and return every byte of the body."""
    return posted(simulator, stream=True, **params).content


def events(simulator: Simulator, **params: Any) -> list[dict[str, Any]]:
    """Stream a request and return its events; the name on the wire must agree with the type in the data."""
    found = []
    for block in raw(simulator, **params).decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


def deltas(stream: list[dict[str, Any]]) -> str:
    """Return the joined text deltas."""
    return "".join(event["delta"] for event in stream if event["type"] == "response.output_text.delta")


def text_of(response: dict[str, Any]) -> str:
    """Return the text of a response object."""
    return "".join(
        part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"]
    )
