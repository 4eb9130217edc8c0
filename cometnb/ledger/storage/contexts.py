"""The texts that rows share: each combination once, under a key that only its content decides."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from cometnb.ledger.rows import STORED_COLUMNS, Kind, Row

__all__ = ["SHARED", "Shared", "Texts", "key_of", "texts_of"]

Texts: TypeAlias = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """A kind of texts that rows share, and that stand in a table of their own.

    Attributes
    ----------
    kind : Kind
        Of their columns.
    table, key : str
        The table's name, and the name of its key, which is also a column of every row.
    names : tuple of str
        The columns, in the order of `Texts`.
    """

    kind: Kind
    table: str
    key: str
    names: tuple[str, ...]

    @property
    def nothing(self) -> Texts:
        """What a row has that has none of these texts."""
        return (None,) * len(self.names)


def _shared(kind: Kind, table: str, key: str) -> Shared:
    return Shared(kind, table, key, tuple(column.name for column in STORED_COLUMNS if column.kind is kind))


SHARED: tuple[Shared, ...] = (
    _shared(Kind.TEXT, "cometnb_contexts", "context_key"),
    # By themselves: they change with the day, and would multiply the contexts by the days.
    _shared(Kind.SOURCE, "cometnb_price_sources", "price_key"),
)
"""Each table of shared texts."""


def texts_of(row: Row, names: tuple[str, ...]) -> Texts:
    """Return a row's texts, None where it has none."""
    return tuple(value if isinstance(value := row.get(name), str) else None for name in names)


@lru_cache(maxsize=10_000)
def key_of(names: tuple[str, ...], texts: Texts) -> int:
    """Return the key of a combination of texts.

    Parameters
    ----------
    names : tuple of str
        Their columns.
    texts : tuple of (str or None)
        In the same order.

    Returns
    -------
    int
        64 bits, signed. The same in every process and on every machine. Of a million combinations two share a key
        with a chance of 1 in 37 million.
    """
    # By name and without what is missing, so that a column that a later version brings changes no key.
    known = {name: text for name, text in zip(names, texts, strict=True) if text is not None}
    content = json.dumps(known, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), signed=True)
