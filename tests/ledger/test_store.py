"""The ledger on a real disk: rows are written once, found again, and outlive a broken place."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cometnb.errors import CometWarning, LedgerError
from cometnb.ledger import Ledger
from tests.ledger.attempts import an_attempt


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Return what another program reads from the file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@contextmanager
def told() -> Iterator[list[str]]:
    """Collect the text of every CometWarning of the block, from whichever thread."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    texts += [str(warning.message) for warning in caught if warning.category is CometWarning]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a place in a folder that does not exist yet."""
    return tmp_path / "new" / "ledger.sqlite3"


def test_an_attempt_is_on_disk_after_a_flush(path: Path) -> None:
    """Another program finds the row in the file."""
    ledger = Ledger(path)
    attempt = an_attempt()
    ledger(attempt)
    assert ledger.flush()
    assert query(path, "SELECT attempt_id, output_tokens FROM cometnb_attempts") == [
        (attempt.attempt_id, 300)
    ]
    assert ledger.n_waiting == 0


def test_a_ledger_is_found_again_by_its_place(path: Path) -> None:
    """A ledger that is opened anew, by path or by URL, has the rows of the one before."""
    first = Ledger(path)
    first(an_attempt())
    first.close()
    assert len(Ledger(str(path)).usage()) == 1
    assert len(Ledger(f"sqlite:///{path}").usage()) == 1


def test_an_attempt_that_comes_twice_is_one_row(path: Path) -> None:
    """A row is written once, also by another ledger on the same file, and the first one stays."""
    attempt = an_attempt()
    for ledger in (Ledger(path), Ledger(path)):
        ledger(attempt)
        ledger(attempt)
        assert ledger.flush()
    assert query(path, "SELECT count(*) FROM cometnb_attempts") == [(1,)]


def test_the_file_has_a_write_ahead_log_and_a_version(path: Path) -> None:
    """Readers do not wait for writers, and the file says what it is."""
    ledger = Ledger(path)
    ledger(an_attempt())
    assert ledger.flush()
    assert query(path, "PRAGMA journal_mode") == [("wal",)]
    assert query(path, "SELECT version FROM cometnb_schema") == [(1,), (2,)]


def test_more_rows_than_one_batch_are_all_written(path: Path) -> None:
    """A queue longer than a batch is emptied to its end."""
    ledger = Ledger(path)
    for number in range(2_500):
        ledger(an_attempt(number))
    assert ledger.flush(timeout_s=60)
    assert len(ledger.usage()) == 2_500


def test_a_closed_ledger_opens_again(path: Path) -> None:
    """An attempt after `close` is not lost."""
    ledger = Ledger(path)
    ledger(an_attempt(1))
    ledger.close()
    ledger(an_attempt(2))
    ledger.close()
    assert len(ledger.usage()) == 2


def test_a_file_that_was_deleted_is_made_again(path: Path) -> None:
    """Rows must not vanish into a file that has no name any more."""
    ledger = Ledger(path)
    ledger(an_attempt(1))
    assert ledger.flush()
    for file in path.parent.iterdir():
        file.unlink()
    ledger(an_attempt(2))
    assert ledger.flush()
    assert query(path, "SELECT response_id FROM cometnb_attempts") == [("resp_2",)]


def test_a_ledger_that_is_off_keeps_the_sessions_rows(tmp_path: Path) -> None:
    """Nothing is written, and the usage of the session is known all the same."""
    ledger = Ledger("off")
    ledger(an_attempt())
    assert ledger.flush()
    assert (ledger.location, ledger.n_waiting, len(ledger.usage())) == ("off", 0, 1)
    assert not list(tmp_path.glob("*sqlite3*"))


def test_a_place_that_is_a_folder_costs_one_warning_and_no_row(path: Path) -> None:
    """The rows wait in memory, are shown, and are written when the place comes back."""
    path.mkdir(parents=True)
    ledger = Ledger(path)
    with told() as texts:
        for number in range(3):
            ledger(an_attempt(number))
            assert not ledger.flush()
    assert len(texts) == 1
    assert str(path) in texts[0]
    assert ledger.n_waiting == 3
    path.rmdir()
    assert ledger.flush()
    assert query(path, "SELECT count(*) FROM cometnb_attempts") == [(3,)]


def test_a_place_below_a_file_costs_one_warning_and_no_row(path: Path) -> None:
    """A folder that cannot be made is as good as one that cannot be written; the next answer tries again."""
    path.parent.write_text("I am a file")
    ledger = Ledger(path)
    with told() as texts:
        ledger(an_attempt(1))
        assert not ledger.flush()
    assert len(texts) == 1
    path.parent.unlink()
    ledger(an_attempt(2))
    assert ledger.flush()
    assert len(ledger.usage()) == 2


