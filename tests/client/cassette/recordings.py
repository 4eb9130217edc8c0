"""Cassettes made for a test, and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cometnb.client.cassette import Cassette
from cometnb.client.client import Client
from cometnb.client.simulator import Simulator

__all__ = ["lines_of", "recorded", "replaying", "said"]


def recorded(path: Path, ask: Callable[[Client], Any], *, mode: str = "record", **simulator: Any) -> Any:
    """Record what `ask` asks of a simulator, and return what it returns."""
    with Client(transport=Cassette(path, mode, transport=Simulator(**simulator))) as client:
        return ask(client)


def said(path: Path, *texts: str, prompt: str = "Hi", **params: Any) -> Path:
    """Record one answer for each text, all to the same prompt, and return the path."""
    simulator = Simulator()
    with Client(transport=Cassette(path, "record", transport=simulator)) as client:
        for text in texts:
            simulator.text = text
            client.respond(prompt, **params)
    return path


def replaying(path: Path, **settings: Any) -> Client:
    """Return a client that is answered from a cassette, at once."""
    return Client(transport=Cassette(path, **{"pace": "instant", **settings}))


def lines_of(path: Path, kind: str = "") -> list[dict[str, Any]]:
    """Return a file's lines; of one kind, if it is named."""
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [line for line in lines if not kind or kind in line]
