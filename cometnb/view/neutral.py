"""Model output made harmless as Markdown, for front ends that trust what a cell displays.

JupyterLab trusts the outputs of cells it has just run: a Markdown output may hold script, frames and handlers, may
link to ``javascript:``, and fetches images, which leaks whatever the model put into their URL. So, whatever reads
the result:

* outside code blocks no ``<`` remains: raw HTML becomes text;
* images become links, and links lead to http(s) or mailto or nowhere;
* code blocks are fenced anew, longer than any fence inside them, so that no reader ends them early;
* code blocks inside lists and quotes, where readers disagree most, are written with entities if they hold anything
  that could act outside code;
* MathJax commands that link, style or load are spelled out;
* amounts are code where a reader could take what stands between two of them for a formula, and lose rows of a table;
* what looks like an API key is masked: outputs are saved and passed on;
* control characters are left out: a notebook that is turned into Markdown is read in a terminal, too.
"""

from __future__ import annotations

import functools
import html
import re
from typing import TYPE_CHECKING

from cometnb.errors import masked
from cometnb.view.spans import spans

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    _Show: TypeAlias = Callable[[str], str]

__all__ = ["block_parser", "neutral_markdown", "plain_markdown"]

_ALLOWED = r"(?:https?://|mailto:)[^\s<>()\[\]\\]"
_BAD_LINK = re.compile(rf"\]\((?!\s*{_ALLOWED})", re.IGNORECASE)
_BAD_DEFINITION = re.compile(rf"\]:(?!\s*{_ALLOWED})", re.IGNORECASE)
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^\s<>]+)>", re.IGNORECASE)
# Only from the first backslash of a run on, so that a long run is read once.
_IMAGE = re.compile(r"(?<!\\)(\\*)!\[(\])?")
_ACTIVE = (
    r"\\(href|url|style|class|cssId|data|html[A-Za-z]*|require|includegraphics|unicode|toggle|tip|texttip|mmlToken)"
    r"(?![A-Za-z])"
)
_ACTIVE_MATH = re.compile(_ACTIVE)
_OPENS_MATH = re.compile(rf"\\(?=[()\[\]$\\]|(?:begin|end|ref|eqref)(?![A-Za-z]))|\\(?={_ACTIVE[2:]})")
_REFERENCE = re.compile(r"&(?=(#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]\w*);?)")
# What could act if a reader took code for text.
_DANGER = re.compile(rf"<|!\[|\]\(|\]:|{_ACTIVE}")
# Everything that moves a terminal's cursor, colours it or rings it; no reader of Markdown shows any of it.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INFO = re.compile(r"[\w+#.\-]+")
_FENCE_RUNS = re.compile(r"`+")
# What means something in Markdown or opens a formula; an underscore inside a word does not.
_MARKS = re.compile(r"([\\`*$~|]|(?<!\w)_|_(?!\w))")
# An amount, or a path that begins at a root called $.
_DOLLARS = re.compile(r"(\$[\w$]*(?:[.,][\w$]+)*)")
# From the first backslash of a run on, so that a long run is read once.
_ESCAPED_DOLLARS = re.compile(rf"(?<!\\)(\\*){_DOLLARS.pattern}")
# Brackets with a backslash before them, or two, open a formula in a reader that looks for it in the Markdown.
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "[": "&#91;", "]": "&#93;"})

# What reads Markdown and formulas in the page takes the square of the marks in one paragraph; with more than this of one
# kind it is shown as code, in which nobody looks for any.
_MOST_MARKS = 1_000
_PAIRED = "*_~`[<$\\!"

# Drawn by the front end instead of shown, and able to load images: shown as text.
_DRAWN = frozenset({"mermaid"})


@functools.cache
def block_parser() -> MarkdownIt:
    """Return a CommonMark parser with tables that finds blocks only; inline text stays as it is."""
    from markdown_it import MarkdownIt  # 0.06 s, paid by the first answer and not by loading the extension

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    # Raw HTML is escaped before anyone reads it, so it never opens a block here either.
    parser.block.ruler.disable("html_block")
    return parser


