"""What a ledger does, the same in every database it can be in."""

from __future__ import annotations

import pytest

from cometnb.errors import LedgerError, ParamError
from cometnb.ledger import Ledger
from cometnb.protocol.response import Response
from tests.ledger.attempts import EPOCH, an_attempt
from tests.ledger.conftest import Query
from tests.ledger.test_frames import has_the_right_shape


def recorded(place: str, *attempts: object, **options: bool) -> Ledger:
    """Return a ledger that has written these attempts."""
    ledger = Ledger(place, **options)  # type: ignore[arg-type]
    for attempt in attempts:
        ledger(attempt)  # type: ignore[arg-type]
    assert ledger.flush(timeout_s=30)
    return ledger


def test_a_row_is_found_by_other_programs(stored: str, query: Query) -> None:
    """Numbers stand in the table of attempts, texts in the table of contexts, joined by one key."""
    attempt = an_attempt()
    recorded(stored, attempt)
    found = query(
        stored,
        "SELECT attempt_id, output_tokens, model, tag FROM cometnb_attempts JOIN cometnb_contexts"
        " ON cometnb_contexts.context_key = cometnb_attempts.context_key",
    )
    assert found == [(attempt.attempt_id, 300, "gpt-5.4-2026-03-05", "test")]


def test_the_texts_of_a_thousand_like_rows_stand_there_once(stored: str, query: Query) -> None:
    """What repeats is kept once, and a second ledger adds nothing to it."""
    recorded(stored, *(an_attempt(number) for number in range(600)))
    recorded(stored, *(an_attempt(number) for number in range(600, 1_000)))
    assert query(stored, "SELECT count(*) FROM cometnb_attempts") == [(1_000,)]
    assert query(stored, "SELECT count(*) FROM cometnb_contexts") == [(1,)]


def test_an_attempt_that_comes_twice_is_one_row(stored: str) -> None:
    """A row is written once, by whichever ledger, and the first one stays."""
    attempt = an_attempt()
    recorded(stored, attempt, attempt)
    assert len(recorded(stored, attempt).usage()) == 1


def test_an_empty_ledger_gives_an_empty_frame(stored: str) -> None:
    """Reading a new ledger makes it, and finds nothing."""
    assert has_the_right_shape(Ledger(stored).usage())


def test_more_rows_than_one_fetch_are_all_read(stored: str) -> None:
    """A frame is put together from many batches, in order."""
    ledger = recorded(stored, *(an_attempt(number) for number in range(9_000)))
    frame = ledger.usage()
    assert frame["response_id"].tolist() == [f"resp_{number}" for number in range(9_000)]
    assert has_the_right_shape(frame)


def test_rows_that_were_written_out_of_order_come_in_order(stored: str) -> None:
    """Kernels write when they can; the frame is sorted by when the attempts began."""
    recorded(stored, an_attempt(3), an_attempt(1))
    ledger = recorded(stored, an_attempt(2), an_attempt(0))
    assert ledger.usage()["response_id"].tolist() == ["resp_0", "resp_1", "resp_2", "resp_3"]


@pytest.mark.parametrize(
    "count", [None, 0, 2**53 + 1, 2**63 - 1], ids=["missing", "zero", "beyond a float", "largest"]
)
def test_a_count_comes_back_as_it_went(stored: str, count: int | None) -> None:
    """Whole numbers are exact to 64 bits, and missing stays missing, in one column."""
    usage = {"input_tokens": count, "output_tokens": 5}
    ledger = recorded(stored, an_attempt(0, usage), an_attempt(1, {"output_tokens": 1}))
    assert ledger.usage()["input_tokens"].astype(object).tolist() == [
        count if count is not None else ledger.usage()["input_tokens"].iloc[1],
        ledger.usage()["input_tokens"].iloc[1],
    ]


def test_a_text_of_any_script_comes_back_as_it_went(stored: str) -> None:
    """Labels are anybody's words."""
    tag = "fiyat ölçümü 価格 🪙 '; DROP TABLE cometnb_attempts; --"
    assert recorded(stored, an_attempt(labels={"tag": tag})).usage(tag=tag)["tag"].tolist() == [tag]


@pytest.mark.parametrize("backend", ["api", "simulator"])
def test_a_frame_can_be_of_one_backend(stored: str, backend: str) -> None:
    """Simulated calls are told apart from real ones."""
    ledger = recorded(stored, an_attempt(0, backend="api"), an_attempt(1, backend="simulator"))
    assert ledger.usage(backend=backend)["backend"].tolist() == [backend]


