"""Values that a prompt holds, offered to the arguments they fit: named ones, numbers, quoted words, names, dates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cometnb.client.simulator.plausible import name_words

__all__ = ["Hints", "listed_names"]

_MOST_CHARACTERS = 4_000
_DIGITS = r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?(?!\w)"
_NUMBER = re.compile(rf"(?<![\w.]){_DIGITS}")
_QUOTED = re.compile(
    r"\"([^\"\n]{1,200})\"|“([^”\n]{1,200})”|`([^`\n]{1,200})`|(?<!\w)'([^'\n]{1,200})'(?!\w)"
)
_CAPITAL = re.compile(r"(?<=[\w,;:] )[A-ZÀ-Þ][\wÀ-ÿ'-]*(?: [A-ZÀ-Þ][\wÀ-ÿ'-]*)*")
_SUM = re.compile(r"[\d(][\d\s.()]*(?:\s*(?:\*\*|[-+*/^%])\s*[\d(][\d.()]*)+\)?")
# What people write small: the weather in paris.
_BEHIND = re.compile(r"\b(?:in|for|at|of|about|named|called) (?:the )?([a-zà-ÿ][\wà-ÿ-]{2,})")
_NOT_MEANT = frozenset(
    [
        "all",
        "celsius",
        "detail",
        "each",
        "english",
        "fahrenheit",
        "five",
        "four",
        "general",
        "more",
        "one",
        "rounds",
        "short",
        "ten",
        "that",
        "the",
        "them",
        "these",
        "this",
        "those",
        "three",
        "today",
        "tomorrow",
        "two",
        "what",
        "which",
        "you",
        "your",
    ]
)
_LISTED = r"[A-ZÀ-Þ][\wÀ-ÿ'-]*(?: [A-ZÀ-Þ][\wÀ-ÿ'-]*)?"
_AND = r",? and (?:in |for |of |to |at )?"
_LIST = re.compile(rf"{_LISTED}(?:, {_LISTED})*{_AND}{_LISTED}")
_BETWEEN = re.compile(rf"{_AND}|, ")
_BY_FORMAT = {
    "date": re.compile(r"\b\d{4}-\d{2}-\d{2}\b"),
    "date-time": re.compile(r"\b\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})"),
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "uri": re.compile(r"https?://[^\s\"'<>)]+"),
}
_BY_NAME = {"email": "email", "url": "uri", "uri": "uri", "link": "uri", "date": "date", "day": "date"}
# What takes a phrase: the whole prompt is a fair one.
_PHRASES = frozenset(
    [
        "query",
        "question",
        "prompt",
        "text",
        "search",
        "phrase",
        "request",
        "input",
        "message",
        "sentence",
        "topic",
    ]
)
_SUMS = frozenset(["expression", "formula", "calculation", "equation", "sum", "code"])
_NOT_NAMES = frozenset(["I", "Please", "Call", "Use", "Ask", "The", "What", "Which", "How", "Python", "JSON"])


class Hints:
    """The values of one prompt; each serves one argument.

    Parameters
    ----------
    prompt : str
    names_only : bool
        Offer only what the prompt gives a name to (``age: 36``), as an answer in a given form should; else
        whatever fits.
    """

    def __init__(self, prompt: str, *, names_only: bool = False) -> None:
        self._prompt = _short(prompt)
        self._names_only = names_only
        self._used: list[Any] = []
        self._numbers = [json.loads(_without_zeros(found)) for found in _NUMBER.findall(self._prompt)]
        self._quoted = ["".join(found) for found in _QUOTED.findall(self._prompt)]
        self._capitals = [name for name in _CAPITAL.findall(self._prompt) if name not in _NOT_NAMES]

    def candidates(self, name: str, kind: str, schema: Mapping[str, Any]) -> Iterator[Any]:
        """Yield what might be the value of a property, the likeliest first."""
        found = {
            "enum": self._choices,
            "string": self._texts,
            "array": self._lists,
            "boolean": self._booleans,
        }
        if kind in ("integer", "number"):
            yield from self._named(name, kind)
            if not self._names_only:
                yield from (one for one in self._unused(self._numbers))
        elif kind in found:
            yield from found[kind](name, schema)

    def take(self, value: Any) -> None:
        """Use a value up."""
        self._used.append(value)

    def pass_over(self, number: int) -> None:
        """Leave out the first values: earlier calls of the same function had them."""
        for values in (self._quoted, self._capitals, self._numbers):
            if len(values) > number:
                del values[:number]

    def _unused(self, values: list[Any]) -> list[Any]:
        left = list(values)
        for used in self._used:
            if used in left:
                left.remove(used)
        return left

    def _named(self, name: str, kind: str) -> Iterator[Any]:
        """Yield what stands behind the property's name."""
        words = name_words(name)
        if not words:
            return
        value = _DIGITS if kind != "string" else r"\"[^\"\n]+\"|'[^'\n]+'|`[^`\n]+`|[^\s,;.?!\"'`]+"
        spelled = r"[\s_-]?".join(map(re.escape, words))
        for found in re.finditer(rf"(?i)\b{spelled}\b\s*(?:=|:|\bis\b|\bof\b)\s*({value})", self._prompt):
            text = found.group(1)
            yield from self._unused(
                [text.strip("\"'`") if kind == "string" else json.loads(_without_zeros(text))]
            )

    def _texts(self, name: str, schema: Mapping[str, Any]) -> Iterator[str]:
        words = set(name_words(name))
        yield from self._named(name, "string")
        if self._names_only:
            return
        form = schema.get("format") or next((_BY_NAME[word] for word in words if word in _BY_NAME), None)
        if form in _BY_FORMAT:
            yield from self._unused(_BY_FORMAT[form].findall(self._prompt))
            return
        if words & _SUMS:
            yield from (found.strip() for found in _SUM.findall(self._prompt))
        yield from self._unused(self._quoted)
        if words & _PHRASES and self._prompt.strip():
            yield " ".join(self._prompt.split())[:200]
        if "unit" not in words and "units" not in words:
            yield from self._unused(self._capitals)
            behind = [word for word in _BEHIND.findall(self._prompt) if word not in _NOT_MEANT]
            yield from self._unused(behind)

    def _choices(self, name: str, schema: Mapping[str, Any]) -> Iterator[Any]:
        words = [value for value in schema["enum"] if isinstance(value, str) and value]
        said = [word for word in words if re.search(rf"(?i)(?<!\w){re.escape(word)}(?!\w)", self._prompt)]
        yield from self._named(name, "string")
        yield from self._named(name, "integer")
        # A prompt that says several lists what there is.
        yield from said if len(said) == 1 else ()

    def _booleans(self, name: str, schema: Mapping[str, Any]) -> Iterator[bool]:
        for word in self._named(name, "string"):
            if word.lower() in ("true", "yes", "on", "false", "no", "off"):
                yield word.lower() in ("true", "yes", "on")

    def _lists(self, name: str, schema: Mapping[str, Any]) -> Iterator[list[Any]]:
        kind = (schema.get("items") or {}).get("type") if isinstance(schema.get("items"), Mapping) else None
        if self._names_only:
            return
        if kind in ("integer", "number") and self._unused(self._numbers):
            yield self._unused(self._numbers)
        if kind == "string":
            yield from (
                values for values in (self._unused(self._quoted), listed_names(self._prompt)[1]) if values
            )


def listed_names(prompt: str) -> tuple[str, list[str]]:
    """Return the names a prompt lists with "and", as it spells the list and one by one; nothing for one name."""
    found = _LIST.search(_short(prompt))
    return (found.group(), [name for name in _BETWEEN.split(found.group()) if name]) if found else ("", [])


def _without_zeros(number: str) -> str:
    """Return a number as JSON writes it: 007 is 7."""
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
    whole, point, rest = digits.partition(".")
    return f"{sign}{whole.lstrip('0') or '0'}{point}{rest}"


def _short(prompt: str) -> str:
    """Return the beginning and the end of a long prompt: a question stands before or behind its material."""
    half = _MOST_CHARACTERS // 2
    return prompt if len(prompt) <= _MOST_CHARACTERS else f"{prompt[:half]}\n{prompt[-half:]}"
