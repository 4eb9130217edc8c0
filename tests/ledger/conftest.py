"""Ledgers in every database that one can be in: what holds in SQLite holds in PostgreSQL."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.postgres import Server, running_server

Query = Callable[..., list[tuple[Any, ...]]]
"""Runs statements beside the ledger, as another program would, and returns the rows of the last."""


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Run a PostgreSQL server of the tests' own."""
    with running_server() as server:
        yield server


@pytest.fixture
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Return what makes the place of a new ledger in a database of this kind."""

    def make(kind: str) -> str:
        name = f"ledger_{uuid.uuid4().hex}"
        if kind == "sqlite":
            return str(tmp_path / f"{name}.sqlite3")
        server: Server = request.getfixturevalue("postgresql")
        server.run(f"CREATE DATABASE {name}")
        request.addfinalizer(lambda: server.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        return server.url(name)

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, new_place: Callable[[str], str]) -> str:
    """Return the place of a new ledger, in SQLite and in PostgreSQL."""
    return new_place(request.param)


@pytest.fixture
def query(request: pytest.FixtureRequest) -> Query:
    """Return what asks a ledger's database as another program would."""

    def run(place: str, *statements: str) -> list[tuple[Any, ...]]:
        if "://" in place:
            server: Server = request.getfixturevalue("postgresql")
            return server.run(*statements, database=place.rpartition("/")[2])
        with closing(sqlite3.connect(place, isolation_level=None)) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall()

    return run
