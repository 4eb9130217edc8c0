"""Requests off a connection: as much of HTTP as clients send."""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from cometnb.client.simulator.reply import Request

__all__ = ["Came", "read_request"]

_MOST_BODY_BYTES = 512 * 1024 * 1024


class Came(NamedTuple):
    """A request, and whether its client will send another one on the same connection."""

    request: Request
    keeps_connection: bool


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Came:
    """Read one request.

    Raises
    ------
    asyncio.IncompleteReadError
        The connection ended before or in it.
    ValueError
        It is no HTTP, or larger than 512 MB.
    """
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, version = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await _body(reader, headers)
    path, _, query = target.partition("?")
    keeps = version != "HTTP/1.0" and headers.get("connection", "").lower() != "close"
    once = headers.get("idempotency-key", "")
    return Came(Request(method, unquote(path), dict(parse_qsl(query)), body, once), keeps)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(_checked(int(headers.get("content-length") or 0)))
    pieces: list[bytes] = []
    n_bytes = 0
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        n_bytes = _checked(n_bytes + size)
        pieces.append((await reader.readexactly(size + 2))[:-2])
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return b"".join(pieces)


def _checked(n_bytes: int) -> int:
    if not 0 <= n_bytes <= _MOST_BODY_BYTES:
        raise ValueError(n_bytes)
    return n_bytes
