"""Growing Markdown is cut into finished blocks and a short open tail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.view.blocks import LONGEST_TAIL, Blocks

_ANSWER = (
    "# Title\n\nOne paragraph.\n\n- a\n- b\n\n```python\nx = 1\n\ny = 2\n```\n\n| a |\n|---|\n| 1 |\n\nLast."
)


_KEY = "sk-Canary2x7Qm4Vt9Zp1Rw6Kb3"


def _fed(text: str, step: int) -> tuple[list[str], Blocks]:
    blocks = Blocks()
    finished = [block for at in range(0, len(text), step) for block in blocks.feed(text[at : at + step])]
    return finished, blocks


@pytest.mark.parametrize("step", [1, 3, 7, 1000])
def test_blocks_and_tail_read_like_the_answer(step: int) -> None:
    """However the text comes, the same Markdown stands there at the end."""
    finished, blocks = _fed(_ANSWER, step)
    tail = blocks.finish()
    assert "\n\n".join([*finished, tail]) == _ANSWER


def test_a_block_is_finished_when_the_next_begins() -> None:
    """A paragraph is final once something else has started; a code block stays whole, blank lines included."""
    finished, blocks = _fed(_ANSWER, 1)
    assert "```python\nx = 1\n\ny = 2\n```" in finished
    assert blocks.tail == "Last."


@pytest.mark.parametrize(
    "text",
    [
        "word " * 3000,
        "x = 1\n" * 2000,
        "- item\n" * 2000,
        "x" * 20000,
        "```\n" + "x" * 20000,
        "`" * 20000,
        "~" * 20000,
        "```" + "x" * 20000,
        "```\n" + "`" * 20000,
        "| a |\n|---|\n" + "|" * 20000,
    ],
    ids=[
        "prose",
        "lines",
        "list",
        "no breaks at all",
        "code without line ends",
        "a fence without end",
        "another",
        "a fence and its language without end",
        "a fence that does not close",
        "a table's row without end",
    ],
)
def test_the_tail_keeps_a_bound(text: str) -> None:
    """However long a block grows, what is sent again with every update stays short."""
    blocks = Blocks()
    longest = 0
    for at in range(0, len(text), 50):
        blocks.feed(text[at : at + 50])
        longest = max(longest, len(blocks.tail))
    assert longest <= LONGEST_TAIL


def test_a_long_code_block_is_closed_and_opened_again() -> None:
    """Each piece of a code block that had to be cut is a code block of the same language."""
    finished, blocks = _fed("```python\n" + "x = 1\n" * 1000 + "```\n\nend", 40)
    pieces = [*finished, blocks.finish()]
    code = [piece for piece in pieces if piece.startswith("```")]
    assert len(code) > 2
    assert all(piece.startswith("```python\n") and piece.endswith("\n```") for piece in code)
    assert sum(piece.count("x = 1") for piece in code) == 1000


def test_a_long_table_repeats_its_head() -> None:
    """Each piece of a table that had to be cut has the head, so it is a table."""
    finished, blocks = _fed("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 600, 40)
    pieces = [*finished, blocks.finish()]
    assert len(pieces) > 2
    assert all(piece.startswith("| a | b |\n|---|---|\n") for piece in pieces)
    assert sum(piece.count("| 1 | 2 |") for piece in pieces) == 600


@given(st.text(alphabet="ab `#-|>\n.", max_size=3000), st.integers(1, 400))
def test_no_letter_is_lost(text: str, step: int) -> None:
    """Whatever the text, every letter comes out, once and in order."""
    finished, blocks = _fed(text, step)
    joined = "".join([*finished, blocks.finish()])
    keep = str.maketrans("", "", " `#-|>\n.")
    assert joined.translate(keep) == text.translate(keep)


@pytest.mark.parametrize("before", ["", "```json\n", "| a |\n|---|\n| "])
def test_no_cut_halves_a_key(before: str) -> None:
    """Neither half would be known for a key; a line without any space is cut where one begins."""
    for n_before in range(1440, 1500):
        blocks = Blocks()
        text = f"{before}{'x' * n_before}.{_KEY}.{'y' * 300}"
        pieces = [block for at in range(0, len(text), 7) for block in blocks.feed(text[at : at + 7])]
        pieces.append(blocks.finish())
        assert len(pieces) > 1
        assert sum(piece.count(_KEY) for piece in pieces) == 1


def test_a_key_longer_than_the_tail_is_cut() -> None:
    """It is none, and must not hold up what comes."""
    finished, blocks = _fed("sk-" + "x" * 5000, 50)
    assert finished
    assert len(blocks.tail) <= LONGEST_TAIL
