"""Ledgers that older versions wrote are brought up to date, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cometnb.errors import LedgerError
from cometnb.ledger import Ledger
from tests.ledger.attempts import an_attempt
from tests.ledger.conftest import Query
from tests.ledger.first_schema import COLUMNS, first_ledger, first_row
from tests.ledger.test_frames import has_the_right_shape


def test_every_row_of_the_first_version_is_kept(stored: str, query: Query) -> None:
    """Each value of each row stands in the new tables as it stood in the old one."""
    first_ledger(stored, query, 9_001)
    frame = Ledger(stored).usage()
    assert len(frame) == 9_001
    assert has_the_right_shape(frame)
    found = query(
        stored,
        f"SELECT {', '.join(COLUMNS)} FROM cometnb_attempts JOIN cometnb_contexts"  # noqa: S608
        " ON cometnb_contexts.context_key = cometnb_attempts.context_key ORDER BY created_at_us",
    )
    assert found == [tuple(first_row(number).values()) for number in range(9_001)]
    assert query(stored, "SELECT version FROM cometnb_schema ORDER BY version") == [(1,), (2,)]


def test_the_texts_of_old_rows_stand_there_once(stored: str, query: Query) -> None:
    """Thirteen cells, with and without a tag, and with and without an answer."""
    first_ledger(stored, query, 2_000)
    Ledger(stored).usage()
    assert query(stored, "SELECT count(*) FROM cometnb_contexts") == [(13 * 2 * 2,)]


def test_old_rows_are_priced_when_they_are_read(stored: str, query: Query) -> None:
    """The first version knew no prices; what an old call cost is worked out by the price of its day."""
    first_ledger(stored, query, 7)
    old = Ledger(stored).usage()
    ledger = Ledger("off")
    usage = {"input_tokens": 102, "output_tokens": 10, "total_tokens": 112}
    ledger(an_attempt(0, usage))
    assert old["cost_usd"].iloc[2] == pytest.approx(ledger.usage()["cost_usd"].iloc[0])
    assert old["cost_usd"].isna().tolist() == [False] * 6 + [True]
    assert old["price_source"].iloc[6] == "usage not reported"


def test_an_old_ledger_goes_on(stored: str, query: Query) -> None:
    """New rows follow the old ones, and opening it again changes nothing."""
    first_ledger(stored, query, 5)
    ledger = Ledger(stored)
    ledger(an_attempt(60))
    assert ledger.flush(timeout_s=30)
    assert len(Ledger(stored).usage()) == 6
    assert query(stored, "SELECT count(*) FROM cometnb_schema") == [(2,)]


def test_a_step_that_fails_changes_nothing(stored: str, query: Query) -> None:
    """A table of the new name that is in the way stops the step, and the old rows stand as they stood."""
    first_ledger(stored, query, 50, more=("CREATE TABLE cometnb_contents (a INTEGER)",))
    with pytest.raises(LedgerError, match="cometnb_contents"):
        Ledger(stored).usage()
    assert query(stored, "SELECT count(*), count(model_requested) FROM cometnb_attempts") == [(50, 50)]
    assert query(stored, "SELECT version FROM cometnb_schema") == [(1,)]
    query(stored, "DROP TABLE cometnb_contents")
    assert len(Ledger(stored).usage()) == 50


def test_an_old_ledger_is_merged_as_it_is(stored: str, query: Query, tmp_path: Path) -> None:
    """Its rows are taken over, and it stays of the version that it was."""
    first_ledger(stored, query, 30)
    new = Ledger(tmp_path / "new.sqlite3")
    assert new.merge(stored) == 30
    assert new.merge(stored) == 0
    assert query(stored, "SELECT version FROM cometnb_schema") == [(1,)]
    assert query(stored, "SELECT count(model_requested) FROM cometnb_attempts") == [(30,)]
    pd.testing.assert_frame_equal(new.usage(), Ledger(stored).usage())
