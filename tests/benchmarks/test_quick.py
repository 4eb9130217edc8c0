"""The benchmark in small: every row is measured and names its contenders. What it costs is never asked here."""

from __future__ import annotations

import subprocess
import sys
from itertools import dropwhile, takewhile

import pytest

from benchmarks.child import ROOT, environment

# The page in a browser (row 4) and the delay (row 5) have tests of their own, and take longest.
_ROWS = "1,2,3,6,7,8,9"
_AWAY = "not measured: not installed here"

# It starts some thirty processes and seven kernels, one after the other.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a quick run prints where nothing of others is installed."""
    nothing = tmp_path_factory.mktemp("nothing")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--rows", _ROWS]
    command += ["--environments", str(nothing / "environments"), "--results", str(nothing / "results")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(nothing.iterdir()) == []
    return done.stdout


@pytest.mark.parametrize(
    ("title", "measured", "away"),
    [
        (
            "Client CPU for a stream",
            {"raw socket with json", "cometnb Client.stream", "cometnb AsyncClient.stream"},
            {
                "httpx, doing nothing",
                "httpx async, doing nothing",
                "openai create(stream=True)",
                "openai responses.stream()",
                "chatlas Chat.stream",
                "lisette Chat(stream=True)",
            },
        ),
        (
            "Growth of the client's CPU",
            {"cometnb Client.stream", "cometnb AsyncClient.stream"},
            {"httpx, doing nothing", "openai create(stream=True)"},
        ),
        ("Decoding and folding", {"decode, parse and fold"}, set()),
        ("Decoding one large event", {"in pieces of 1,000 bytes", "in pieces of 16,000 bytes"}, set()),
        (
            "iopub traffic",
            {
                "cometnb, live view",
                "cometnb, display handles",
                "`update(Markdown(text))` at 15 Hz",
                "`update(Markdown(text))` for every delta",
                "`Output.append_stdout(delta)`",
            },
            {
                "chatlas",
                "lisette",
                "`%%ai` of Jupyter AI 3, all at the end",
                "`%%ai` of jupyter-ai-magics 2, all at the end",
            },
        ),
        ("Growth of the traffic", {"cometnb, live view", "cometnb, display handles"}, set()),
        (
            "CPU of an import",
            {"import cometnb", "from cometnb import Client"},
            {"import httpx", "import anywidget", "import openai", "import chatlas", "import lisette"},
        ),
        (
            "CPU of `%load_ext cometnb`",
            {"%load_ext cometnb"},
            {
                "import httpx",
                "import anywidget",
                "import openai",
                "import chatlas",
                "import lisette",
                "%load_ext jupyter_ai_magics",
                "%load_ext jupyter_ai_magic_commands",
            },
        ),
        (
            "5 and 20 streams",
            {"cometnb batch"},
            {"httpx hand loop", "aiohttp hand loop", "AsyncOpenAI with a semaphore"},
        ),
        (
            "Recording one attempt",
            {
                "sqlite3, an INSERT and a commit a row",
                "cometnb Ledger, from the attempt to the file",
                "cometnb Ledger, of that on the call's thread",
                "cometnb Ledger, a thousand attempts at once",
            },
            set(),
        ),
        (
            "Two processes",
            {"sqlite3, an INSERT and a commit for ten rows", "cometnb Ledger"},
            set(),
        ),
        (
            "The usage frame",
            {
                "pandas.read_sql of one flat table",
                "cometnb Ledger.usage",
                "cometnb Ledger.usage, no row priced yet",
            },
            set(),
        ),
    ],
)
def test_every_section_has_its_contenders(
    report: str, title: str, measured: set[str], away: set[str]
) -> None:
    """Those that are here have figures, and those that are not are named."""
    (section,) = [part for part in report.split("\n## ") if part.startswith(title)]
    lines = dropwhile(lambda line: not line.startswith("|"), section.splitlines())
    drawn = [line.strip("| ").split(" | ") for line in takewhile(lambda line: line.startswith("|"), lines)]
    rows = drawn[2:]
    assert {row[0] for row in rows if _AWAY not in row[1]} == measured
    assert {row[0] for row in rows if _AWAY in row[1]} == away


def test_no_row_of_two_processes_is_lost(report: str) -> None:
    """The one target that does not depend on the machine."""
    assert "reached: rows that are lost is 0 rows (at most 0 rows)" in report