def test_a_newer_schema_is_refused_and_nothing_is_changed(stored: str, query: Query) -> None:
    """An older cometnb must not write into tables it does not understand."""
    recorded(stored, an_attempt()).close()
    query(stored, "INSERT INTO cometnb_schema VALUES (99, 0)")
    with pytest.raises(LedgerError, match=r"schema version 99.*\n.*upgrade"):
        Ledger(stored).usage()
    ledger = Ledger(stored)
    ledger(an_attempt())
    assert not ledger.flush()
    assert query(stored, "SELECT count(*) FROM cometnb_attempts") == [(1,)]
    query(stored, "DELETE FROM cometnb_schema WHERE version = 99")
    assert ledger.flush()


# What was spent.


def test_what_was_spent_is_the_sum_of_the_frame(stored: str) -> None:
    """Two ways to one number."""
    attempts = [an_attempt(number, backend=("api", "simulator")[number % 2]) for number in range(20)]
    ledger = recorded(stored, *attempts, an_attempt(20, usage=None))
    for filters in (
        {"backend": None},
        {"backend": "api"},
        {"backend": "cassette"},
        {"backend": None, "notebook": "a.ipynb"},
    ):
        frame, spent = ledger.usage(**filters), ledger.spent(**filters)
        assert spent.usd == pytest.approx(frame["cost_usd"].sum())
        assert (spent.n_attempts, spent.n_unpriced) == (len(frame), frame["cost_usd"].isna().sum())
    assert ledger.spent().usd > 0
    assert ledger.spent(EPOCH.replace(second=18), backend=None).n_attempts == 3


def test_what_was_spent_is_money_unless_asked_otherwise(stored: str) -> None:
    """Simulated and real calls are no one sum."""
    ledger = recorded(stored, an_attempt(0), an_attempt(1, backend="simulator"))
    assert ledger.spent() == ledger.spent(backend="api")
    assert ledger.spent().n_attempts == 1


def test_what_was_spent_is_known_by_conversation(stored: str) -> None:
    """A chat has a purse of its own."""
    ledger = recorded(
        stored, *(an_attempt(number, labels={"conversation": f"c{number % 3}"}) for number in range(7))
    )
    assert ledger.spent(conversation="c0").n_attempts == 3
    assert ledger.spent(conversation="c0").usd == pytest.approx(3 * ledger.spent().usd / 7)


def test_fees_of_tools_are_summed_apart(stored: str) -> None:
    """One that nobody knows is counted, also while its row waits; every filter of the frame holds."""
    ledger = recorded(stored, *(an_attempt(number, labels={"tag": f"t{number % 2}"}) for number in range(4)))
    for number, kind in enumerate(("web_search_call", "web_search_call", "code_interpreter_call"), 10):
        attempt = an_attempt(number, labels={"tag": "tools"}, status="incomplete")
        attempt.response.raw["output"] = [{"type": kind}]
        ledger(attempt)
    assert ledger.flush()
    frame, spent = ledger.usage(tag="tools"), ledger.spent(tag="tools")
    assert spent.fees_usd == pytest.approx(2 * 0.008)
    assert (spent.n_attempts, spent.n_unknown_fees) == (3, 1)
    assert spent.usd == pytest.approx(frame["cost_usd"].sum())
    assert ledger.spent(tag="t1", model="gpt-5.4", status="completed").n_attempts == 2
    unwritten = Ledger("off")
    assert unwritten.merge(ledger) == 7
    assert unwritten.spent(status="incomplete") == spent


def test_nothing_spent_is_zero(stored: str) -> None:
    """An empty ledger has cost nothing, and no row is without a price."""
    assert tuple(Ledger(stored).spent()) == (0.0, 0, 0, 0.0, 0)


# Prompts and answers.


def talk(number: int, prompt: str, answer: str) -> object:
    """Return an attempt that says this."""
    output = [{"type": "message", "content": [{"type": "output_text", "text": answer}]}]
    body = {"id": f"resp_{number}", "model": "gpt-5.4", "status": "completed", "output": output}
    return an_attempt(number, params={"model": "gpt-5.4", "input": prompt}, response=Response(body))


