"""Several kernels write to one ledger at a time, and some of them die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cometnb.ledger import Ledger
from tests.ledger.attempts import an_attempt
from tests.ledger.conftest import Query
from tests.needs import ROOT

N_PROCESSES, N_ROWS = 8, 1_000


def recorder(place: str, first: int, n_attempts: int) -> subprocess.Popen[str]:
    """Start a program that records attempts."""
    command = [sys.executable, "-m", "tests.ledger.recording", place, str(first), str(n_attempts)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_processes_that_write_at_once_lose_no_row(stored: str, query: Query) -> None:
    """Eight processes create the same new ledger and write to it; every row of each is there once."""
    processes = [recorder(stored, first, N_ROWS) for first in range(0, N_PROCESSES * N_ROWS, N_ROWS)]
    for process in processes:
        process.communicate(timeout=110)
    assert [process.returncode for process in processes] == [0] * N_PROCESSES
    found = query(stored, "SELECT response_id FROM cometnb_attempts")
    assert sorted(found) == sorted((f"resp_{number}",) for number in range(N_PROCESSES * N_ROWS))
    assert query(stored, "SELECT count(*) FROM cometnb_contexts") == [(7,)]
    assert query(stored, "SELECT version FROM cometnb_schema ORDER BY version") == [(1,), (2,)]


def test_a_process_that_is_killed_leaves_whole_rows(stored: str, query: Query) -> None:
    """Every attempt that was known to be written is there once, and the ledger goes on."""
    process = recorder(stored, 0, 100_000)
    assert process.stdout is not None
    written = [process.stdout.readline().strip() for _ in range(50)]
    process.send_signal(signal.SIGKILL)
    written += process.communicate(timeout=60)[0].split()
    assert process.returncode == -signal.SIGKILL
    frame = Ledger(stored).usage()
    assert {f"resp_{number}" for number in written} <= set(frame["response_id"])
    assert frame["attempt_id"].is_unique
    assert frame[["model", "tag", "output_tokens", "cost_usd"]].notna().all(axis=None)
    if "://" not in stored:
        assert query(stored, "PRAGMA integrity_check") == [("ok",)]
    ledger = Ledger(stored)
    ledger(an_attempt(200_000))
    assert ledger.flush(timeout_s=30)
    assert len(ledger.usage()) == len(frame) + 1


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
