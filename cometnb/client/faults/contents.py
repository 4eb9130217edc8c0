"""Troubles inside the body: events twice, out of order, giant or of no kind, and JSON that is barely JSON."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

from cometnb.client.faults.steps import CHUNKED, LAST_CHUNK, Answer, Step, Trouble, chunk, head, whole

__all__ = [
    "absurd_usage",
    "bad_utf8",
    "behind_the_end",
    "carriage_returns",
    "comments",
    "duplicate_keys",
    "duplicates",
    "error_event",
    "giant",
    "no_beginning",
    "no_end",
    "planting",
    "prefixing",
    "reordered",
    "spoilt_text",
    "typed",
    "wrong_types",
]

_UNKNOWN = b'data: {"type":"response.unknown.delta","blob":%s}\n\n'
_MANY_BYTES = 11_000_000
_COMMENTS = (
    b": keep-alive\n\n",
    b": \x00\n\n",
    b'data: {"type":"keepalive"}\n\n',
    b"event: ping\ndata: {}\n\n",
    b"retry: 10\n\n",
    b"id: \x00\n\n",
    b"data\n\n",
)
_WRONG_TYPES = (
    b'{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":{"a":1}}',
    b'{"type":"response.output_text.delta","output_index":-1,"content_index":1e99,"delta":null}',
    b'{"type":"response.output_item.added","output_index":"0","item":[]}',
    b'{"type":"response.content_part.added","part":7}',
    b'{"type":"response.in_progress","response":"yes"}',
    b'{"type":["response.completed"]}',
    b'{"type":{}}',
    b"17",
    b"null",
    b'"response.completed"',
    b"{",
    b"",
)
_ABSURD_USAGE: tuple[Any, ...] = (
    {"input_tokens": -5, "output_tokens": -1, "total_tokens": -6},
    {"input_tokens": 10**30, "output_tokens": 1e300, "total_tokens": 2**63},
    {"input_tokens": "many", "output_tokens": [], "total_tokens": {}},
    {"input_tokens": 1.5, "output_tokens": True, "total_tokens": None},
    {"input_tokens": 1, "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 1000}},
    {"input_tokens": float("nan"), "output_tokens": float("inf"), "total_tokens": float("-inf")},
    [],
    "none",
)


def planting(junk: bytes) -> Trouble:
    """Return the trouble that puts JSON into an event of a kind nobody knows, or into a field nobody knows."""

    def steps(answer: Answer, chance: random.Random) -> Iterator[Step]:
        yield from whole(_planted(answer, chance, junk), chance)

    return steps


def prefixing(escape: bytes) -> Trouble:
    """Return the trouble that begins the answer's text with a JSON escape."""

    def steps(answer: Answer, chance: random.Random) -> Iterator[Step]:
        yield from whole(answer.holding(_prefixed(answer, escape)), chance)

    return steps


