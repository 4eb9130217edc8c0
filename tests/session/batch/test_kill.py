"""Killed in the middle, again and again: the service makes each answer once, and every row has its own in the end."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from cometnb.client.server import running_server
from cometnb.session.batch.checkpoint import ANSWERED, Checkpoint

_N_ROWS, _N_KILLS = 80, 8


def _killed_after(command: list[str], n_rows: int | None) -> list[int]:
    """Run until so many rows have been handed out, kill -9, and return them; None runs to the end."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    rows = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout is not None
        for line in process.stdout:
            rows.append(int(line))
            if len(rows) == n_rows:
                process.kill()
                break
    assert n_rows is not None or process.returncode == 0
    return rows


@pytest.mark.parametrize("way", ["at once", "background"])
def test_whatever_row_it_is_killed_at_each_prompt_is_answered_once(way: str, tmp_path: Path) -> None:
    """Also the requests on their way at that moment: their key is the same in the next run."""
    path, seed = tmp_path / "rows.sqlite", random.Random(7)
    n_kills = _N_KILLS if way == "at once" else 2
    with running_server() as server:
        command = [sys.executable, str(Path(__file__).with_name("killed.py")), server.base_url, str(path)]
        command += [str(_N_ROWS), way]
        handed: set[int] = set()
        for _ in range(n_kills):
            # What was handed out before comes first in every run, from the file.
            n_rows = len(handed) + seed.randint(1, _N_ROWS // n_kills - 1)
            handed |= set(_killed_after(command, n_rows))
        assert set(_killed_after(command, None)) == set(range(_N_ROWS))
        made = server.engine.times_made
    assert len(made) == _N_ROWS
    assert set(made.values()) == {1}
    with Checkpoint(path) as kept:
        assert kept.counts() == {ANSWERED: _N_ROWS}
