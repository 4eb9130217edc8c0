"""Troubles that put another answer in the place of the right one: error statuses, web pages, redirects, nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from cometnb.client.faults.steps import Answer, Step, Trouble

__all__ = ["empty", "page", "redirect", "refusal"]

_PAGE = b"<!DOCTYPE html><html><title>nginx</title><script>alert(1)</script>Bad gateway</html>"
_BODIES = (
    b'{"error":{"message":"not now","type":"x","code":""}}',
    b'{"error":{"message":"not now","code":17,"param":["a"]}}',
    b'{"error":"not now"}',
    b'{"detail":"not now"}',
    b"not now",
    b"",
    b"null",
    b"[" * 100_000,
    b'event: error\ndata: {"error":{"message":"not now"}}\n\n',
)
_WAITS = ("", "Retry-After: 0", "Retry-After: soon", "retry-after-ms: 1")
# Nobody should wait for these: not numbers, below zero, in the past, or longer than anyone lives.
_ABSURD_WAITS = (
    "Retry-After: -5",
    "Retry-After: nan",
    "Retry-After: 1e999",
    "Retry-After: 99999999999999999999",
    "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
    "Retry-After: Mon, 99 Foo 99999 99:99:99 +9999",
    "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT",
    "Retry-After: Mon, 01 Jan 0001 00:00:00 +2359",
    "retry-after-ms: -1",
    "retry-after-ms: 1e300",
    "Retry-After: 0\r\nRetry-After: 0",
)


def refusal(*statuses: int, absurd_waits: bool = False) -> Trouble:
    """Return the trouble that answers with one of these statuses and a body in any of the shapes there are.

    Parameters
    ----------
    *statuses : int
    absurd_waits : bool
        Ask for waits that nobody should keep, too.
    """
    waits = _WAITS + _ABSURD_WAITS if absurd_waits else _WAITS

    def steps(answer: Answer, chance: random.Random) -> Iterator[Step]:
        body, wait, status = chance.choice(_BODIES), chance.choice(waits), chance.choice(statuses)
        lines = ["Content-Type: application/json", *([wait] if wait else [])]
        yield _answered(answer, status, lines, body)

    return steps


def page(*statuses: int) -> Trouble:
    """Return the trouble that sends a web page."""

    def steps(answer: Answer, chance: random.Random) -> Iterator[Step]:
        yield _answered(answer, chance.choice(statuses), ["Content-Type: text/html"], _PAGE)

    return steps


def redirect(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send the client back to where it is, for ever, or to another host."""
    place = chance.choice(
        (answer.path, "", "http://127.0.0.1:9/elsewhere", "//", "file:///etc/passwd", "\x7f")
    )
    yield _answered(answer, chance.choice((301, 302, 303, 307, 308)), [f"Location: {place}"], b"")


def empty(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Say that all is well, and nothing else."""
    if chance.random() < 0.3:
        yield _answered(answer, 204, [], None)
    else:
        kind = chance.choice(("application/json", "text/event-stream"))
        yield _answered(
            answer, 200, [f"Content-Type: {kind}"], chance.choice((b"", b"\n\n", b"null", b"[]", b"{}"))
        )


def _answered(answer: Answer, status: int, lines: Sequence[str], body: bytes | None) -> bytes:
    # What marks the answer as this server's stays; what told of the right body goes.
    own = [f"{name}: {value}" for name, value in answer.headers.items() if name != "Content-Type"]
    length = [] if body is None else [f"Content-Length: {len(body)}"]
    return "\r\n".join([f"HTTP/1.1 {status} X", *own, *lines, *length, "", ""]).encode() + (body or b"")