def giant(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Put 11 MB into one event or field."""
    yield from whole(_planted(answer, chance, b'"' + b"x" * _MANY_BYTES + b'"'), chance)


def bad_utf8(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Put bytes that are no UTF-8 into what nobody reads, and split characters over the borders of chunks."""
    spoilt = _planted(answer, chance, '"é世🙂'.encode() + b'\xc3\x28\xff\xf0\x9f"')
    body = (b": \xff\xfe\n\n" if answer.is_stream else b"") + spoilt.body
    yield head(answer, CHUNKED)
    at = 0
    while at < len(body):
        n_bytes = chance.choice((1, 1, 2, 3, 500))
        yield chunk(body[at : at + n_bytes])
        at += n_bytes
    yield LAST_CHUNK


def spoilt_text(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Put bytes that are no UTF-8 into the text itself."""
    yield from whole(answer.holding(_prefixed(answer, b"\xff\xc3")), chance)


def comments(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Put comments, pings and events that nobody knows between the events, and [DONE] behind them."""
    pieces: list[bytes] = []
    for piece in answer.pieces:
        pieces += [chance.choice(_COMMENTS)] if answer.is_stream and chance.random() < 0.3 else []
        pieces.append(piece)
    if answer.is_stream:
        pieces.append(b"data: [DONE]\n\n")
    yield from whole(answer.holding(pieces), chance)


def carriage_returns(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """End lines in the other ways there are, with a byte order mark before them."""
    end = chance.choice((b"\r\n", b"\r"))
    start = b"\xef\xbb\xbf" if chance.random() < 0.5 else b""
    body = start + (answer.body.replace(b"\n", end) if answer.is_stream else answer.body)
    yield head(answer, f"Content-Length: {len(body)}") + body


def duplicates(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Send announcements and ends twice; of two equal deltas nobody could say that one is a mistake."""
    pieces: list[bytes] = []
    for piece in answer.pieces:
        pieces += [piece] * (2 if answer.is_stream and b"delta" not in piece and chance.random() < 0.5 else 1)
    yield from whole(answer.holding(pieces), chance)


def reordered(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Let neighbouring events change places."""
    pieces = list(answer.pieces)
    if answer.is_stream:
        for at in range(len(pieces) - 2):
            if chance.random() < 0.1:
                pieces[at], pieces[at + 1] = pieces[at + 1], pieces[at]
    yield from whole(answer.holding(pieces), chance)


def no_beginning(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Leave out the first events, which announce what comes."""
    n_left_out = chance.randint(1, 4) if answer.is_stream else 0
    yield from whole(answer.holding(answer.pieces[min(n_left_out, len(answer.pieces) - 1) :]), chance)


def no_end(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Leave out the last event; the end of the connection is in order."""
    yield from whole(answer.holding(answer.pieces[: -1 if answer.is_stream else None]), chance)


def behind_the_end(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Go on behind the last event, as if it had not been sent."""
    more = [chance.choice(answer.pieces) for _ in range(5)] if answer.is_stream else [b"\n \n"]
    yield from whole(answer.holding([*answer.pieces, *more]), chance)


def error_event(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Say in the middle, in any of the shapes there are, that it went wrong."""
    said = chance.choice(
        (
            b'event: error\ndata: {"type":"error","code":"server_error","message":"no"}\n\n',
            b'data: {"error":{"message":"no","code":429}}\n\n',
            b'data: {"type":"response.failed","response":{"status":"failed","error":null}}\n\n',
            b'data: {"detail":"no"}\n\n',
        )
    )
    if answer.is_stream:
        yield from whole(
            answer.holding([*answer.pieces[: chance.randrange(len(answer.pieces))], said]), chance
        )
    else:
        yield from whole(answer.holding([b'{"error":{"message":"no","code":429}}']), chance)


def wrong_types(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Put events between whose fields are of other types than they should be, or that are no JSON."""
    pieces: list[bytes] = []
    for piece in answer.pieces:
        pieces += [b"data: %s\n\n" % chance.choice(_WRONG_TYPES)] if answer.is_stream else []
        pieces.append(piece)
    yield from whole(answer.holding(pieces), chance)


def duplicate_keys(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Say things twice in one object, wrongly at first; readers of JSON take the last."""
    if answer.is_stream:
        pieces = [
            piece.replace(b'{"type":', b'{"type":"nonsense","type":').replace(
                b'"delta":', b'"delta":7,"delta":'
            )
            for piece in answer.pieces
        ]
    else:
        pieces = [b'{"status":"failed","output":null,' + answer.body[1:]]
    yield from whole(answer.holding(pieces), chance)


def absurd_usage(answer: Answer, chance: random.Random) -> Iterator[Step]:
    """Report tokens below zero, beyond any number, as text, or more in a part than in the whole."""
    usage = json.dumps(chance.choice(_ABSURD_USAGE)).encode()
    body = re.sub(rb'"usage":\{(?:[^{}]|\{[^{}]*\})*\}', b'"usage":' + usage, answer.pieces[-1])
    yield from whole(answer.holding([*answer.pieces[:-1], body]), chance)


def typed(*kinds: str) -> Trouble:
    """Return the trouble that calls the body something else; an empty kind is none."""

    def steps(answer: Answer, chance: random.Random) -> Iterator[Step]:
        headers = {name: value for name, value in answer.headers.items() if name != "Content-Type"}
        kind = chance.choice(kinds)
        again = Answer(answer.status, headers | ({"Content-Type": kind} if kind else {}), answer.pieces)
        yield head(again, f"Content-Length: {len(answer.body)}") + answer.body

    return steps


def _planted(answer: Answer, chance: random.Random, junk: bytes) -> Answer:
    if not answer.is_stream:
        return answer.holding([b'{"unknown":' + junk + b"," + answer.body[1:]])
    at = chance.randrange(len(answer.pieces))
    return answer.holding([*answer.pieces[:at], _UNKNOWN % junk, *answer.pieces[at:]])


def _prefixed(answer: Answer, escape: bytes) -> list[bytes]:
    """Return the pieces with something before the first delta and before every telling of the whole text."""
    pieces, is_before_text = [], True
    for piece in answer.pieces:
        told = re.sub(rb'"text":"(?!")', lambda found: found[0] + escape, piece)
        if is_before_text and b'output_text.delta"' in told:
            is_before_text = False
            told = told.replace(b'"delta":"', b'"delta":"' + escape, 1)
        pieces.append(told)
    return pieces
