"""Places that fail, as disks, rights and servers fail: no row is lost, and one warning says what to do."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cometnb.errors import LedgerError
from cometnb.ledger import Ledger
from tests.ledger.attempts import an_attempt
from tests.ledger.conftest import Query
from tests.ledger.postgres import Server
from tests.ledger.test_databases import recorded
from tests.ledger.test_store import told
from tests.needs import ROOT

# What the programs below share: a ledger of a hundred rows, and the warnings that came.
_PROLOGUE = """
import os, resource, sys, warnings
from pathlib import Path
from cometnb.errors import CometWarning, LedgerError
from cometnb.ledger import Ledger
from tests.ledger.attempts import an_attempt
warnings.simplefilter("always")
texts = []
warnings.showwarning = lambda message, *rest, **more: texts.append(str(message))
path = Path(sys.argv[1])

def load_everything(folder):
    # Who has given up root's rights may not read Python's own folders any more.
    ledger = Ledger(folder / "first.sqlite3")
    ledger(an_attempt())
    assert ledger.flush(60) and len(ledger.usage()) == 1
    assert Ledger("off").merge(ledger.location) == 1
"""


def run(program: str, path: Path) -> None:
    """Run a program in a process of its own; it fails if one of its assertions does."""
    code = _PROLOGUE + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr


def test_a_disk_that_is_full_loses_no_row(tmp_path: Path) -> None:
    """A file may not grow beyond a bound; rows wait until it may."""
    run(
        """
        ledger = Ledger(path)
        ledger(an_attempt(0))
        assert ledger.flush(30)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
        for number in range(1, 3_001):
            ledger(an_attempt(number))
            if number % 500 == 0:
                ledger.flush(30)
        assert not ledger.flush(30)
        assert len(texts) == 1, texts
        assert "cannot be written" in texts[0] and "whether the disk has room" in texts[0], texts
        assert len(ledger.usage()) == 3_001
        assert ledger.spent().n_attempts == 3_001
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert ledger.flush(30)
        assert len(texts) == 1, texts
        assert Ledger(path).usage()["response_id"].tolist() == [f"resp_{number}" for number in range(3_001)]
        """,
        tmp_path / "ledger.sqlite3",
    )


def test_a_folder_that_may_not_be_written_loses_no_row(tmp_path: Path) -> None:
    """Somebody who has no right to write there is told so once; with the right, everything is written."""
    folder = tmp_path / "folder"
    folder.mkdir()
    run(
        """
        load_everything(path.parent.parent)
        path.parent.chmod(0o555)
        if os.geteuid() == 0:
            # The rights of a file do not bind root.
            for parent in path.parents[1:]:
                parent.chmod(parent.stat().st_mode | 0o011)
            os.setegid(65534), os.seteuid(65534)
        ledger = Ledger(path)
        for number in range(3):
            ledger(an_attempt(number))
            assert not ledger.flush(30)
        assert len(texts) == 1 and "cannot be written" in texts[0], texts
        assert len(ledger.usage()) == 3
        if os.getuid() == 0:
            os.seteuid(0), os.setegid(0)
        path.parent.chmod(0o755)
        assert ledger.flush(30)
        assert len(Ledger(path).usage()) == 3
        """,
        folder / "ledger.sqlite3",
    )


@pytest.mark.parametrize("version", [1, 2])
def test_a_ledger_that_may_only_be_read_is_read(tmp_path: Path, query: Query, version: int) -> None:
    """A colleague's ledger in a folder that is theirs, also one of an older version, which then stays so."""
    from tests.ledger.first_schema import first_ledger

    path = tmp_path / "folder" / "ledger.sqlite3"
    path.parent.mkdir()
    if version == 1:
        first_ledger(str(path), query, 20, more=("PRAGMA journal_mode = WAL",))
    else:
        recorded(str(path), *(an_attempt(number) for number in range(20))).close()
    run(
        """
        load_everything(path.parent.parent)
        before = path.read_bytes()
        path.chmod(0o444), path.parent.chmod(0o555)
        if os.geteuid() == 0:
            for parent in path.parents[1:]:
                parent.chmod(parent.stat().st_mode | 0o011)
            os.setegid(65534), os.seteuid(65534)
        ledger = Ledger(path)
        assert len(ledger.usage()) == 20
        mine = Ledger("off")
        assert mine.merge(path) == 20
        ledger(an_attempt(100))
        assert not ledger.flush(30)
        assert len(ledger.usage()) == 21
        assert len(texts) == 1 and "Allow writing there" in texts[0], texts
        if os.getuid() == 0:
            os.seteuid(0), os.setegid(0)
        assert path.read_bytes() == before
        path.chmod(0o644), path.parent.chmod(0o755)
        assert ledger.flush(30)
        """,
        path,
    )


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a moment for a lock instead of seconds."""
    monkeypatch.setattr("cometnb.ledger.storage.engine._BUSY_TIMEOUT_S", 0.2)


@pytest.mark.usefixtures("short_patience")
def test_a_file_that_another_program_holds_loses_no_row(tmp_path: Path) -> None:
    """It is told once, and when the other lets go everything is written."""
    path = tmp_path / "ledger.sqlite3"
    recorded(str(path), an_attempt(0)).close()
    holder = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN EXCLUSIVE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", holder, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        ledger = Ledger(path)
        with told() as texts:
            for number in (1, 2):
                ledger(an_attempt(number))
                assert not ledger.flush(30)
        assert len(texts) == 1
        assert "locked" in texts[0]
        assert "Close the program that holds it" in texts[0]
        assert len(ledger.usage()) == 3
        process.communicate()
    assert ledger.flush(30)
    assert len(Ledger(path).usage()) == 3


def scribbled(path: Path) -> None:
    """Write over the middle of every page but the first."""
    content = bytearray(path.read_bytes())
    for first in range(4_096, len(content), 4_096):
        content[first : first + 2_000] = b"\xa5" * 2_000
    path.write_bytes(content)


def overwritten(path: Path) -> None:
    """Write something else over the head of the file."""
    path.write_bytes(b"\0broken\0" * 512 + path.read_bytes()[4_096:])


def cut(path: Path) -> None:
    """Cut the file in its first page."""
    path.write_bytes(path.read_bytes()[:2_000])


@pytest.mark.parametrize("spoil", [scribbled, overwritten, cut])
def test_a_file_that_is_spoilt_is_left_alone_and_loses_no_row(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """The error says how to go on, and going on so works."""
    path = tmp_path / "ledger.sqlite3"
    recorded(str(path), *(an_attempt(number) for number in range(500))).close()
    spoil(path)
    spoilt = path.read_bytes()
    with pytest.raises(
        LedgerError, match=r"cannot be read: .*\nMove .*ledger\.sqlite3 and its -wal and -shm files away"
    ):
        Ledger(path).usage()
    ledger = Ledger(path)
    with told() as texts:
        for number in (1, 2):
            ledger(an_attempt(number))
            assert not ledger.flush(30)
    assert len(texts) == 1
    assert path.read_bytes() == spoilt
    path.rename(tmp_path / "spoilt.sqlite3")
    for beside in tmp_path.glob("ledger.sqlite3-*"):
        beside.rename(tmp_path / beside.name.replace("ledger", "spoilt"))
    assert ledger.flush(30)
    assert len(Ledger(path).usage()) == 2


def test_what_can_still_be_read_of_a_spoilt_file_comes_back(tmp_path: Path) -> None:
    """One page among many is lost; merging brings what stands before it."""
    path = tmp_path / "spoilt.sqlite3"
    recorded(str(path), *(an_attempt(number) for number in range(9_000))).close()
    content = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        pages = connection.execute(
            "SELECT pageno FROM dbstat WHERE name = 'cometnb_attempts' AND pagetype = 'leaf'"
        )
        (page,) = pages.fetchall()[-5]
    content[(page - 1) * 4_096 : page * 4_096] = b"\xa5" * 4_096
    path.write_bytes(content)
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.merge(path)
    assert len(ledger.usage()) >= 4_000


def test_a_drive_without_shared_memory_is_written_all_the_same(tmp_path: Path, query: Query) -> None:
    """Network drives have none, and so no write-ahead log; SQLite's way of locking by files is like them."""
    path = tmp_path / "ledger.sqlite3"
    place = f"sqlite:///file:{path}?vfs=unix-dotfile&uri=true"
    recorded(place, *(an_attempt(number) for number in range(10))).close()
    assert len(Ledger(place).usage()) == 10
    assert query(str(path), "PRAGMA journal_mode") == [("delete",)]