def test_a_second_outage_is_told_too(path: Path) -> None:
    """One warning per outage: who was told that all is well again must hear of the next."""
    path.mkdir(parents=True)
    ledger = Ledger(path)
    with told() as texts:
        ledger(an_attempt(1))
        ledger.flush()
        path.rmdir()
        # A try that began before that may fail once more.
        assert any(ledger.flush() for _ in range(5))
        for file in path.parent.iterdir():
            file.unlink()
        path.mkdir()
        ledger(an_attempt(2))
        assert not ledger.flush()
    assert len(texts) == 2
    path.rmdir()
    ledger.close()


def test_the_frame_of_a_broken_place_holds_what_waits_and_says_so(path: Path) -> None:
    """The session's usage is known, and nobody takes the frame for the whole ledger."""
    path.mkdir(parents=True)
    ledger = Ledger(path)
    with told() as texts:
        ledger(an_attempt())
        frame = ledger.usage()
    assert len(texts) == 2
    assert "only 1 row," in texts[1]
    assert frame["output_tokens"].tolist() == [300]
    path.rmdir()
    ledger.close()


def test_a_place_that_cannot_be_read_is_an_error_when_nothing_waits(path: Path) -> None:
    """An empty frame would claim that nothing was used."""
    path.mkdir(parents=True)
    with pytest.raises(LedgerError, match="cannot be read"):
        Ledger(path).usage()


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    """Somebody's notes are not overwritten."""
    path.parent.mkdir()
    path.write_text("These are my notes. " * 100)
    ledger = Ledger(path)
    with told() as texts:
        ledger(an_attempt())
        assert not ledger.flush()
    assert "not a database" in texts[0]
    assert path.read_text() == "These are my notes. " * 100
    path.unlink()
    ledger.close()


def test_closing_says_which_rows_are_lost(path: Path) -> None:
    """Rows that end with the process do not end in silence."""
    path.mkdir(parents=True)
    ledger = Ledger(path)
    with told() as texts:
        ledger(an_attempt())
        ledger.close()
    assert "1 row could not be written" in texts[-1]
    path.rmdir()
    ledger.close()


def test_a_newer_schema_is_refused_and_nothing_is_changed(path: Path) -> None:
    """An older cometnb must not write into tables it does not understand."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cometnb_schema (version INTEGER PRIMARY KEY, applied_at_us BIGINT)")
        connection.execute("INSERT INTO cometnb_schema VALUES (99, 0)")
        connection.commit()
    before = path.read_bytes()
    ledger = Ledger(path)
    with pytest.raises(LedgerError, match=r"schema version 99.*\n.*upgrade"):
        ledger.usage()
    with told() as texts:
        ledger(an_attempt())
        assert not ledger.flush()
    assert "schema version 99" in texts[0]
    assert path.read_bytes() == before
    path.unlink()
    ledger.close()


def test_a_database_of_another_kind_is_refused_by_name() -> None:
    """What the ledger cannot write to is said with what it can."""
    with pytest.raises(LedgerError, match=r"mysql.*SQLite or PostgreSQL"):
        Ledger("mysql://ana:secret@db.test/usage").usage()


def test_a_password_is_in_no_error() -> None:
    """An error is copied into a mail; a password must not travel with it."""
    with pytest.raises(LedgerError) as caught:
        Ledger("mysql://ana:secret@db.test/usage").usage()
    assert "secret" not in str(caught.value) + repr(Ledger("mysql://ana:secret@db.test/usage"))


def test_recording_never_raises_where_warnings_are_errors(path: Path) -> None:
    """An observer must not end the call it observes, and the writer's thread goes on."""
    path.mkdir(parents=True)
    ledger = Ledger(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ledger(an_attempt(created_at=None))
        ledger(an_attempt())
        assert not ledger.flush()
    path.rmdir()
    assert ledger.flush()


def test_rows_are_written_when_the_interpreter_ends(path: Path) -> None:
    """A kernel that is shut down right after an answer has still recorded it."""
    program = (
        "import sys; from cometnb.ledger import Ledger; from tests.ledger.attempts import an_attempt\n"
        f"ledger = Ledger({str(path)!r})\n"
        "for number in range(50): ledger(an_attempt(number))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert query(path, "SELECT count(*) FROM cometnb_attempts") == [(50,)]


def test_recording_off_loads_neither_sqlalchemy_nor_pandas() -> None:
    """Loading the extension, and an answer with the ledger off, are not slowed by a database."""
    program = (
        "import sys; from cometnb.ledger import Ledger; from tests.ledger.attempts import an_attempt\n"
        "Ledger('off')(an_attempt()); Ledger('unused.sqlite3')\n"
        "assert not {'sqlalchemy', 'pandas', 'numpy', 'platformdirs'} & set(sys.modules), sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