def test_a_stored_answer_is_found(stored: str) -> None:
    """By a part of the prompt or of the answer, whatever the case; newest last."""
    ledger = recorded(
        stored,
        talk(2, "Why is the sky blue?", "RAYLEIGH scattering."),
        talk(1, "Who was Lord Rayleigh?", "A physicist."),
        talk(3, "Überraschung?", "100% sure_thing"),
        stores_text=True,
    )
    found = ledger.search("rayleigh")
    assert list(found.columns) == ["created_at", "attempt_id", "model", "status", "prompt", "answer"]
    assert found["answer"].tolist() == ["A physicist.", "RAYLEIGH scattering."]
    assert found.dtypes.astype(str).tolist() == ["datetime64[ns, UTC]", *["string"] * 5]
    assert len(ledger.search("ÜBERRASCH")) == 1
    assert len(ledger.search("0% SURE_")) == 1
    assert len(ledger.search("0%_sure")) == len(ledger.search("comet")) == 0
    assert len(ledger.search("rayleigh", EPOCH.replace(second=2), model="gpt-5.4")) == 1


def test_a_search_where_nothing_is_stored_says_why(stored: str) -> None:
    """An empty answer would claim that nobody ever said it."""
    ledger = recorded(stored, talk(1, "Why?", "Because."))
    with pytest.raises(LedgerError, match=r"storing them is off.*\n.*COMETNB_STORE_TEXT=on"):
        ledger.search("because")
    assert len(Ledger(stored, stores_text=True).search("because")) == 0


def test_prompts_and_answers_are_stored_only_if_asked_for(stored: str, query: Query) -> None:
    """The default keeps neither, and the frame never shows them."""
    recorded(stored, talk(1, "PROMPT", "ANSWER"))
    assert query(stored, "SELECT count(*) FROM cometnb_contents") == [(0,)]
    ledger = recorded(stored, talk(2, "PROMPT", "ANSWER"), stores_text=True)
    assert query(stored, "SELECT prompt, answer FROM cometnb_contents") == [("PROMPT", "ANSWER")]
    assert has_the_right_shape(ledger.usage())
    assert "PROMPT" not in ledger.usage().to_csv()


@pytest.mark.parametrize("text", ["", "  ", None, 3])
def test_looking_for_nothing_is_a_mistake(text: object) -> None:
    """Everything holds an empty text."""
    with pytest.raises(ParamError, match="no text to look for"):
        Ledger("off").search(text)  # type: ignore[arg-type]


# Deleting.


def test_old_rows_go_with_all_that_is_theirs(stored: str, query: Query) -> None:
    """Rows, texts that no other row has, prompts and answers."""
    ledger = recorded(
        stored,
        talk(1, "old", "old"),
        an_attempt(2, labels={"tag": "old"}),
        an_attempt(3, labels={"tag": "new"}),
        stores_text=True,
    )
    assert ledger.delete(before=EPOCH.replace(second=3), dry_run=True) == 2
    assert len(ledger.usage()) == 3
    assert ledger.delete(before=EPOCH.replace(second=3)) == 2
    assert ledger.usage()["tag"].tolist() == ["new"]
    assert query(stored, "SELECT tag FROM cometnb_contexts") == [("new",)]
    assert query(stored, "SELECT answer FROM cometnb_contents WHERE answer = 'old'") == []
    assert ledger.delete(before=EPOCH.replace(second=3)) == 0


def test_deleting_can_be_limited(stored: str) -> None:
    """Only what all filters take goes."""
    ledger = recorded(stored, *(an_attempt(number, labels={"tag": "ab"[number % 2]}) for number in range(6)))
    assert ledger.delete(before=EPOCH.replace(second=4), tag="a") == 2
    assert ledger.usage()["response_id"].tolist() == ["resp_1", "resp_3", "resp_4", "resp_5"]


def test_what_is_written_meanwhile_keeps_its_texts(stored: str) -> None:
    """Texts that nobody has any more go, and those that somebody is just writing do not."""
    ledger, other = Ledger(stored), Ledger(stored)
    for number in range(60):
        ledger(an_attempt(number, labels={"tag": f"t{number % 3}"}))
        if number % 5 == 4:
            assert other.delete(before=EPOCH.replace(second=number)) <= number
    assert ledger.flush(timeout_s=60)
    frame = ledger.usage()
    assert frame["response_id"].iloc[-1] == "resp_59"
    assert frame[["tag", "model", "price_source"]].notna().all(axis=None)


def test_deleting_everything_must_be_said() -> None:
    """A forgotten argument deletes nothing."""
    with pytest.raises(ParamError, match="before"):
        Ledger("off").delete(before=None)
