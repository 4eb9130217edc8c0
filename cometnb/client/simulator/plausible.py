"""Values that look right for a property's name: each record of a list gets others, and each record hangs together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

__all__ = ["Wanted", "a_number", "a_text", "name_words"]


class Wanted(NamedTuple):
    """What a value is wanted for.

    Attributes
    ----------
    name : str
        Of the property; empty at the root.
    record : int
        Which record of a list it belongs to, moved by the seed, so that seeds differ.
    row : int
        The same without the seed: 0 for the first record.
    within : str
        Name of what holds the property, in the singular where it is a list.
    """

    name: str
    record: int
    row: int
    within: str = ""


_FIRST = ("Ada", "Grace", "Emmy", "Alan", "Katherine", "Srinivasa", "Hedy", "Carl")
_LAST = ("Lovelace", "Hopper", "Noether", "Turing", "Johnson", "Ramanujan", "Lamarr", "Gauss")
_CITY = ("Lisbon", "Kyoto", "Nairobi", "Montreal", "Bergen", "Lima", "Jaipur", "Hobart")
_COUNTRY = ("Portugal", "Japan", "Kenya", "Canada", "Norway", "Peru", "India", "Australia")
_THING = ("lamp", "kettle", "notebook", "bicycle", "umbrella", "teapot", "compass", "blanket")

# The words of one row belong together: the third city lies in the third country.
_WORDS: dict[str, tuple[str, ...]] = {
    "city": _CITY,
    "town": _CITY,
    "location": _CITY,
    "place": _CITY,
    "destination": _CITY,
    "country": _COUNTRY,
    "capital": ("Lisbon", "Tokyo", "Nairobi", "Ottawa", "Oslo", "Lima", "New Delhi", "Canberra"),
    "language": ("Portuguese", "Japanese", "Swahili", "French", "Norwegian", "Spanish", "Hindi", "English"),
    "currency": ("EUR", "JPY", "KES", "CAD", "NOK", "PEN", "INR", "AUD"),
    "continent": ("Europe", "Asia", "Africa", "North America", "Europe", "South America", "Asia", "Oceania"),
    "product": _THING,
    "item": _THING,
    "color": ("green", "blue", "red", "white", "yellow", "black", "orange", "grey"),
    "colour": ("green", "blue", "red", "white", "yellow", "black", "orange", "grey"),
    "category": ("home", "travel", "office", "sport", "garden", "kitchen", "books", "music"),
    "tag": ("calm", "bright", "small", "new", "sturdy", "light", "warm", "quiet"),
    "keyword": ("harbour", "garden", "railway", "coast", "fjord", "mountain", "palace", "island"),
    "topic": ("harbours", "gardens", "railways", "coasts", "fjords", "mountains", "palaces", "islands"),
    "sentiment": ("positive", "neutral", "negative", "positive", "mixed", "neutral", "positive", "negative"),
    "mood": ("happy", "calm", "sad", "curious", "tired", "cheerful", "proud", "restless"),
    "status": ("open", "done", "open", "waiting", "done", "open", "closed", "done"),
    "unit": ("celsius", "metre", "litre", "kilogram", "second", "celsius", "metre", "litre"),
    "job": ("engineer", "teacher", "baker", "pilot", "nurse", "gardener", "painter", "clerk"),
    "role": ("engineer", "teacher", "baker", "pilot", "nurse", "gardener", "painter", "clerk"),
    "company": (
        "Tejo Lda",
        "Kamo KK",
        "Uhuru Ltd",
        "Laurier Inc",
        "Fjord AS",
        "Rimac SA",
        "Amber Pvt",
        "Derwent Co",
    ),
    "email": tuple(f"{first.lower()}@example.org" for first in _FIRST),
    "url": tuple(f"https://example.org/{thing}" for thing in _THING),
    "website": tuple(f"https://example.org/{thing}" for thing in _THING),
    "link": tuple(f"https://example.org/{thing}" for thing in _THING),
    "phone": tuple(f"+1 555 010{n}" for n in range(8)),
    "date": tuple(f"202{n % 5 + 1}-0{n + 1}-1{n}" for n in range(8)),
    "birthday": tuple(f"19{n + 1}0-0{n + 1}-1{n}" for n in range(8)),
    "weather": ("sunny", "cloudy", "rain", "windy", "snow", "fog", "clear", "showers"),
    "condition": ("sunny", "cloudy", "rain", "windy", "snow", "fog", "clear", "showers"),
    "author": tuple(f"{first} {last}" for first, last in zip(_FIRST, _LAST, strict=True)),
    "code": tuple(f"{thing[:2].upper()}-{17 * n + 101}" for n, thing in enumerate(_THING)),
    "expression": ("2 + 3", "7 * 6", "9 - 4", "8 / 2", "3 ** 2", "10 - 1", "5 * 5", "1 + 1"),
    "query": tuple(f"{word} in {city}" for word, city in zip(("rain", "trains"), _CITY, strict=False)),
}
_SENTENCES = frozenset(
    [
        "abstract",
        "answer",
        "bio",
        "body",
        "comment",
        "content",
        "description",
        "detail",
        "explanation",
        "message",
        "note",
        "reason",
        "review",
        "sentence",
        "story",
        "summary",
        "text",
        "thought",
        "translation",
    ]
)

_Range = tuple[float, float, float]
# From, to, step.
_NUMBERS: dict[str, _Range] = {
    "age": (19, 78, 1),
    "year": (1951, 2024, 1),
    "month": (1, 12, 1),
    "day": (1, 28, 1),
    "hour": (0, 23, 1),
    "price": (4.5, 94.5, 0.5),
    "cost": (4.5, 94.5, 0.5),
    "amount": (5, 250, 2.5),
    "total": (5, 250, 2.5),
    "rating": (1, 5, 0.5),
    "stars": (1, 5, 1),
    "score": (0, 1, 0.05),
    "confidence": (0.5, 1, 0.05),
    "probability": (0, 1, 0.05),
    "share": (0, 1, 0.05),
    "percent": (0, 100, 1),
    "temperature": (-5, 35, 0.5),
    "latitude": (-60, 60, 0.25),
    "lat": (-60, 60, 0.25),
    "longitude": (-170, 170, 0.25),
    "lon": (-170, 170, 0.25),
    "population": (12_000, 9_000_000, 1_000),
    "height": (1.5, 2, 0.01),
    "weight": (2, 90, 0.5),
    "quantity": (1, 12, 1),
    "count": (1, 40, 1),
}


def a_text(wanted: Wanted) -> str:
    """Return text for a property, by the words of its name; what it does not know says that it is made up."""
    words = name_words(wanted.name)
    if {"name", "person", "user", "customer", "author"} & set(words):
        return _named(words, wanted)
    for word in reversed(words):
        found = _WORDS.get(word) or _WORDS.get(word.removesuffix("s"))
        if found:
            return found[wanted.record % len(found)]
        if word in _SENTENCES or word.removesuffix("s") in _SENTENCES:
            return f"Made up by the simulator: {word} number {wanted.row + 1}."
    if words == ["id"]:
        return f"{wanted.within or 'id'}-{wanted.row + 1}"
    return f"{' '.join(words) or 'value'} {wanted.row + 1}"


def a_number(wanted: Wanted) -> float:
    """Return a number for a property, by the words of its name: whole where that is usual."""
    words = name_words(wanted.name)
    if "id" in words or words in (["index"], ["number"], ["rank"], ["step"]):
        return wanted.row + 1
    for word in reversed(words):
        span = _NUMBERS.get(word) or _NUMBERS.get(word.removesuffix("s"))
        if span:
            low, high, step = span
            n_steps = int((high - low) / step) + 1
            value = round(low + (wanted.record * 7 % n_steps) * step, 6)
            return int(value) if step == int(step) else value
    return 3 + (wanted.record * 5 + sum(map(ord, wanted.name)) * 7) % 97


def name_words(name: str) -> list[str]:
    """Return the lower-case words of a name in snake_case, camelCase or plain words."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+", name)]


def _named(words: list[str], wanted: Wanted) -> str:
    first = _FIRST[wanted.record % len(_FIRST)]
    last = _LAST[(wanted.record + wanted.record // len(_LAST)) % len(_LAST)]
    if "first" in words or "given" in words:
        return first
    if "last" in words or "family" in words or "surname" in words:
        return last
    if "user" in words and "name" in words:
        return f"{first.lower()}{wanted.row + 1}"
    for holder in (*words, *name_words(wanted.within)):
        kind = _NAMED.get(holder) or _NAMED.get(holder.removesuffix("s")) or _NAMED.get(_singular(holder))
        if kind:
            return kind(wanted.record)
    return f"{first} {last}"


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word


def _from(words: tuple[str, ...]) -> Callable[[int], str]:
    return lambda record: words[record % len(words)]


_NAMED: Mapping[str, Callable[[int], str]] = {
    word: _from(_WORDS[word])
    for word in ("city", "country", "company", "product", "item", "category", "language")
}
