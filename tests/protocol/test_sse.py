"""Bytes in any chunking give the same events, by the rules of the HTML standard."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cometnb.protocol.sse import Decoder
from tests.protocol.streams import by_the_standard, chunks, decoded

_LINES = st.sampled_from(
    [
        b"",
        b":",
        b": a comment",
        b"data",
        b"data:",
        b"data: x",
        b"data:  two spaces",
        b"data:no space",
        "data: é🎉\u2028\u0085\u000b\u000c\u001c".encode(),
        b"data: \xff\xfe",
        b'data: {"a": 1}',
        b"event: response.created",
        b"event",
        b"id: 7",
        b"retry: 10",
        b"unknown: field",
        b"\xef\xbb\xbfdata: bom",
        b"dat",
        b"Data: wrong case",
        b" data: leading space",
    ]
)
_STREAMS = st.lists(st.tuples(_LINES, st.sampled_from([b"\n", b"\r", b"\r\n"])), max_size=12).map(
    lambda lines: b"".join(line + end for line, end in lines)
)


@given(data=_STREAMS | st.binary(max_size=60), cuts=st.lists(st.integers(0, 400), max_size=8))
@example(data=b"\xef\xbb\xbfdata: a\r\n\r\n", cuts=[1, 2, 11, 12, 13])
def test_any_chunking_gives_the_same_events(data: bytes, cuts: list[int]) -> None:
    """Where a stream is cut says nothing about what is in it; empty chunks do not either."""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    assert decoded(pieces) == by_the_standard(data)


@given(data=_STREAMS)
def test_a_bytearray_or_memoryview_is_read_like_bytes(data: bytes) -> None:
    """What httpx, a file or a socket hands over need not be converted; reusing the buffer does no harm."""
    decoder = Decoder()
    events = []
    for chunk in chunks(data, 3):
        buffer = bytearray(chunk)
        events += decoder.feed(buffer)
        buffer[:] = b"#" * len(buffer)
    assert events + decoder.close() == decoded([data])
    assert decoded(memoryview(chunk) for chunk in chunks(data, 5)) == decoded([data])


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"data: a\n\n", [("", "a")]),
        (b"data:a\n\n", [("", "a")]),
        (b"data:  a\n\n", [("", " a")]),
        (b"data: a\ndata: b\n\n", [("", "a\nb")]),
        (b"data\n\n", [("", "")]),
        (b"event: x\ndata: a\n\ndata: b\n\n", [("x", "a"), ("", "b")]),
        (b"event: x\n\ndata: b\n\n", [("", "b")]),
        (b": hello\n\ndata: a\n\n", [("", "a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", "a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
        (b"data: a\r\rdata: b\r\n\r\n", [("", "a"), ("", "b")]),
        ("data: a\u2028b\u0085c\n\n".encode(), [("", "a\u2028b\u0085c")]),
        (b"data: a\x0bb\x0cc\x1cd\n\n", [("", "a\x0bb\x0cc\x1cd")]),
        (b"data: a\xffb\n\n", [("", "a\ufffdb")]),
        (b"data: [DONE]\n\n", [("", "[DONE]")]),
    ],
)
def test_the_standard_s_cases(data: bytes, events: list[tuple[str, str]]) -> None:
    """Field names, the one dropped space, comments, marks and line ends are as the standard says."""
    assert decoded([data]) == events
    assert decoded(chunks(data, 1)) == events


def test_an_event_without_its_blank_line_is_kept_at_the_end() -> None:
    """Servers that forget the last blank line lose no event, with or without its line end."""
    assert decoded([b"data: a\n\ndata: b\n"]) == [("", "a"), ("", "b")]
    assert decoded([b"data: a\n\ndata: b"]) == [("", "a"), ("", "b")]


def test_an_event_is_given_as_soon_as_its_blank_line_came() -> None:
    """Nothing waits for bytes that belong to the next event, not even the second half of CRLF."""
    decoder = Decoder()
    assert decoder.feed(b"data: a\r\n\r") == [("", "a")]
    assert decoder.feed(b"\ndata: b\n") == []
    assert decoder.feed(b"\n") == [("", "b")]


def test_a_large_event_in_small_chunks_is_joined_once() -> None:
    """The pieces of a long line wait as they are; they are not joined again with every chunk."""
    decoder = Decoder()
    decoder.feed(b"data: ")
    pieces = [b"x" * 1000 for _ in range(1000)]
    for piece in pieces:
        assert decoder.feed(piece) == []
    assert len(decoder._line) == len(pieces) + 1
    assert decoder.feed(b"\n\n") == [("", "x" * 1_000_000)]
