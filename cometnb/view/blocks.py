"""Markdown that grows: which blocks are finished and can be sent once, and the open tail that will change.

Total work and traffic stay linear in the text: a tail that grows too long is cut where it hurts least, so that what
is sent again with every update has a bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cometnb.protocol.keyless import open_length
from cometnb.view.neutral import block_parser

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["LONGEST_TAIL", "Blocks"]

# Characters. An update costs about this much at most, and a cut is rare in ordinary answers.
LONGEST_TAIL = 1500


class Blocks:
    """An answer's Markdown so far, as finished blocks and an open tail.

    Attributes
    ----------
    tail : str
        The Markdown after the last finished block.
    """

    def __init__(self) -> None:
        self.tail = ""
        self._parsed_lines = (0, False)

    def feed(self, text: str) -> list[str]:
        """Take more text and return the blocks it finishes, in order.

        Joined with blank lines, all blocks and the tail read like the answer; a block that had to be cut is closed
        and opened again.
        """
        self.tail += text
        finished = []
        lines = self._line_state()
        if lines != self._parsed_lines:
            self._parsed_lines = lines
            block = self._cut_at(self._last_block_line())
            if block:
                finished.append(block)
        while len(self.tail) > LONGEST_TAIL:
            piece = self._split_tail()
            if not piece:
                break
            finished.append(piece)
        return finished

    def finish(self) -> str:
        """Return the tail as the last block."""
        block, self.tail = self.tail, ""
        return block

    def _line_state(self) -> tuple[int, bool]:
        """Return what decides whether a block may have ended: the lines, and whether the last has begun."""
        return self.tail.count("\n"), self.tail.endswith("\n")

    def _last_block_line(self) -> int:
        tops = [token for token in _parsed(self.tail) if token.level == 0 and token.map is not None]
        return tops[-1].map[0] if tops and tops[-1].map else 0

    def _cut_at(self, line: int, closing: str = "", opening: str = "") -> str:
        """Move the lines before `line` out of the tail and return them."""
        if line <= 0:
            return ""
        lines = self.tail.split("\n")
        self.tail = opening + "\n".join(lines[line:])
        self._parsed_lines = self._line_state()
        return ("\n".join(lines[:line]) + closing).strip("\n")

    def _split_tail(self) -> str:
        """Cut a long last block: code after a line, lists after an item, tables after a row, text after a sentence."""
        tokens = _parsed(self.tail)
        last_line = self.tail.count("\n")
        kind = tokens[0].type if tokens else ""
        # An opening line that would fill the tail by itself is not repeated: the tail would never grow shorter.
        if kind == "fence" and len(tokens[0].markup) + len(tokens[0].info) < LONGEST_TAIL // 2:
            return self._split_code(tokens[0].markup, tokens[0].info, last_line)
        block = ""
        if kind in ("bullet_list_open", "ordered_list_open"):
            items = [token for token in tokens if token.type == "list_item_open" and token.level == 1]
            block = self._cut_at(items[-1].map[0] if items[-1].map else 0)
        elif kind == "table_open" and last_line > 2:
            head = "\n".join(self.tail.split("\n", 2)[:2]) + "\n"
            block = self._cut_at(last_line, opening=head)
        return block or self._cut_text()

    def _split_code(self, markup: str, info: str, last_line: int) -> str:
        closing, opening = f"\n{markup}", f"{markup}{info}\n"
        # The fence's own line alone is nothing to cut off; a line that fills the tail is cut in its middle.
        if last_line > 1:
            return self._cut_at(last_line, closing, opening)
        cut = self._before_a_key(LONGEST_TAIL, len(opening))
        block, self.tail = self.tail[:cut] + closing, opening + self.tail[cut:]
        return block

    def _cut_text(self) -> str:
        start = LONGEST_TAIL // 2
        ends = [self.tail.rfind(mark, start, -1) + len(mark) for mark in ("\n", ". ", "。", " ")]
        cut = next((end for end in ends if end > start), 0) or self._before_a_key(LONGEST_TAIL)
        block, self.tail = self.tail[:cut], self.tail[cut:]
        self._parsed_lines = self._line_state()
        return block

    def _before_a_key(self, cut: int, least: int = 0) -> int:
        """Return `cut`, or where an API key begins that it would halve: half of one would not be known for a key."""
        end = cut - open_length(self.tail[:cut])
        return end if end > least else cut


def _parsed(text: str) -> list[Token]:
    return block_parser().parse(text)
