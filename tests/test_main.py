"""The command line, as another process sees it."""

from __future__ import annotations

import subprocess
import sys

import httpx

from cometnb import __version__


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


def test_version_and_help() -> None:
    """It says what it is and what it can do."""
    assert __version__ in _run("--version").stdout
    assert "serve" in _run("--help").stdout