@pytest.fixture
def closed_database(postgresql: Server, new_place: Callable[[str], str]) -> Iterator[str]:
    """Return a ledger's place in a database that lets nobody in, and has put out who was there."""
    place = new_place("postgresql")
    recorded(place, an_attempt(0)).close()
    name = place.rpartition("/")[2]
    postgresql.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    yield place
    postgresql.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_server_that_lets_nobody_in_loses_no_row(postgresql: Server, closed_database: str) -> None:
    """One warning without the password, rows that wait, and all of them written when it opens."""
    place = closed_database.replace("postgres@", "postgres:secret@")
    ledger = Ledger(place)
    with told() as texts:
        for number in (1, 2):
            ledger(an_attempt(number))
            assert not ledger.flush(30)
    assert len(texts) == 1
    assert "secret" not in texts[0]
    postgresql.run(f"ALTER DATABASE {place.rpartition('/')[2]} ALLOW_CONNECTIONS true")
    assert ledger.flush(30)
    assert len(ledger.usage()) == 3


def test_a_server_that_was_started_again_is_written_to(
    postgresql: Server, new_place: Callable[[str], str]
) -> None:
    """Connections that went with it are made anew, and nobody is told."""
    place = new_place("postgresql")
    ledger = recorded(place, an_attempt(0))
    name = place.rpartition("/")[2]
    postgresql.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608
    with told() as texts:
        ledger(an_attempt(1))
        assert ledger.flush(30)
    assert texts == []
    assert len(ledger.usage()) == 2


def test_nobody_listening_is_said_in_two_lines(tmp_path: Path) -> None:
    """A server that is not there, with what to do."""
    with pytest.raises(LedgerError, match=r"127\.0\.0\.1.*\n.*COMETNB_LEDGER") as caught:
        Ledger("postgresql://ana:secret@127.0.0.1:9/usage").usage()
    assert "secret" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_a_pricing_fault_loses_no_row(stored: str) -> None:
    """A row without a price is worth more than none."""

    class Broken:
        def cost(self, _billable: object) -> object:
            raise RuntimeError("no list")

    ledger = Ledger(stored, prices=Broken())  # type: ignore[arg-type]
    ledger(an_attempt())
    assert ledger.flush(30)
    assert ledger.usage()["price_source"].tolist() == ["no price: RuntimeError: no list"]
    assert Ledger(stored).usage()["cost_usd"].notna().all()
    assert os.environ.get("COMETNB_PRICES") is None
