"""Conversations, functions, tables and the doctor, at servers that others wrote."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

import cometnb
from cometnb.ledger.store import Ledger
from cometnb.session.conversation import Conversation
from cometnb.session.doctor import examine
from cometnb.session.session import Session
from cometnb.session.tools import Toolbox
from tests.independent.others import KEY, Theirs


@pytest.fixture
def session(theirs: Theirs, ledger: Ledger) -> Iterator[Session]:
    """A session with the server."""
    session = Session(api_key=KEY, base_url=theirs.base_url, model=theirs.model, observers=[ledger])
    yield session
    session.close()


def test_a_conversation_goes_on(theirs: Theirs, session: Session, ledger: Ledger) -> None:
    """Two turns, each answered, by id or with the history sent along."""
    chat = Conversation("two turns")
    first = session.start_turn(chat, "My word is cobalt.").wait()
    second = session.start_turn(chat, "Which word?").wait()
    assert len(chat.path) == 2
    assert first.output_text
    assert second.output_text
    assert not theirs.is_scripted or second.output_text == "Cobalt."
    usage = ledger.usage()
    assert usage["status"].tolist()[-1] == "completed"
    assert set(usage["conversation"]) == {"two turns"}


def test_functions_are_run_and_their_results_sent_back(
    scripted: Theirs, session: Session, ledger: Ledger
) -> None:
    """Two calls in one answer; what they gave leads to the next."""
    asked: list[str] = []

    def temperature(city: str) -> float:
        """Tell the temperature in a city, in degrees Celsius."""
        asked.append(city)
        return 7.5

    chat = Conversation()
    response = session.start_turn(chat, "Compare the climate", toolbox=Toolbox([temperature])).wait()
    assert sorted(asked) == ["Bergen", "Lima"]
    assert response.output_text == "Bergen is cooler than Lima."
    assert set(ledger.usage()["status"]) <= {"completed", "error"}


def test_a_table_of_fifty_rows_is_answered(theirs: Theirs, session: Session, ledger: Ledger) -> None:
    """Row by row, each with its own status and its own row in the ledger."""
    rows = pd.DataFrame({"n": range(50)})
    result = cometnb.respond_frame(
        rows, "This is row number {{n}}.", session=session, progress=False, max_concurrency=8
    )
    assert result["status"].tolist() == ["completed"] * 50
    assert result["answer"].str.len().min() > 0
    assert len(ledger.usage()) == 50


def test_a_schema_gives_columns_or_says_why_not(theirs: Theirs, session: Session) -> None:
    """A server that keeps to it fills them; one that talks at random leaves them missing and the reason beside."""
    rows = pd.DataFrame({"n": [1]})
    result = cometnb.respond_frame(
        rows, "Give a shape {{n}}", schema="city, hours int", session=session, progress=False
    )
    (row,) = result.to_dict("records")
    if theirs.is_scripted:
        assert (row["city"], row["hours"]) == ("Bergen", 7)
    else:
        assert row["error"]
        assert pd.isna(row["city"])


def test_the_doctor_has_a_verdict_on_every_subject(theirs: Theirs, session: Session) -> None:
    """Calls, streams and their events are looked at, and a call works on all of them."""
    findings = {finding.subject: finding for finding in examine(session, spend=True)}
    states = {subject: finding.state for subject, finding in findings.items()}
    assert states["call without stream"] in ("ok", "degraded")
    assert states["usage in a body"] in ("ok", "degraded")
    assert states["stream's events"] in ("ok", "degraded")
    assert set(states.values()) <= {"ok", "degraded", "missing", "skipped"}
    assert all(KEY not in finding.fact for finding in findings.values())
