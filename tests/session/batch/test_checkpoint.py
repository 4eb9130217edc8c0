"""The checkpoint: what it keeps, whom it refuses, and that a full disk costs no answer."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cometnb.errors import BatchError, ConnectionFailedError, RateLimitError
from cometnb.protocol.response import Response, Timing
from cometnb.session.batch.checkpoint import ANSWERED, BEGUN, FAILED, LOST, Checkpoint
from cometnb.session.batch.record import error_of, error_record, response_of, response_record

_ANSWER = {"raw": {"id": "resp_1", "output": []}, "status": "completed"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a checkpoint may be made."""
    return tmp_path / "rows.sqlite"


def test_what_was_kept_is_there_in_the_next_run(path: Path) -> None:
    """And is told from what was kept since."""
    with Checkpoint(path) as first:
        first.put("a", ANSWERED, _ANSWER)
        kept = first.get("a")
    assert kept is not None
    assert kept.is_of_this_run
    with Checkpoint(path) as second:
        again, nothing = second.get("a"), second.get("b")
    assert again is not None
    assert (again.state, again.record, again.is_of_this_run) == (ANSWERED, _ANSWER, False)
    assert nothing is None


def test_a_file_has_one_id_for_all_its_runs(path: Path) -> None:
    """Another file has another: a key derived from it is never that of another batch."""
    with Checkpoint(path) as first, Checkpoint() as other:
        ids = {first.id, other.id}
    with Checkpoint(path) as second:
        assert second.id in ids
        assert second.meta["runs"] == "2"
    assert len(ids) == 2


def test_failures_are_counted_where_the_service_has_answered(path: Path) -> None:
    """A lost answer is none, and neither is one that the service still works on."""
    with Checkpoint(path) as kept:
        for state in (FAILED, LOST, FAILED, BEGUN, LOST):
            kept.put("a", state, {})
        stored = kept.get("a")
    assert stored is not None
    assert (stored.state, stored.n_failed) == (LOST, 2)


def test_without_a_path_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It serves one run only."""
    monkeypatch.chdir(tmp_path)
    with Checkpoint() as kept:
        kept.put("a", ANSWERED, _ANSWER)
        assert kept.get("a") is not None
    assert list(tmp_path.iterdir()) == []


def test_only_its_owner_reads_it(path: Path) -> None:
    """Answers may be anything; the log beside it is no more open."""
    with Checkpoint(path) as kept:
        kept.put("a", ANSWERED, _ANSWER)
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("rows.sqlite*")}
    assert modes == {0o600}


def test_it_counts_its_states(path: Path) -> None:
    """For a word on what is left to do."""
    with Checkpoint(path) as kept:
        for key, state in (("a", ANSWERED), ("b", ANSWERED), ("c", FAILED)):
            kept.put(key, state, {})
        assert kept.counts() == {ANSWERED: 2, FAILED: 1}


def test_a_file_of_another_prompt_is_refused(path: Path) -> None:
    """Both are named, in two lines, and the file still serves its own."""
    with Checkpoint(path, batch="one", title="Classify: {{review}}"):
        pass
    with pytest.raises(BatchError) as raised:
        Checkpoint(path, batch="two", title="Translate: {{review}}")
    assert "Classify: {{review}}" in raised.value.fact
    assert "Translate: {{review}}" in raised.value.fact
    assert len(str(raised.value).splitlines()) == 2
    with Checkpoint(path, batch="one"):
        pass


def test_a_file_in_use_is_refused(path: Path) -> None:
    """Two runs would ask the same; the first is not disturbed."""
    with Checkpoint(path) as first:
        with pytest.raises(BatchError, match="in use by another run"):
            Checkpoint(path)
        first.put("a", ANSWERED, _ANSWER)
    with Checkpoint(path) as later:
        assert later.get("a") is not None


def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    """What is not understood is not written into."""
    with Checkpoint(path):
        pass
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(BatchError, match="version 99"):
        Checkpoint(path)


def test_a_file_of_something_else_is_left_as_it_is(path: Path) -> None:
    """Be it a table, or a database of another program."""
    path.write_text("place,text\n", "utf-8")
    with pytest.raises(BatchError, match="no SQLite database"):
        Checkpoint(path)
    assert path.read_text("utf-8") == "place,text\n"
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(BatchError, match="no checkpoint"):
        Checkpoint(path)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A folder, and a file in a folder that is not there."""
    for place in (tmp_path, tmp_path / "missing" / "rows.sqlite"):
        with pytest.raises(BatchError, match="cannot be opened"):
            Checkpoint(place)


def test_a_damaged_file_is_refused(path: Path) -> None:
    """With a word on what it is, and no traceback of SQLite's."""
    with Checkpoint(path) as kept:
        for number in range(200):
            kept.put(f"{number}", ANSWERED, _ANSWER | {"text": "x" * 200})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BatchError, match=r"rows\.sqlite"), Checkpoint(path) as broken:
        for number in range(200):
            broken.get(f"{number}")


