"""Asks a simulator and reads its bytes without any of the client's own code."""

from __future__ import annotations

import json
from typing import Any

import httpx

from cometnb.client.simulator import Simulator

__all__ = [
    "EMPTY",
    "WEATHER",
    "asked",
    "call",
    "calls_of",
    "deltas",
    "events",
    "outputs",
    "parsed",
    "posted",
    "raw",
    "text_of",
]

EMPTY: dict[str, Any] = {"model": "gpt-5.4", "input": "What is a monad?"}

WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer", "minimum": 1, "maximum": 14},
        },
        "required": ["city", "unit", "days"],
        "additionalProperties": False,
    },
    "strict": True,
}


def call(simulator: Simulator, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
    """Send any request and return the HTTP response, whatever its status."""
    with httpx.Client(transport=simulator, base_url="http://simulator/v1") as http:
        return http.request(method, path, params=query, content=None if body is None else json.dumps(body))


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
    return parsed(raw(simulator, **params))


def parsed(data: bytes) -> list[dict[str, Any]]:
    """Return the events of a body."""
    found = []
    text = data.decode()
    for block in text.removesuffix("\n\n").split("\n\n") if data else ():
        name, line = block.split("\n")
        event = json.loads(line.removeprefix("data: "))
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


def calls_of(response: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the function calls of a response object, each with its arguments read."""
    found = [item for item in response["output"] if item["type"] == "function_call"]
    return [{**item, "arguments": json.loads(item["arguments"])} for item in found]


def outputs(response: dict[str, Any], said: str = "done") -> list[dict[str, Any]]:
    """Return an output for every function call of a response."""
    return [
        {"type": "function_call_output", "call_id": found["call_id"], "output": said}
        for found in calls_of(response)
    ]
