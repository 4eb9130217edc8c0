"""Recorded against a real HTTP server and replayed without it: the same answers, to the last message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.cassette import Cassette
from cometnb.client.client import AsyncClient, Client
from cometnb.client.server import running_server
from cometnb.errors import CometError
from cometnb.session.background import submit
from cometnb.session.conversation import Conversation
from cometnb.session.session import Session
from cometnb.session.structured import schema_of, text_format
from cometnb.session.tools import Toolbox
from tests.client.asking import both_kinds
from tests.client.transports import KEY, at_once

_IMAGE = "data:image/png;base64," + "iVBORw0KGgo" * 100


@dataclass
class _Seen:
    """What came of some calls."""

    texts: list[str] = field(default_factory=list)
    usages: list[Any] = field(default_factory=list)
    n_events: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    attempts: list[tuple[str, str | None, int]] = field(default_factory=list)
    backends: set[str] = field(default_factory=set)

    def __call__(self, attempt: Attempt) -> None:
        self.attempts.append((attempt.status, attempt.error_code, attempt.n_events))
        self.backends.add(attempt.backend)


def _sync(client: Client, seen: _Seen) -> None:
    at_once(client)
    for params in _CALLS:
        try:
            with client.stream(**params) as stream:
                seen.n_events.append(sum(1 for _ in stream))
            seen.texts.append(stream.response.output_text)
            seen.usages.append(stream.response.usage)
        except CometError as error:
            seen.errors.append(str(error))
            seen.texts.append(error.response.output_text if error.response else "")
    whole = client.respond("As one body.")
    seen.texts.append(whole.output_text)
    seen.texts.append(client.retrieve(str(whole.id)).output_text)
    seen.texts.append(repr(client.input_items(str(whole.id))))
    seen.texts.append(repr(client.models()))
    seen.texts.append(repr(client.delete(str(whole.id))))


async def _async(client: AsyncClient, seen: _Seen) -> None:
    at_once(client)
    for params in _CALLS:
        try:
            async with client.stream(**params) as stream:
                seen.n_events.append(len([event async for event in stream]))
            seen.texts.append(stream.response.output_text)
            seen.usages.append(stream.response.usage)
        except CometError as error:
            seen.errors.append(str(error))
            seen.texts.append(error.response.output_text if error.response else "")
    whole = await client.respond("As one body.")
    seen.texts.append(whole.output_text)
    seen.texts.append((await client.retrieve(str(whole.id))).output_text)
    seen.texts.append(repr(await client.input_items(str(whole.id))))
    seen.texts.append(repr(await client.models()))
    seen.texts.append(repr(await client.delete(str(whole.id))))


def _simulate(fault: str) -> dict[str, Any]:
    return {"input": f"Answer with {fault}.", "metadata": {"simulate": fault}}


_CALLS: list[dict[str, Any]] = [
    {"input": "Say hello.", "reasoning": {"effort": "low", "summary": "auto"}},
    {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": _IMAGE}]}]},
    _simulate("429:times=1,retry_after=0.05"),
    _simulate("429:retry_after=0.05"),
    _simulate("401"),
    _simulate("html"),
    _simulate("cut"),
    _simulate("eof"),
    _simulate("failed"),
    _simulate("error_event"),
]


def _all(kind: str, seen: _Seen, **settings: Any) -> None:
    if kind == "sync":
        with Client(observers=[seen], **settings) as client:
            _sync(client, seen)
        return

    async def run() -> None:
        async with AsyncClient(observers=[seen], **settings) as client:
            await _async(client, seen)

    asyncio.run(run())


@both_kinds
def test_every_kind_of_answer_comes_again(tmp_path: Path, kind: str) -> None:
    """Streams, bodies, lists, errors, retries and broken connections: outputs, usage and messages are equal."""
    path, first, again = tmp_path / "calls.jsonl", _Seen(), _Seen()
    with running_server() as server:
        _all(kind, first, api_key=KEY, base_url=server.base_url, transport=Cassette(path, "record"))
    _all(kind, again, transport=Cassette(path, pace="instant"))
    assert len(first.errors) == 7, first.errors
    assert (again.texts, again.usages, again.n_events) == (first.texts, first.usages, first.n_events)
    assert again.attempts == first.attempts
    assert [_facts(text) for text in again.errors] == [_facts(text) for text in first.errors]
    assert (first.backends, again.backends) == ({"api"}, {"cassette"})


def _facts(text: str) -> str:
    """An error without where it came from: the connection breaks in other words."""
    return "broke" if "broke" in text else text


def population(city: str) -> int:
    """People living in a city."""
    return len(city)


def _with_tools(session: Session) -> list[str]:
    turn = session.start_turn(
        Conversation("c"),
        "Find the population of Rome in two rounds.",
        toolbox=Toolbox([population]),
        reasoning={"effort": "none"},
    )
    return [turn.wait().output_text, *(repr(one.output) for one in turn.response.tool_results)]


def _with_chat(session: Session) -> list[str]:
    chat = Conversation("c")
    return [
        session.start_turn(chat, text).wait().output_text for text in ("I am Ada.", "Who am I?", "And now?")
    ]


def _with_schema(session: Session) -> list[str]:
    schema = schema_of("name, age int")
    return [session.start("Make one up.", text={"format": text_format(schema)}).wait().output_text]


def _in_background(session: Session) -> list[str]:
    work = submit(session.client, "Think about it.")
    return [work.wait().output_text, str(work.wait().usage)]


@pytest.mark.parametrize("ask", [_with_tools, _with_chat, _with_schema, _in_background])
def test_whole_turns_come_again(tmp_path: Path, ask: Callable[[Session], list[str]]) -> None:
    """Tool loops, conversations, structured answers and work in the background, through a session."""
    path = tmp_path / "turns.jsonl"
    with running_server() as server:
        with_server = Session(api_key=KEY, base_url=server.base_url, transport=Cassette(path, "record"))
        first = ask(with_server)
        with_server.close()
    offline = Session(transport=Cassette(path, pace="instant"))
    assert ask(offline) == first
    assert all(first)
    offline.close()