def neutral_markdown(text: str) -> str:
    """Return Markdown that looks like `text` and can do nothing else.

    Parameters
    ----------
    text : str
        What a model wrote.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # A control character may stand before a key, or in the middle of one.
    text = masked(_uncontrolled(masked(text)))
    show = _plain if text.count("$") < 2 else _tagged if "`" in text else _ticked
    lines = text.split("\n")
    result: list[str] = []
    at = 0
    for token in block_parser().parse(text):
        if token.map is None or token.map[0] < at:
            continue
        start, end = token.map
        if token.type in ("fence", "code_block"):
            result += _between(lines[at:start])
            result += _code(token, lines[start:end])
            at = end
        elif token.type in ("inline", "tr_open"):
            result += _between(lines[at:start])
            result += (
                _rows(lines[start:end], show)
                if token.type == "tr_open"
                else [_inline("\n".join(lines[start:end]), show)]
            )
            at = end
    result += _between(lines[at:])
    return "\n".join(result)


def plain_markdown(text: str) -> str:
    """Return Markdown that shows `text` as it is, on one line; it may stand in a sentence or in a cell of a table.

    JupyterLab looks for formulas in the page, too, where nothing tells what was escaped: an invisible character stands
    behind a backslash that would open one, or begin a command that acts in one. What is between two dollars is a
    formula there except in code, so that two amounts in one sentence are code.
    """
    text = _uncontrolled(" ".join(text.split()))
    if text.count("$") < 2:
        return _escaped(text)
    pieces = enumerate(_DOLLARS.split(text))
    return "".join(f"`{piece}`" if at % 2 else _escaped(piece) for at, piece in pieces)


def _uncontrolled(text: str) -> str:
    return _CONTROL.sub("", text.replace("\x00", "\ufffd"))


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", _OPENS_MATH.sub("\\\\\u200c", text).translate(_ENTITIES))


def _between(lines: list[str]) -> list[str]:
    """Neutralise lines that belong to no text block: markers, rules, definitions, blank lines."""
    return ["\n".join(_plain(line) for line in lines)] if lines else []


def _rows(lines: list[str], show: _Show) -> list[str]:
    # A code span never crosses a cell's border.
    return ["|".join(_inline(cell, show) for cell in line.split("|")) for line in lines]


def _inline(text: str, show: _Show) -> str:
    if len(text) > _MOST_MARKS and any(text.count(mark) > _MOST_MARKS for mark in _PAIRED):
        return f"<code>{_entities(text)}</code>"
    pieces = []
    for kind, content in spans(text):
        if kind == "text":
            pieces.append(show(content))
        elif kind == "code":
            pieces.append(_code_span(content))
        else:
            mark = "$$" if kind == "display" else "$"
            pieces.append(f"{mark}{_math(content)}{mark}")
    return "".join(pieces)


def _plain(text: str) -> str:
    text = _REFERENCE.sub(_no_command, text)
    text = _AUTOLINK.sub(r"\1", text)
    text = _IMAGE.sub(_no_image, text)
    text = _BAD_LINK.sub("] (", text)
    text = _BAD_DEFINITION.sub("] :", text)
    text = _ACTIVE_MATH.sub(r"\\text{\1}", text)
    return text.replace("<", "&lt;")


def _ticked(text: str) -> str:
    """Neutralise text in which each dollar belongs to an amount: `spans` has taken the formulas out."""
    return _ESCAPED_DOLLARS.sub(lambda found: f"{_even(found.group(1))}`{found.group(2)}`", _plain(text))


def _tagged(text: str) -> str:
    """Do the same where backticks mean something already."""

    def tagged(found: re.Match[str]) -> str:
        return f"{_even(found.group(1))}<code>{_entities(found.group(2))}</code>"

    return _ESCAPED_DOLLARS.sub(tagged, _plain(text))


def _even(backslashes: str) -> str:
    # An odd one meant the dollar; it would now mean what stands before it.
    return backslashes[: len(backslashes) // 2 * 2]


def _no_command(found: re.Match[str]) -> str:
    """Keep a command of a formula from being spelled with character references, which end in the page as its text."""
    character = html.unescape(f"&{found.group(1)};")
    return "&amp;" if character == "\\" or (character.isascii() and character.isalpha()) else "&"


def _no_image(found: re.Match[str]) -> str:
    escapes, closed = found.group(1), found.group(2)
    # After a backslash it is hard to say who escapes whom; a space ends the doubt.
    return f"{escapes}! [{closed or ''}" if escapes else f"[{'image]' if closed else ''}"


def _math(text: str) -> str:
    # Readers disagree on where a formula ends: in one that sees none, nothing in it is an image or a link.
    text = _REFERENCE.sub(_no_command, text).replace("![", "! [")
    text = _BAD_DEFINITION.sub("] :", _BAD_LINK.sub("] (", text))
    return _ACTIVE_MATH.sub(r"\\text{\1}", text).replace("<", "\\lt ")


def _code_span(content: str) -> str:
    if not _DANGER.search(content):
        longest = max((len(run) for run in _FENCE_RUNS.findall(content)), default=0)
        mark = "`" * (longest + 1)
        return f"{mark}{content}{mark}"
    # Entities mean the same inside and outside code, so nothing depends on where a reader sees the span end.
    stripped = content[1:-1] if content[:1] == content[-1:] == " " and content.strip() else content
    return f"<code>{_entities(stripped)}</code>"


def _entities(text: str) -> str:
    escaped = html.escape(text, quote=False)
    return re.sub(r"[\[\]!\\`*_$~|:@]", lambda found: f"&#{ord(found.group())};", escaped)


def _code(token: Token, lines: list[str]) -> list[str]:
    if token.level == 0:
        return _fenced(token)
    if not _DANGER.search(token.content) and _language(token).lower() not in _DRAWN:
        return ["\n".join(lines)]
    if token.type == "code_block":
        return [_entities(line) for line in lines]
    return _as_pre(lines, token.markup[:1])


def _fenced(token: Token) -> list[str]:
    content = token.content.removesuffix("\n")
    longest = max((len(run) for run in _FENCE_RUNS.findall(content)), default=0)
    mark = "`" * max(3, longest + 1)
    language = _language(token)
    return [f"{mark}{'text' if language.lower() in _DRAWN else language}", content, mark]


def _language(token: Token) -> str:
    info = _INFO.match(token.info.strip())
    return info.group() if info else ""


def _as_pre(lines: list[str], mark: str) -> list[str]:
    """Write a fenced block inside a list or quote as HTML of our own making, its text as entities."""
    opening, *rest = lines
    prefix = opening[: opening.index(mark)]
    body = [_entities(line).replace("&gt;", ">", _quote_depth(line)) for line in rest]
    if rest and rest[-1].strip(" >").startswith(mark * 3):
        body.pop()
    body = body or [""]
    body[-1] += "</code></pre>"
    body[0] = f"{prefix}<pre><code>{body[0].lstrip(' >')}"
    return body


def _quote_depth(line: str) -> int:
    """Return how many of a line's first characters mark a quote, and so must stay as they are."""
    stripped = line.lstrip(" >")
    return line[: len(line) - len(stripped)].count(">")
