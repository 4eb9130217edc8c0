"""The troubles by name: a table from a trouble to what it does, what is left of the answer, and a line of help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from cometnb.client.faults import breaking, contents, framing, refusals
from cometnb.client.faults.steps import Trouble, whole

__all__ = ["TROUBLES", "Left", "Row", "listed"]

Left: TypeAlias = Literal["all", "part", "any"]
"""What of the answer a good client ends with: all of it, less than all, or either."""

_ALL: Final = "all"
_PART: Final = "part"
_ANY: Final = "any"


class Row(NamedTuple):
    """A trouble.

    Attributes
    ----------
    steps : callable
        From an answer and a source of chance to what is sent.
    left : {'all', 'part', 'any'}
    doc : str
        What happens, for help.
    lasts : int
        Requests one after the other that it meets at most; as a rule one.
    is_other_kind : bool
        A stream is answered in one body, and the reverse.
    keeps_text : bool
        Whether every delta that was sent whole can be read, and stands in the bytes as it is to be read.
    """

    steps: Trouble
    left: Left
    doc: str
    lasts: int = 1
    is_other_kind: bool = False
    keeps_text: bool = True


_READABLE: dict[str, Row] = {
    "none": Row(whole, _ALL, "the answer as it should be"),
    "length": Row(framing.with_length, _ALL, "in one piece, with its length"),
    "until-close": Row(framing.until_close, _ALL, "no length; the connection's end is the body's"),
    "http-1.0": Row(framing.http_1_0, _ALL, "the old version of HTTP"),
    "crumbs": Row(framing.crumbs, _ALL, "a few bytes at a time, split anywhere"),
    "slow-bytes": Row(framing.slow_bytes, _ALL, "about a second of single bytes and waits, head included"),
    "chunk-extras": Row(
        framing.chunk_extras, _ALL, "odd chunks with extensions, and a trailer", keeps_text=False
    ),
    "early-hints": Row(framing.early_hints, _ALL, "100, 102 and 103 before the answer"),
    "many-headers": Row(framing.many_headers, _ALL, "400 headers, some twice, one empty"),
    "giant-header": Row(framing.giant_header, _ANY, "a header of 60 or 300 KB", keeps_text=False),
    "garbage-behind": Row(
        framing.garbage_behind, _ALL, "bytes behind the answer, on a connection that is kept"
    ),
    "carriage-returns": Row(contents.carriage_returns, _ALL, "CR and CRLF line ends, and a byte order mark"),
    "comments": Row(contents.comments, _ALL, "comments, pings and [DONE] between and behind the events"),
    "giant-event": Row(contents.giant, _ALL, "an event or field of 11 MB"),
    "bad-utf-8": Row(contents.bad_utf8, _ALL, "bytes that are no UTF-8, split over chunks", keeps_text=False),
    "spoilt-text": Row(contents.spoilt_text, _ALL, "bytes that are no UTF-8 in the text", keeps_text=False),
    "nul": Row(contents.prefixing(b"\\u0000"), _ALL, "a NUL in the text"),
    "lone-surrogate": Row(
        contents.prefixing(b"\\ud83d"), _ALL, "half a surrogate pair in the text", keeps_text=False
    ),
    "duplicates": Row(contents.duplicates, _ALL, "announcements and ends twice"),
    "duplicate-keys": Row(contents.duplicate_keys, _ALL, "keys twice in one object", keeps_text=False),
    "no-beginning": Row(contents.no_beginning, _ALL, "the first events are missing"),
    "behind-the-end": Row(contents.behind_the_end, _ALL, "more events behind the last", keeps_text=False),
    "wrong-types": Row(contents.wrong_types, _ALL, "events whose fields are of other types, or no JSON"),
    "huge-number": Row(contents.planting(b"1" + b"0" * 5_000), _ALL, "an integer of 5,001 digits"),
    "not-finite": Row(contents.planting(b"[NaN,Infinity,-Infinity,1e999]"), _ALL, "NaN and Infinity"),
    "absurd-usage": Row(contents.absurd_usage, _ALL, "usage below zero, beyond any number, or as text"),
    "other-kind": Row(whole, _ALL, "a stream in answer to none, and the reverse", is_other_kind=True),
    "gzip": Row(breaking.gzipped, _ALL, "compressed as a whole"),
    "gzip-events": Row(breaking.gzipped_events, _ALL, "compressed event by event"),
    "unknown-coding": Row(
        breaking.coded("br", "zstd", "identity", "x", "gzip, gzip"), _ANY, "an encoding that it is not in"
    ),
}

_UNSURE: dict[str, Row] = {
    "deep-nesting": Row(
        contents.planting(b"[" * 100_000 + b"]" * 100_000), _ANY, "100,000 brackets in brackets"
    ),
    "reordered": Row(contents.reordered, _ANY, "neighbouring events change places", keeps_text=False),
    "wrong-type": Row(
        contents.typed("", "text/plain", "text/html", "application/json", "text/event-stream", ";;"),
        _ANY,
        "no content type, or a wrong one",
        keeps_text=False,
    ),
    "no-end": Row(contents.no_end, _ANY, "the last event is missing"),
    "cut": Row(breaking.cut(), _ANY, "the connection ends at any byte"),
    "reset": Row(breaking.cut(is_reset=True), _ANY, "the connection is reset at any byte", keeps_text=False),
    "long-length": Row(breaking.long_length, _ANY, "more bytes promised than sent"),
    "short-length": Row(breaking.short_length, _ANY, "fewer bytes promised than sent", keeps_text=False),
    "both-lengths": Row(breaking.both_lengths, _ANY, "lengths that contradict each other", keeps_text=False),
    "bad-chunk": Row(breaking.bad_chunk, _ANY, "a chunk whose size is none"),
    "bad-gzip": Row(breaking.bad_gzip, _ANY, "compressed, with a spoilt byte", keeps_text=False),
    "cut-gzip": Row(breaking.cut_gzip, _ANY, "compressed, and cut", keeps_text=False),
    "stalls": Row(breaking.stalls, _ANY, "a part, and then nothing more"),
    "never-ends": Row(breaking.never_ends, _ANY, "all but the last event, then keep-alives for ever"),
}

_LOST: dict[str, Row] = {
    "cut-in-head": Row(breaking.cut(in_head=True), _PART, "the connection ends in the headers"),
    "reset-in-head": Row(
        breaking.cut(is_reset=True, in_head=True), _PART, "the connection is reset in the headers"
    ),
    "bad-header": Row(breaking.bad_header, _ANY, "a header that is none", keeps_text=False),
    "error-event": Row(contents.error_event, _PART, "an error in the middle of the events"),
    "not-gzip": Row(
        breaking.coded("gzip", "deflate"),
        _PART,
        "claims to be compressed and is not",
        keeps_text=False,
    ),
    "flood": Row(breaking.flood, _PART, "all but the last event, then comments without end, at full speed"),
    "gzip-bomb": Row(
        breaking.gzip_bomb, _PART, "the same in gzip: a kilobyte sent is a megabyte", keeps_text=False
    ),
    "dribbles": Row(breaking.dribbles, _PART, "four bytes a second"),
    "never-answers": Row(breaking.never_answers, _PART, "the request is taken, and that is all"),
    "slow-head": Row(breaking.slow_head, _PART, "headers for ever"),
    "hints-for-ever": Row(breaking.hints_for_ever, _PART, "102 Processing for ever"),
    "empty": Row(refusals.empty, _PART, "200 or 204 and nothing"),
    "page": Row(refusals.page(200, 403, 502, 404), _PART, "a web page"),
    "redirect": Row(refusals.redirect, _PART, "to the same place again, or elsewhere"),
    "4xx": Row(
        refusals.refusal(400, 401, 403, 404, 408, 409, 413, 422, 499), _PART, "the request is refused"
    ),
    "429-storm": Row(
        refusals.refusal(429, absurd_waits=True),
        _PART,
        "1 to 6 requests are too many, with waits of any kind asked for",
        lasts=6,
    ),
    "5xx-run": Row(
        refusals.refusal(500, 502, 503, 504, 520, 529, 599), _PART, "1 to 6 requests fail", lasts=6
    ),
    "odd-status": Row(refusals.refusal(206, 226, 300, 304, 451, 999), _PART, "a status that nobody expects"),
    "no-http": Row(breaking.no_http, _PART, "something that is no HTTP"),
}

TROUBLES: dict[str, Row] = {**_READABLE, **_UNSURE, **_LOST}

_LEFT: dict[Left, str] = {
    "all": "the whole answer is there, and can be read",
    "any": "it depends on the place, the request and the reader",
    "part": "the answer is lost, or a part of it",
}


def listed() -> Iterator[str]:
    """Yield the lines that explain every trouble, in groups by what is left of the answer."""
    width = max(map(len, TROUBLES)) + 2
    for left, words in _LEFT.items():
        yield f"{words}:"
        for name, row in TROUBLES.items():
            if row.left == left:
                yield f"  {name:{width}}{row.doc}"
