"""A curl command, read for the body it sends: words and heredocs as a shell takes them, and nothing is run."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cometnb.errors import CellError
from cometnb.session.json_body import json_body

__all__ = ["curl_body", "is_curl"]

_COMMAND = re.compile(
    r"^[ \t]*(?:[$!>%][ \t]*)?(?:[A-Za-z_]\w*=\S*[ \t]+)*curl(?:\.exe)?(?=[ \t\\])", re.MULTILINE
)
_DATA = ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json")
_EXPANDED = re.compile(r"\$(?:[A-Za-z_]\w*|[{(][^})]*[})]?|[0-9@*#?$!-])|`[^`]*`?")
_ENDS = frozenset("|;&\n)")
_ANSI = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "E": "\x1b",
}
_ANSI_CODE = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")
# What stands for itself: outside quotes, in double ones, and in those that begin with a dollar.
_PLAIN, _PLAIN_QUOTED, _PLAIN_ANSI = (
    re.compile(letters) for letters in (r"[^\s|;&)<>'\"\\$`]+", r"[^\"\\$`]+", r"[^'\\]+")
)
_NEXT = "Write the value itself there."


@dataclass
class _Word:
    """One word of the command: its text, where it begins, and what in it only a shell knows."""

    line: int
    text: str = ""
    expanded: str = ""


@dataclass
class _Command:
    words: list[_Word] = field(default_factory=list)
    document: _Word | None = None


def is_curl(text: str) -> bool:
    """Tell whether a line of the text is a curl command."""
    return bool(_COMMAND.search(text))


def curl_body(text: str) -> Mapping[str, Any]:
    """Return the body that a curl command sends.

    Parameters
    ----------
    text : str
        One command, on one line or on several; ``-d``, ``--data``, ``--data-raw``, ``--data-binary`` or ``--json``
        with the JSON itself or ``@-`` and a heredoc. What stands before and after it is passed over.

    Raises
    ------
    CellError
        There are several commands, no body, a body from a file or with a shell's variables, or one that is no JSON.
    """
    commands = list(_COMMAND.finditer(text))
    if len(commands) > 1:
        lines = ", ".join(str(_line(text, found.end())) for found in commands)
        raise CellError(f"There are {len(commands)} curl commands, in lines {lines}.", "Leave one of them.")
    command = _Reader(text, commands[0].end()).command()
    if any("/chat/completions" in word.text for word in command.words):
        raise CellError(
            "The command calls /chat/completions, not /responses.", "Paste a call of the Responses API."
        )
    pieces = [_literal(word, command) for word in _data(command.words)]
    if not pieces:
        raise CellError("The curl command sends no body.", "Paste it with its -d or --json.")
    return _decoded("&".join(pieces), pieces)


def _decoded(text: str, pieces: list[str]) -> Mapping[str, Any]:
    try:
        body = json_body(text)
    except ValueError as error:
        raise CellError(
            f"The body of the curl command is no JSON: {error}.", "Mend it there, or copy it again."
        ) from None
    if not isinstance(body, dict):
        raise CellError(
            f"The body of the curl command is a {type(body).__name__}, not an object.", "Paste a body: {…}."
        )
    return body


def _data(words: list[_Word]) -> Iterator[_Word]:
    """Yield the values of the options that say what is sent."""
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        flag, mark, value = word.text.partition("=")
        if word.text in _DATA and at < len(words):
            yield words[at]
            at += 1
        elif mark and flag in _DATA[1:]:
            yield _Word(word.line, value, word.expanded)
        elif word.text.startswith("-d") and len(word.text) > 2:
            yield _Word(word.line, word.text[2:], word.expanded)


def _literal(word: _Word, command: _Command) -> str:
    if word.text == "@-" and command.document is not None:
        word = command.document
    elif word.text.startswith("@"):
        raise CellError(
            f"Line {word.line}: the body is in the file {word.text[1:]}, which is not read.",
            "Paste the JSON of that file instead.",
        )
    if word.expanded:
        raise CellError(f"Line {word.line}: {word.expanded} is not literal; a shell fills it in.", _NEXT)
    return word.text


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


class _Reader:
    """The words of one command from a place in a text."""

    def __init__(self, text: str, at: int) -> None:
        self._text, self._at = text, at
        self._command = _Command()
        self._word: _Word | None = None
        self._ends_at: tuple[str, bool] | None = None

    def command(self) -> _Command:
        while self._at < len(self._text) and self._text[self._at] not in _ENDS:
            self._step()
        self._close()
        if self._ends_at is not None:
            self._read_document(*self._ends_at)
        return self._command

    def _step(self) -> None:
        one = self._text[self._at]
        if one in " \t":
            self._close()
            self._at += 1
        elif self._text.startswith("\\\n", self._at):
            self._at += 2
        elif self._text.startswith("<<", self._at):
            self._close()
            self._announce()
        elif one in "<>":
            self._close()
            # Where the answer goes is no part of the request.
            self._at = re.compile(r"[<>&]+[ \t]*[^\s|;&]*").match(self._text, self._at).end()  # type: ignore[union-attr]  # one of them is here
        else:
            self._part(one)

    def _part(self, one: str) -> None:
        word = self._word = self._word or _Word(_line(self._text, self._at))
        if one == "'":
            self._quoted(word)
        elif self._text.startswith("$'", self._at):
            self._ansi(word)
        elif one == '"':
            self._double(word)
        elif one == "\\":
            word.text += self._text[self._at + 1 : self._at + 2]
            self._at += 2
        elif (found := _EXPANDED.match(self._text, self._at)) is not None:
            self._expand(word, found)
        else:
            self._plain(word, _PLAIN)

    def _plain(self, word: _Word, letters: re.Pattern[str]) -> None:
        """Take what stands for itself, as far as it goes; one letter if that means something elsewhere."""
        found = letters.match(self._text, self._at)
        end = found.end() if found is not None else self._at + 1
        word.text += self._text[self._at : end]
        self._at = end

    def _close(self) -> None:
        if self._word is not None:
            self._command.words.append(self._word)
        self._word = None

    def _expand(self, word: _Word, found: re.Match[str]) -> None:
        word.expanded = word.expanded or found[0]
        word.text += found[0]
        self._at = found.end()

    def _quoted(self, word: _Word) -> None:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise self._open("'")
        word.text += self._text[self._at + 1 : end]
        self._at = end + 1

    def _double(self, word: _Word) -> None:
        start = self._at
        self._at += 1
        while self._at < len(self._text) and (one := self._text[self._at]) != '"':
            following = self._text[self._at + 1 : self._at + 2]
            if one == "\\" and following and following in '$`"\\\n':
                word.text += following.strip("\n")
                self._at += 2
            elif (found := _EXPANDED.match(self._text, self._at)) is not None:
                self._expand(word, found)
            else:
                self._plain(word, _PLAIN_QUOTED)
        if self._at >= len(self._text):
            self._at = start
            raise self._open('"')
        self._at += 1

    def _ansi(self, word: _Word) -> None:
        start = self._at
        self._at += 2
        while self._at < len(self._text) and (one := self._text[self._at]) != "'":
            following = self._text[self._at + 1 : self._at + 2]
            if one != "\\":
                self._plain(word, _PLAIN_ANSI)
            elif (found := _ANSI_CODE.match(self._text, self._at + 1)) is not None:
                digits = found[1] or found[2] or found[3]
                code = int(digits, 16) if digits else int(found[4], 8) & 0xFF
                word.text += chr(code) if code <= sys.maxunicode else "\ufffd"
                self._at = found.end()
            else:
                word.text += _ANSI.get(following, following)
                self._at += 2
        if self._at >= len(self._text):
            self._at = start
            raise self._open("$'")
        self._at += 1

    def _announce(self) -> None:
        found = re.compile(r"<<-?[ \t]*(['\"]?)([^\s'\"]+)\1").match(self._text, self._at)
        if found is None:
            raise CellError(
                f"Line {_line(self._text, self._at)}: << has no word after it.", "Copy the command whole."
            )
        self._ends_at = (found[2], bool(found[1]))
        self._at = found.end()

    def _read_document(self, end: str, is_quoted: bool) -> None:
        begin = self._text.find("\n", self._at) + 1
        lines: list[str] = []
        for line in self._text[begin:].split("\n") if begin else ():
            if line.strip("\t") == end:
                break
            lines.append(line)
        else:
            raise CellError(f"The heredoc has no line {end} at its end.", "Copy the command whole.")
        text = "\n".join(lines)
        expanded = None if is_quoted else _EXPANDED.search(text.replace("\\$", "  "))
        self._command.document = _Word(
            _line(self._text, begin + (expanded.start() if expanded else 0)),
            text if is_quoted else re.sub(r"\\([$`\\\n])", lambda found: found[1].strip("\n"), text),
            expanded[0] if expanded else "",
        )

    def _open(self, mark: str) -> CellError:
        return CellError(
            f"Line {_line(self._text, self._at)}: the quotation mark {mark} has no end.",
            "Copy the command whole.",
        )
