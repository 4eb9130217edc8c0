"""A table over the fault server: every row is accounted for, and a checkpoint finishes what was not answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pandas as pd

import cometnb
from cometnb.client.attempt import Observer
from cometnb.client.faults.server import FaultServer
from cometnb.errors import AuthenticationError, BatchError
from cometnb.session.session import Session
from tests.client.faults.judging import KEY, Limits

__all__ = ["frame_judged"]

# Of a refused key there is one among some 500 answers.
_MOST_RUNS = 20


def frame_judged(
    server: FaultServer, n_rows: int, observers: Sequence[Observer], limits: Limits, folder: Path
) -> list[str]:
    """Ask for a table of rows twice, with faults and then without, and return what was wrong.

    Parameters
    ----------
    server : FaultServer
        It is well afterwards.
    n_rows : int
    observers : sequence of callable
        Of both runs.
    limits : dict
        Of the session.
    folder : Path
        For the checkpoint.
    """
    table = pd.DataFrame({"n": range(n_rows)}, index=[f"row {n}" for n in range(n_rows)])
    kept = folder / "checkpoint.db"
    first = _asked_on(server.base_url, table, observers, limits, kept)
    wrong = list(_wrong_rows(table, first))
    n_before = server.n_requests
    server.is_well = True
    second = _asked(server.base_url, table, observers, limits, kept)
    is_answered = first["status"] == "completed"
    for label, row in second[second["status"] != "completed"].iterrows():
        wrong.append(f"{label} is {row['status']} after the second run: {row['error']}")
    if not (second.loc[is_answered, "answer"] == first.loc[is_answered, "answer"]).all():
        wrong.append("the second run has other answers where there were some")
    n_left, n_asked = int((~is_answered).sum()), server.n_requests - n_before
    if n_left != n_asked:
        wrong.append(f"{n_left} rows were left, and {n_asked} requests made for them")
    return wrong


def _asked_on(
    base_url: str, table: pd.DataFrame, observers: Sequence[Observer], limits: Limits, kept: Path
) -> pd.DataFrame:
    """Ask, and go on where the table was ended by what would meet every row, as its error says one can."""
    for _ in range(_MOST_RUNS):
        try:
            return _asked(base_url, table, observers, limits, kept)
        except (AuthenticationError, BatchError):
            continue
    raise RuntimeError(f"the table was ended {_MOST_RUNS} times")


def _asked(
    base_url: str, table: pd.DataFrame, observers: Sequence[Observer], limits: Limits, kept: Path
) -> pd.DataFrame:
    with closing(Session(api_key=KEY, base_url=base_url, observers=observers, **limits)) as session:
        result: pd.DataFrame = cometnb.respond_frame(
            table,
            "Say something of {{n}}.",
            session=session,
            max_concurrency=32,
            checkpoint=kept,
            progress=False,
            reasoning={"effort": "none"},
        )
    return result


def _wrong_rows(table: pd.DataFrame, result: pd.DataFrame) -> Iterator[str]:
    if list(result.index) != list(table.index):
        yield "the result has other rows than the table"
    for label, row in result.iterrows():
        is_whole = row["status"] == "completed"
        if is_whole == pd.notna(row["error"]):
            yield f"{label} is {row['status']} and its error is {row['error']}"
        if is_whole and not row["answer"]:
            yield f"{label} is completed without an answer"
        if row["status"] not in ("completed", "truncated", "error", "failed"):
            yield f"{label} is {row['status']}"
