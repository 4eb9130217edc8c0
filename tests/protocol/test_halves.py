"""Pieces of text, cut anywhere, as text that can be printed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol.halves import Halves
from cometnb.protocol.response import whole_text


@given(st.lists(st.text(st.sampled_from("a\ud83d\ude00😀"), max_size=3)))
def test_pieces_read_like_the_whole(pieces: list[str]) -> None:
    """Wherever a character was cut; every piece has UTF-8."""
    halves = Halves()
    shown = [*map(halves.joined, pieces), halves.rest()]
    for one in shown:
        one.encode()
    assert "".join(shown) == whole_text("".join(pieces))
