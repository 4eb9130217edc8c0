"""Token usage as a tolerant view over the JSON a server sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Usage"]

# The second path is how servers that speak the chat dialect spell the same figure.
_PATHS: dict[str, tuple[tuple[str, ...], ...]] = {
    "input_tokens": (("input_tokens",), ("prompt_tokens",)),
    "cached_tokens": (
        ("input_tokens_details", "cached_tokens"),
        ("prompt_tokens_details", "cached_tokens"),
    ),
    "cache_write_tokens": (
        ("input_tokens_details", "cache_write_tokens"),
        ("prompt_tokens_details", "cache_write_tokens"),
        ("cache_write_tokens",),
    ),
    "output_tokens": (("output_tokens",), ("completion_tokens",)),
    "reasoning_tokens": (
        ("output_tokens_details", "reasoning_tokens"),
        ("completion_tokens_details", "reasoning_tokens"),
    ),
    "total_tokens": (("total_tokens",),),
}


class Usage:
    """What a response used, in tokens.

    Parameters
    ----------
    raw : Mapping or None
        The ``usage`` object as sent. Anything else counts as not reported.

    Attributes
    ----------
    raw : dict
        The same JSON, every field kept, also unknown ones.
    input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, total_tokens : int or None
        Tokens; None is "not reported", which is not zero. `cached_tokens` and `cache_write_tokens` are part
        of `input_tokens`, `reasoning_tokens` are part of `output_tokens`.

    Notes
    -----
    ``a + b`` adds every number, at any depth, and keeps every other field; where two texts differ both are kept
    in a list. Each count of the sum is the sum of the two counts, also where two servers spell it differently or one
    of them sent no count. `sum()` works. A usage is falsy when nothing was reported.
    """

    __slots__ = ("raw",)

    def __init__(self, raw: Any = None) -> None:
        self.raw: dict[str, Any] = dict(raw) if isinstance(raw, Mapping) else {}

    @property
    def input_tokens(self) -> int | None:
        """Tokens sent, cached ones included."""
        return self._tokens("input_tokens")

    @property
    def cached_tokens(self) -> int | None:
        """Tokens of the input that were read from the provider's cache."""
        return self._tokens("cached_tokens")

    @property
    def cache_write_tokens(self) -> int | None:
        """Tokens of the input that were written to the provider's cache."""
        return self._tokens("cache_write_tokens")

    @property
    def output_tokens(self) -> int | None:
        """Tokens generated, reasoning included."""
        return self._tokens("output_tokens")

    @property
    def reasoning_tokens(self) -> int | None:
        """Tokens of the output that the model spent on reasoning."""
        return self._tokens("reasoning_tokens")

    @property
    def total_tokens(self) -> int | None:
        """Input and output together, as the server reported it."""
        return self._tokens("total_tokens")

    def _tokens(self, name: str) -> int | None:
        for path in _PATHS[name]:
            count = _count(_at(self.raw, path))
            if count is not None:
                return count
        return None

    def __bool__(self) -> bool:
        return any(self._tokens(name) is not None for name in _PATHS)

    def __add__(self, other: Usage) -> Usage:
        if not isinstance(other, Usage):
            return NotImplemented
        total = Usage(_added(self.raw, other.raw))
        for name, paths in _PATHS.items():
            counts = [count for one in (self, other) if (count := one._tokens(name)) is not None]
            if counts and total._tokens(name) != sum(counts):
                _put(total.raw, paths, sum(counts))
        return total

    def __radd__(self, other: Any) -> Usage:
        # sum() starts from the number 0.
        return self if other == 0 else NotImplemented

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, Usage) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it holds a dict, like a dict it is not hashable

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{name}={'not reported' if count is None else count}"
            for name in _PATHS
            if (count := self._tokens(name)) is not None or name in ("input_tokens", "output_tokens")
        )
        return f"Usage({counts})"


def _at(raw: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = raw
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _put(raw: dict[str, Any], paths: tuple[tuple[str, ...], ...], count: int) -> None:
    """Write a count where it is read: in the first of its places that has one, or else that something stands in."""
    found = [path for path in paths if _count(_at(raw, path)) is not None]
    found += [path for path in paths if _at(raw, path) is not None]
    *folders, name = found[0] if found else paths[-1]
    for folder in folders:
        # A copy: what was found may be a summand's own.
        inside = raw.get(folder)
        raw[folder] = dict(inside) if isinstance(inside, Mapping) else {}
        raw = raw[folder]
    raw[name] = count


def _count(value: Any) -> int | None:
    """Read a count of tokens; some servers send floats."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # No count needs more than 63 bits; what claims to is no count, and no database would take it.
    return int(value) if 0 <= value < 2**63 else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _added(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return right if left is None else left
    if _is_number(left) and _is_number(right):
        try:
            return left + right
        except OverflowError:  # a float and an integer too large to become one
            return float("inf")
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        names = [*left, *(name for name in right if name not in left)]
        return {name: _added(left.get(name), right.get(name)) for name in names}
    if left == right:
        return left
    both = [*_listed(left)]
    both += [value for value in _listed(right) if value not in both]
    return both


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
