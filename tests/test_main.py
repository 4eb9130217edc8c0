"""The command line, as another process sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx

from cometnb import __version__
from tests.ledger.notebooks import KEY, MASKED, a_cell, an_answer, saved


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cometnb", *words], capture_output=True, text=True, check=False
    )


def test_serve_answers_until_it_is_stopped() -> None:
    """The first line names the base URL; a request there is answered; an interrupt ends it cleanly."""
    command = [
        sys.executable,
        "-m",
        "cometnb",
        "serve",
        "--port",
        "0",
        "--tokens-per-s",
        "0",
        "--first-token-s",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        base_url = server.stdout.readline().split()[-1]
        answer = httpx.post(f"{base_url}/responses", json={"model": "gpt-5.4", "input": "Hello"}, timeout=30)
        assert answer.json()["status"] == "completed"
        server.send_signal(2)
        assert server.wait(timeout=30) == 0


def test_a_setting_that_cannot_be_used_is_two_lines() -> None:
    """On standard error, with exit status 2 and no traceback."""
    ended = _run("serve", "--host", "0.0.0.0")
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 2
    assert "0.0.0.0" in ended.stderr


def test_a_fault_that_is_none_is_said_at_once() -> None:
    """And not to every client that asks."""
    ended = _run("serve", "--port", "0", "--fault", "nosuch")
    assert ended.returncode == 2
    assert "nosuch" in ended.stderr
    assert len(ended.stderr.splitlines()) == 2


def test_version_and_help() -> None:
    """It says what it is and what it can do."""
    assert __version__ in _run("--version").stdout
    assert "serve" in _run("--help").stdout
    assert "exit status" in _run("audit", "--help").stdout


def test_audit_reports_and_ends_with_a_status(tmp_path: Path) -> None:
    """0 for clean notebooks, 1 for a leaked key, 2 for a broken file; the others are audited all the same."""
    clean = saved(tmp_path / "clean.ipynb", a_cell("", an_answer()))
    saved(tmp_path / "leaky.ipynb", a_cell(KEY))
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    ended = _run("audit", clean)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "$0.25" in ended.stdout
    ended = _run("audit", clean, str(broken), str(tmp_path / "gone.ipynb"))
    assert (ended.returncode, ended.stderr) == (2, "")
    assert all(words in ended.stdout for words in ("$0.25", "is no JSON", "does not exist"))
    ended = _run("audit", str(tmp_path))
    assert ended.returncode == 1
    assert MASKED in ended.stdout
    assert KEY not in ended.stdout
    assert _run("audit").returncode == 2


def test_audit_as_json(tmp_path: Path) -> None:
    """Standard output is JSON and nothing else."""
    found = json.loads(_run("audit", "--json", saved(tmp_path / "a.ipynb", a_cell(KEY, an_answer()))).stdout)
    assert found["totals"]["cost_usd"] == 0.25
    assert [leak["masked"] for leak in found["leaks"]] == [MASKED]


def test_audit_prints_in_any_encoding(tmp_path: Path) -> None:
    """A terminal without ≥ or … gets another character, not a traceback."""
    path = saved(tmp_path / "a.ipynb", a_cell(KEY, an_answer(), an_answer("b", model="?", cost_usd=None)))
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "cometnb", "audit", path]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "sk-?3Bxz" in ended.stdout
    assert ended.stderr == ""
