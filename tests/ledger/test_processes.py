"""Several kernels write to one ledger at a time."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cometnb.ledger import Ledger
from tests.ledger.attempts import an_attempt

N_PROCESSES, N_ROWS = 4, 200


def record(path: str, first: int) -> None:
    """Record `N_ROWS` attempts, every tenth of them waited for, so that the processes take turns."""
    ledger = Ledger(path)
    for number in range(first, first + N_ROWS):
        ledger(an_attempt(number))
        if number % 10 == 0:
            ledger.flush(timeout_s=60)
    if not ledger.flush(timeout_s=60):
        raise SystemExit(1)


def test_processes_that_write_at_once_lose_no_row(tmp_path: Path) -> None:
    """Four processes create the same new ledger and write to it; every row of each is there."""
    path = tmp_path / "ledger.sqlite3"
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=record, args=(str(path), first))
        for first in range(0, N_PROCESSES * N_ROWS, N_ROWS)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0] * N_PROCESSES
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT response_id FROM cometnb_attempts").fetchall()
    assert sorted(found) == sorted((f"resp_{number}",) for number in range(N_PROCESSES * N_ROWS))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_records_too(tmp_path: Path) -> None:
    """The child has neither the parent's thread nor its connections, and its rows are written too."""
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    ledger(an_attempt(1))
    assert ledger.flush()
    child = os.fork()
    if child == 0:
        ledger(an_attempt(2))
        os._exit(0 if ledger.flush(timeout_s=30) else 1)
    assert os.waitpid(child, 0)[1] == 0
    ledger(an_attempt(3))
    assert ledger.usage()["response_id"].tolist() == ["resp_1", "resp_2", "resp_3"]