_FILL = """
import json, resource, signal, sys
from cometnb.session.batch.checkpoint import ANSWERED, Checkpoint
kept = Checkpoint(sys.argv[1])
kept.put("before", ANSWERED, {})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
for number in range(40):
    kept.put(str(number), ANSWERED, {"text": "x" * 10_000})
full = {"trouble": kept.trouble, "n_unsaved": kept.n_unsaved}
full["n_known"] = sum(kept.get(str(number)) is not None for number in range(40))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
kept.close()
print(json.dumps(full | {"trouble_after": kept.trouble}))
"""


def test_a_full_disk_costs_no_answer(path: Path) -> None:
    """They stay in memory, can be looked up, and are written as soon as there is room."""
    command = [sys.executable, "-c", _FILL, str(path)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    full = json.loads(done.stdout)
    assert full["trouble"]
    assert full["n_unsaved"] > 20
    assert full["n_known"] == 40
    assert full["trouble_after"] is None
    with Checkpoint(path) as kept:
        assert kept.counts() == {ANSWERED: 41}


def test_an_answer_comes_back_as_it_was() -> None:
    """As the service sent it, with what the client measured, and half a surrogate pair in it."""
    raw: dict[str, Any] = {
        "id": "resp_1",
        "model": "m-1",
        "status": "incomplete",
        "output": [],
        "x": "\ud83d",
        "n": None,
    }
    response = Response(raw, request_id="req_1", timing=Timing(0.1, 2.5))
    response.backend, response.base_url, response.model_requested = "simulator", "http://x/v1", "m"
    with Checkpoint() as kept:
        kept.put("a", ANSWERED, response_record(response))
        stored = kept.get("a")
    assert stored is not None
    again = response_of(stored.record)
    assert again.raw == raw
    assert (again.status, again.request_id, again.timing) == ("incomplete", "req_1", Timing(0.1, 2.5))
    assert (again.backend, again.base_url, again.model_requested) == ("simulator", "http://x/v1", "m")


def test_an_error_comes_back_with_its_class_and_lines() -> None:
    """One of a class that is not known here is still an error of cometnb."""
    error = RateLimitError("HTTP 429: slow down", "Wait.", status_code=429, code="rate", retry_after_s=3.0)
    again = error_of(json.loads(json.dumps(error_record(error))))
    assert isinstance(again, RateLimitError)
    assert (str(again), again.code, again.retry_after_s) == (str(error), "rate", 3.0)
    assert isinstance(error_of(error_record(ConnectionFailedError("a", "b"))), ConnectionFailedError)
    assert error_of({"class": "Path", "fact": "a"}).fact == "a"


def test_what_comes_after_it_is_closed_is_told_so(path: Path) -> None:
    """Nobody waits for ever for an answer to be kept that cannot be."""
    kept = Checkpoint(path)
    kept.close()
    with pytest.raises(BatchError, match="is closed"):
        kept.put("a", ANSWERED, {})


@pytest.mark.parametrize("text", ["[1]", "5", "null", "[" * 5000], ids=range(4))
def test_a_record_of_another_form_is_damage(path: Path, text: str) -> None:
    """It is told as such before anything is made of it."""
    with Checkpoint(path) as kept:
        kept.put("a", ANSWERED, _ANSWER)
    _changed(path, "UPDATE jobs SET record = ?", text)
    with Checkpoint(path) as kept, pytest.raises(BatchError, match="damaged"):
        kept.get("a")


def test_a_record_that_is_none_is_damage(path: Path) -> None:
    """Another program may have made the table, without what this one asks of it."""
    with Checkpoint(path) as kept:
        kept.put("a", ANSWERED, _ANSWER)
    _changed(path, "ALTER TABLE jobs RENAME TO were")
    _changed(path, "CREATE TABLE jobs AS SELECT * FROM were")
    _changed(path, "UPDATE jobs SET record = NULL")
    with Checkpoint(path) as kept, pytest.raises(BatchError, match="damaged"):
        kept.get("a")


def test_a_state_that_is_no_text_is_damage(path: Path) -> None:
    """Counting them says so, too."""
    with Checkpoint(path) as kept:
        kept.put("a", ANSWERED, _ANSWER)
    _changed(path, "UPDATE jobs SET state = CAST(X'ff65' AS TEXT)")
    with Checkpoint(path) as kept, pytest.raises(BatchError, match="damaged"):
        kept.counts()


def _changed(path: Path, statement: str, *values: str) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute(statement, values)
    database.close()


def test_records_with_values_of_another_form_are_read_without_them() -> None:
    """What is left is an answer, and an error."""
    odd: Any = {
        "raw": [1],
        "timing": {"sent_at": 5, "ttft_s": "x"},
        "status": [],
        "backend": {},
        "estimated_usage": 5,
    }
    assert response_of(odd).output_text == ""
    assert response_of(odd | {"timing": [1]}).timing.sent_at is None
    assert (
        error_of({"class": "RateLimitError", "fact": "No.", "details": {"fact": 1, "args": 2}}).fact == "No."
    )
