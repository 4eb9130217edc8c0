"""Writes text that a schema asks for by a pattern or a format."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["FORMATS", "spelled"]

# Several of each, so that records differ; the shortest ones serve where the length is bounded.
FORMATS: dict[str, tuple[str, ...]] = {
    "date-time": ("2025-03-14T09:30:00Z", "2025-07-01T18:05:00+02:00", "2024-11-23T00:00:00Z"),
    "date": ("2025-03-14", "2024-11-23", "2023-06-30", "2025-01-02", "2022-09-09"),
    "time": ("09:30:00Z", "18:05:00+02:00", "23:59:59Z"),
    "duration": ("P3D", "PT45M", "P1W", "P1Y2M"),
    "email": ("ada@example.org", "grace@example.com", "emmy@example.net", "a@b.co"),
    "idn-email": ("ada@example.org", "zoë@example.com", "a@b.co"),
    "hostname": ("example.org", "www.example.com", "a.example.net", "b.co"),
    "idn-hostname": ("example.org", "www.example.com"),
    "ipv4": ("192.0.2.1", "198.51.100.7", "203.0.113.42"),
    "ipv6": ("2001:db8::1", "2001:db8::2a", "::1"),
    "uri": ("https://example.org/a", "https://example.com/page?id=7", "https://example.net/list", "a:b"),
    "uri-reference": ("/a/b", "https://example.org/a", "page?id=7"),
    "iri": ("https://example.org/ä", "https://example.com/page"),
    "iri-reference": ("/ä/b", "https://example.org/a"),
    "uri-template": ("https://example.org/{id}", "/items/{name}"),
    "uuid": (
        "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
        "6fa459ea-ee8a-4ca4-894e-db77e160355e",
        "16fd2706-8baf-433b-82eb-8c7fada847da",
    ),
    "json-pointer": ("/a/0", "/name", ""),
    "relative-json-pointer": ("1/a", "0"),
    "regex": ("^[a-z]+$", "a|b", "."),
}

# Where a pattern allows any character, letters and digits read best.
_ORDINARY = "aeinorst0123456789bcdfghjklmpquvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ -_.,:/@#+()"
_N_PLAIN = 34
_CLASSES: dict[str, Callable[[str], bool]] = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_NOT_DIGIT": lambda char: not char.isdecimal(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda char: not char.isspace(),
    "CATEGORY_WORD": lambda char: char.isalnum() or char == "_",
    "CATEGORY_NOT_WORD": lambda char: not (char.isalnum() or char == "_"),
}
_LONGEST = 400


def spelled(pattern: str, least: int, most: int, turn: int) -> Iterator[str]:
    """Yield texts that a pattern matches, those of a wanted length first where it leaves a choice.

    Parameters
    ----------
    pattern : str
        A regular expression, not anchored unless it says so. One that Python cannot read yields nothing.
    least, most : int
        Characters wanted.
    turn : int
        Chooses among what is possible.
    """
    try:
        # The standard library has no public way to read an expression's parts.
        parts = list(sys.modules["re._parser"].parse(pattern))
    except (re.error, KeyError, OverflowError, RecursionError):
        return
    for stretch in dict.fromkeys((1, 0, 2, 3, least, least // 2, 6, 12)):
        speller = _Speller(min(stretch, _LONGEST), turn)
        text = "".join(speller.text(part) for part in parts)
        yield text
        missing = max(0, least - len(text))
        if 0 < missing <= _LONGEST:
            yield text + ("a" * missing)
            yield ("a" * missing) + text


class _Speller:
    """Walks an expression's parts; each repeat without an upper bound is taken `stretch` times more."""

    def __init__(self, stretch: int, turn: int) -> None:
        self._stretch = stretch
        self._turn = turn
        self._groups: dict[int, str] = {}

    def text(self, part: tuple[Any, Any]) -> str:
        name, told = str(part[0]), part[1]
        writer: Callable[[Any], str] | None = getattr(self, f"_{name.lower()}", None)
        return writer(told) if writer else ""

    def _all(self, parts: Any) -> str:
        return "".join(self.text(part) for part in parts)

    def _literal(self, code: int) -> str:
        return chr(code)

    def _not_literal(self, code: int) -> str:
        return next(char for char in _ORDINARY if ord(char) != code)

    def _any(self, _: Any) -> str:
        return _ORDINARY[self._next() % _N_PLAIN]

    def _in(self, options: Any) -> str:
        negated = str(options[0][0]) == "NEGATE"
        wanted = options[1:] if negated else options
        fitting = [char for char in _ORDINARY if any(_is_in(char, one) for one in wanted) is not negated]
        if fitting:
            return fitting[self._next() % min(len(fitting), _N_PLAIN)]
        literal = [
            chr(told if str(name) == "LITERAL" else told[0]) for name, told in wanted if name != "CATEGORY"
        ]
        return literal[0] if literal and not negated else "~"

    def _branch(self, told: Any) -> str:
        branches = told[1]
        return self._all(branches[self._next() % len(branches)])

    def _subpattern(self, told: Any) -> str:
        text = self._all(told[3])
        if told[0] is not None:
            self._groups[told[0]] = text
        return text

    def _groupref(self, group: int) -> str:
        return self._groups.get(group, "")

    def _atomic_group(self, told: Any) -> str:
        return self._all(told)

    def _max_repeat(self, told: Any) -> str:
        least, most, parts = int(told[0]), int(told[1]), told[2]
        times = min(most, least + self._stretch, _LONGEST + least)
        return "".join(self._all(parts) for _ in range(times))

    _min_repeat = _possessive_repeat = _max_repeat

    def _assert(self, told: Any) -> str:
        return ""

    def _next(self) -> int:
        self._turn = (self._turn * 1_103_515_245 + 12_345) % 2**31
        return self._turn >> 8


def _is_in(char: str, option: tuple[Any, Any]) -> bool:
    name, told = str(option[0]), option[1]
    if name == "LITERAL":
        return bool(ord(char) == told)
    if name == "RANGE":
        return bool(told[0] <= ord(char) <= told[1])
    return _CLASSES.get(str(told), str.isalnum)(char)
