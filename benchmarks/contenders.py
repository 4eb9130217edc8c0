"""Who reads the stream: each contender is made for a base URL and returns a function that reads one answer's text.

Each is what its own documentation shows, with nothing added. Those that look at nothing return an empty text.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

__all__ = [
    "ASYNC_BASELINE",
    "BASELINE",
    "BLIND",
    "COMETNB",
    "COMETNB_ASYNC",
    "CONTENDERS",
    "ENVIRONMENTS",
    "FOLDED",
    "OPENAI_CREATE",
    "Reader",
]

Reader = Callable[[], str]

BASELINE = "httpx, doing nothing"
ASYNC_BASELINE = "httpx async, doing nothing"
COMETNB = "cometnb Client.stream"
COMETNB_ASYNC = "cometnb AsyncClient.stream"
OPENAI_CREATE = "openai create(stream=True)"
_SOCKET = "raw socket with json"
_OPENAI_STREAM = "openai responses.stream()"
_CHATLAS = "chatlas Chat.stream"
_LISETTE = "lisette Chat(stream=True)"

# They return no text, as they look at nothing.
BLIND = frozenset({BASELINE, ASYNC_BASELINE})

_KEY = "made-up"
_MODEL = "gpt-5.4"
_PROMPT = "Tell me about the tide."
_BODY = {"model": _MODEL, "input": _PROMPT, "stream": True}


def _raw_socket(base_url: str) -> Reader:
    """The least that any Python client must do: receive, split, parse, keep the deltas."""
    place = urlsplit(base_url)
    content = json.dumps(_BODY).encode()
    head = f"POST {place.path}/responses HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(content)}\r\n\r\n"

    def read() -> str:
        deltas, rest = [], b""
        with socket.create_connection((place.hostname or "", place.port or 80)) as connection:
            connection.sendall(head.encode() + content)
            while not rest.endswith(b"0\r\n\r\n"):
                *lines, rest = (rest + connection.recv(65536)).split(b"\n\n")
                for line in lines:
                    event = json.loads(line[line.index(b"data: ") + 6 :])
                    if event["type"] == "response.output_text.delta":
                        deltas.append(event["delta"])
        return "".join(deltas)

    return read


def _httpx(base_url: str) -> Reader:
    import httpx

    client = httpx.Client()

    def read() -> str:
        with client.stream("POST", f"{base_url}/responses", json=_BODY) as answer:
            for _ in answer.iter_bytes():
                pass
        return ""

    return read


def _httpx_async(base_url: str) -> Reader:
    import httpx

    client, runner = httpx.AsyncClient(), asyncio.Runner()

    async def read() -> str:
        async with client.stream("POST", f"{base_url}/responses", json=_BODY) as answer:
            async for _ in answer.aiter_bytes():
                pass
        return ""

    return lambda: runner.run(read())


def _cometnb(base_url: str) -> Reader:
    from cometnb import Client

    client = Client(api_key=_KEY, base_url=base_url)

    def read() -> str:
        with client.stream(_PROMPT, model=_MODEL) as stream:
            for _ in stream:
                pass
        return stream.response.output_text

    return read


def _cometnb_async(base_url: str) -> Reader:
    from cometnb import AsyncClient

    client, runner = AsyncClient(api_key=_KEY, base_url=base_url), asyncio.Runner()

    async def read() -> str:
        async with client.stream(_PROMPT, model=_MODEL) as stream:
            async for _ in stream:
                pass
        return stream.response.output_text

    return lambda: runner.run(read())


def _openai_create(base_url: str) -> Reader:
    from openai import OpenAI

    client = OpenAI(api_key=_KEY, base_url=base_url)

    def read() -> str:
        stream = client.responses.create(input=_PROMPT, model=_MODEL, stream=True)
        return "".join(event.delta for event in stream if event.type == "response.output_text.delta")

    return read


def _openai_stream(base_url: str) -> Reader:
    from openai import OpenAI

    client = OpenAI(api_key=_KEY, base_url=base_url)

    def read() -> str:
        with client.responses.stream(input=_PROMPT, model=_MODEL) as stream:
            for _ in stream:
                pass
            return stream.get_final_response().output_text

    return read


def _chatlas(base_url: str) -> Reader:
    from chatlas import ChatOpenAI  # type: ignore[import-not-found, unused-ignore]

    chat = ChatOpenAI(api_key=_KEY, base_url=base_url, model=_MODEL)

    def read() -> str:
        # Every answer is the first of its conversation, as it is for the others.
        chat.set_turns([])
        return "".join(chat.stream(_PROMPT))

    return read


def _lisette(base_url: str) -> Reader:
    from lisette import Chat  # type: ignore[import-not-found, unused-ignore]

    def read() -> str:
        chat = Chat(f"openai/responses/{_MODEL}", api_base=base_url, api_key=_KEY)
        for _ in chat(_PROMPT, stream=True):
            pass
        return str(chat.hist[-1].content)

    return read


CONTENDERS: dict[str, Callable[[str], Reader]] = {
    _SOCKET: _raw_socket,
    BASELINE: _httpx,
    ASYNC_BASELINE: _httpx_async,
    COMETNB: _cometnb,
    COMETNB_ASYNC: _cometnb_async,
    OPENAI_CREATE: _openai_create,
    _OPENAI_STREAM: _openai_stream,
    _CHATLAS: _chatlas,
    _LISETTE: _lisette,
}

ENVIRONMENTS: dict[str, str] = {
    BASELINE: "httpx",
    ASYNC_BASELINE: "httpx",
    OPENAI_CREATE: "openai",
    _OPENAI_STREAM: "openai",
    _CHATLAS: "chatlas",
    _LISETTE: "lisette",
}
"""In whose environment a contender runs; the others run in this one."""

FOLDED = (OPENAI_CREATE, _OPENAI_STREAM, _CHATLAS, _LISETTE)
"""Those that a user could take instead: they make more of the stream than bytes."""
