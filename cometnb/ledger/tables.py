"""The ledger's tables in a database, as each version of its schema has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cometnb.ledger.rows import STORED_COLUMNS, Column, Kind
from cometnb.ledger.storage.contexts import SHARED

__all__ = ["CURRENT", "SCHEMA_VERSION", "VERSIONS", "Tables", "tables_of"]

SCHEMA_VERSION = 2
"""The version that this cometnb writes."""

_TYPES: dict[Kind, type[sa.types.TypeEngine[Any]]] = {
    Kind.TEXT: sa.Text,
    Kind.SOURCE: sa.Text,
    Kind.ID: sa.Text,
    Kind.COUNT: sa.BigInteger,
    Kind.NUMBER: sa.Double,
}
_SHARED_KINDS = frozenset(shared.kind for shared in SHARED)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one schema version.

    Attributes
    ----------
    version : int
        Of the schema.
    columns : tuple of Column
        What is kept of an attempt in this version.
    attempts : Table
        One row per attempt. From version 2 on the texts that come again and again stand in tables of their own.
    shared : tuple of Table
        These tables, in the order of `contexts.SHARED`: each combination of texts once, under a hash of its content.
        Whoever writes a row knows its keys without asking, and ledgers that were written apart agree on them. In
        version 1 they are never created.
    contents : Table
        Prompts and answers, for those who want them kept. In version 1 it is never created.
    """

    version: int
    columns: tuple[Column, ...]
    attempts: sa.Table
    shared: tuple[sa.Table, ...]
    contents: sa.Table

    @property
    def contexts(self) -> sa.Table:
        """The first of `shared`: what was asked where, of which model, and how it ended."""
        return self.shared[0]


def tables_of(version: int) -> Tables:
    """Return the tables as they were, or are, at a schema version from 1 up."""
    columns = tuple(column for column in STORED_COLUMNS if column.version <= version)
    metadata = sa.MetaData()
    return Tables(
        version,
        columns,
        _flat(metadata, columns) if version == 1 else _attempts(metadata, columns),
        tuple(
            sa.Table(
                shared.table,
                metadata,
                sa.Column(shared.key, sa.BigInteger, primary_key=True, autoincrement=False),
                *(_column(column) for column in columns if column.kind is shared.kind),
            )
            for shared in SHARED
        ),
        sa.Table(
            "cometnb_contents",
            metadata,
            sa.Column("attempt_id", sa.Text, primary_key=True),
            sa.Column("prompt", sa.Text),
            sa.Column("answer", sa.Text),
        ),
    )


def _flat(metadata: sa.MetaData, columns: tuple[Column, ...]) -> sa.Table:
    return sa.Table(
        "cometnb_attempts",
        metadata,
        *(_column(column) for column in columns),
        sa.Index("cometnb_attempts_created_at_us", "created_at_us"),
    )


def _attempts(metadata: sa.MetaData, columns: tuple[Column, ...]) -> sa.Table:
    return sa.Table(
        "cometnb_attempts",
        metadata,
        *(_column(column) for column in columns if column.kind not in _SHARED_KINDS),
        *(sa.Column(shared.key, sa.BigInteger, nullable=False) for shared in SHARED),
        # What was spent since a moment is read from the index alone; a budget asks before every call.
        sa.Index("cometnb_attempts_by_time", "created_at_us", "context_key", "cost_usd", "tool_fees_usd"),
        sa.Index("cometnb_attempts_by_context", "context_key", "created_at_us"),
    )


def _column(column: Column) -> sa.Column[Any]:
    return sa.Column(
        column.name,
        _TYPES[column.kind],
        primary_key=column.name == "attempt_id",
        nullable=column.name not in ("attempt_id", "created_at_us"),
    )


CURRENT = tables_of(SCHEMA_VERSION)
"""The tables as this cometnb writes them."""

# One row per step that was taken, so that the file tells its own history.
VERSIONS = sa.Table(
    "cometnb_schema",
    sa.MetaData(),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("applied_at_us", sa.BigInteger, nullable=False),
)
"""Which schema version a database has: the highest of its rows."""
