"""Cells of ``%%respond`` shown as what they are: a line of options, and a prompt in Markdown with holes for Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from pygments.lexer import Lexer
from pygments.lexers.markup import MarkdownLexer
from pygments.lexers.python import PythonLexer
from pygments.token import Keyword, Name, Punctuation, String, Text, _TokenType
from sphinx.transforms.post_transforms import SphinxPostTransform

__all__ = ["PromptLexer", "setup"]

_LINE = re.compile(
    r"(?P<magic>%%\w+)|(?P<flag>(?<!\S)--?[a-z][\w.-]*)|(?P<text>'[^']*'|\"[^\"]*\")|(?P<rest>\s+|\S+?(?=\s|$))"
)
_HOLE = re.compile(r"(?<!\\)(\{\{)(.*?)(\}\})", re.DOTALL)

_Tokens = Iterator[tuple[int, _TokenType, str]]


class PromptLexer(Lexer):
    """The lexer of a ``%%respond`` cell."""

    name = "cometnb prompt"
    aliases = ["respond"]  # noqa: RUF012  # pygments' own form

    def get_tokens_unprocessed(self, text: str) -> _Tokens:
        """Yield position, kind and text of each piece."""
        line, end, body = text.partition("\n")
        yield from _line(line)
        yield len(line), Text, end
        at = len(line) + len(end)
        done = 0
        for hole in _HOLE.finditer(body):
            yield from _shifted(MarkdownLexer(), body[done : hole.start()], at + done)
            yield at + hole.start(1), Punctuation, hole[1]
            yield from _shifted(PythonLexer(stripnl=False, ensurenl=False), hole[2], at + hole.start(2))
            yield at + hole.start(3), Punctuation, hole[3]
            done = hole.end()
        yield from _shifted(MarkdownLexer(), body[done:], at + done)


_KINDS = {"magic": Keyword, "flag": Name.Attribute, "text": String, "rest": Text}


def _line(line: str) -> _Tokens:
    for piece in _LINE.finditer(line):
        yield piece.start(), _KINDS[str(piece.lastgroup)], piece.group()


def _shifted(lexer: Lexer, text: str, at: int) -> _Tokens:
    for place, kind, value in lexer.get_tokens_unprocessed(text):
        yield at + place, kind, value


class _MarkPrompts(SphinxPostTransform):
    default_priority = 300

    def run(self, **kwargs: Any) -> None:
        for block in self.document.findall(nodes.literal_block):
            if block.astext().startswith("%%respond"):
                block["language"] = "respond"


def setup(app: Any) -> dict[str, bool]:
    """Add the lexer, and have prompts use it wherever they stand."""
    app.add_lexer("respond", PromptLexer)
    app.add_post_transform(_MarkPrompts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
