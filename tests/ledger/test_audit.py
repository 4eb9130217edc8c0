"""The audit of notebooks: which files, what their cells cost, and the report."""

from __future__ import annotations

import json
from math import nan
from pathlib import Path
from typing import Any

import pytest

from cometnb.client.client import Client
from cometnb.client.simulator import Simulator
from cometnb.errors import ParamError
from cometnb.ledger.audit import Audit, audit
from cometnb.ledger.prices import Prices
from cometnb.ledger.summaries import by_model
from cometnb.view.mime import bundle
from tests.ledger.notebooks import KEY, MASKED, a_cell, an_answer, an_output, saved

_BEFORE_COSTS = ("cost_usd", "price_source", "host", "usage_source")


def _old(**fields: Any) -> dict[str, Any]:
    """Return an answer as it was saved before costs were."""
    answer = an_answer(**fields)
    for name in _BEFORE_COSTS:
        del answer["metadata"]["cometnb"][name]
    return answer


def _priced(tmp_path: Path, *outputs: Any) -> Audit:
    """Return the audit of one cell with a table in which a million tokens of gpt-5.4 cost $1, $0.50 and $10."""
    table = tmp_path / "prices.toml"
    table.write_text('[[price]]\nmodel = "gpt-5.4"\ninput = 1.0\ncached = 0.5\noutput = 10.0\n')
    return audit(saved(tmp_path / "a.ipynb", a_cell("", *outputs)), prices=Prices(table))


# Files.


def test_folders_are_searched_without_checkpoints(tmp_path: Path) -> None:
    """At any depth, sorted; a folder that begins with a dot holds copies."""
    for name in (
        "b/c.ipynb",
        "a.ipynb",
        ".ipynb_checkpoints/a-checkpoint.ipynb",
        "b/.git/x.ipynb",
        "b/readme.md",
    ):
        saved(tmp_path / name)
    assert audit(tmp_path).notebooks == (str(tmp_path / "a.ipynb"), str(tmp_path / "b/c.ipynb"))


def test_patterns_are_expanded_where_the_shell_did_not(tmp_path: Path) -> None:
    """Also ``**``; a file that is named like a pattern is that file."""
    for name in ("a.ipynb", "b/c.ipynb", "[x].ipynb", "x.ipynb"):
        saved(tmp_path / name)
    assert len(audit(str(tmp_path / "**/*.ipynb")).notebooks) == 4
    assert audit(str(tmp_path / "[x].ipynb")).notebooks == (str(tmp_path / "[x].ipynb"),)


def test_a_file_counts_once_however_often_it_is_named(tmp_path: Path) -> None:
    """By its path, by its folder, through a link."""
    path = saved(tmp_path / "a.ipynb", a_cell("", an_answer()))
    (tmp_path / "link.ipynb").symlink_to(path)
    assert audit([path, tmp_path, str(tmp_path / "*.ipynb")]).notebooks == (path,)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing.ipynb", "does not exist"),
        ("empty", "holds no *.ipynb"),
        ("*.nothing", "matches no file"),
        ("cut.ipynb", "is no JSON"),
        ("blank.ipynb", "is empty"),
        ("list.ipynb", "no notebook"),
        ("a\0b", "does not exist"),
    ],
)
def test_what_cannot_be_audited_is_named_and_the_rest_is_audited(name: str, why: str, tmp_path: Path) -> None:
    """Exit status 2, and the other notebook is in the report."""
    (tmp_path / "empty").mkdir()
    for file, content in (("cut.ipynb", '{"cells": ['), ("blank.ipynb", " \n"), ("list.ipynb", "[1]")):
        (tmp_path / file).write_text(content)
    good = saved(tmp_path / "good/good.ipynb", a_cell("", an_answer()))
    found = audit([str(tmp_path / name), good])
    assert why in found.errors[str(tmp_path / name)]
    assert found.exit_status == 2
    assert len(found.saved) == 1
    assert why in str(found)


def test_no_path_is_an_error() -> None:
    """It is not taken for "everything is fine"."""
    with pytest.raises(ParamError, match="No path"):
        audit([])


# Costs.


def test_calls_are_a_table_like_the_usage_frame(tmp_path: Path) -> None:
    """With the cell, and in the same dtypes; a summary of the ledger's takes it."""
    path = saved(
        tmp_path / "a.ipynb",
        a_cell("# Title", kind="markdown"),
        a_cell(
            "", an_output("x"), an_answer(sent_at="2026-11-01T12:00:00+00:00"), execution_count=7, id="c7"
        ),
    )
    calls = audit(path).calls
    row = calls.iloc[0]
    assert (row["cell"], row["execution_count"], row["cell_id"]) == (2, 7, "c7")
    assert (row["input_tokens"], row["cached_tokens"], row["output_tokens"], row["reasoning_tokens"]) == (
        100,
        40,
        30,
        20,
    )
    assert (row["cost_usd"], row["price_source"], row["usage_source"]) == (0.25, "my price list", "reported")
    assert str(calls["created_at"].dtype) == "datetime64[ns, UTC]"
    assert calls["cache_write_tokens"].isna().all()
    assert by_model(calls)["cost_usd"].sum() == 0.25


def test_what_a_cell_saves_is_what_the_audit_reads(tmp_path: Path) -> None:
    """The metadata of a shown answer give back its tokens, its cost and its price's source."""
    answers = []
    with Client(transport=Simulator(text="word " * 100), observers=[]) as client:
        answers.append(client.respond("Hi", model="gpt-5.4"))
        with client.stream("Hi there", model="gpt-5.4") as stream:
            for number, _ in enumerate(stream):
                if number == 5:
                    break
        answers.append(stream.response)
    outputs = [an_output(metadata=bundle(answer)[1]) for answer in answers]
    found = audit(saved(tmp_path / "a.ipynb", a_cell("", *outputs)))
    for call, answer, source in zip(found.saved, answers, ("reported", "estimated"), strict=True):
        assert (call.cost_usd, call.price_source) == (answer.cost.usd, answer.cost.source)
        assert (call.status, call.usage_source, call.is_simulated) == (answer.status, source, True)
        assert not call.is_priced_now
        assert call.tokens["input_tokens"]


def test_no_calls_are_a_table_with_the_same_dtypes(tmp_path: Path) -> None:
    """So that what works with some works with none."""
    some = audit(saved(tmp_path / "a.ipynb", a_cell("", an_answer()))).calls
    none = audit(saved(tmp_path / "b.ipynb", a_cell())).calls
    assert none.empty
    assert none.dtypes.to_dict() == some.dtypes.to_dict()


def test_an_answer_that_stands_twice_counts_once(tmp_path: Path) -> None:
    """Shown again, in a copied cell, in a copied notebook; but a replayed one is a call of its own."""
    first = saved(tmp_path / "a.ipynb", a_cell("", an_answer(), an_answer()), a_cell("", an_answer()))
    second = saved(tmp_path / "b.ipynb", a_cell("", an_answer(), an_answer(backend="cassette", cost_usd=0.0)))
    found = audit([first, second])
    assert list(found.calls["is_repeat"]) == [False, True, True, True, False]
    totals = found.as_json()["totals"]
    assert (totals["calls"], totals["repeats"], totals["cost_usd"]) == (2, 3, 0.25)
    assert "3 answers stood there before" in str(found)


def test_answers_without_an_id_all_count(tmp_path: Path) -> None:
    """An interrupted one may have none."""
    found = audit(saved(tmp_path / "a.ipynb", a_cell("", an_answer(None), an_answer(None))))
    assert found.as_json()["totals"]["calls"] == 2


def test_simulated_calls_are_apart(tmp_path: Path) -> None:
    """Nobody paid for them, so they are in no sum of money paid."""
    simulated = an_answer("resp_2", backend="simulator", cost_usd=0.5, price_source="as if billed: x")
    found = audit(saved(tmp_path / "a.ipynb", a_cell("", an_answer(), simulated)))
    totals = found.as_json()["totals"]
    assert (totals["cost_usd"], totals["simulated_usd"]) == (0.25, 0.5)
    assert "$0.50, as if billed: 1 call, not paid" in str(found)


def test_what_was_saved_without_a_cost_is_priced_now(tmp_path: Path) -> None:
    """It says so, and that it takes the call for one to CometAPI where no host was saved."""
    found = _priced(tmp_path, _old())
    (call,) = found.saved
    assert call.cost_usd == pytest.approx((60 * 1.0 + 40 * 0.5 + 30 * 10.0) / 1e6)
    assert call.price_source.startswith("priced now, as if sent to CometAPI: your price table")
    assert call.is_priced_now
    assert "1 call saved without a cost: priced now" in str(found)


def test_an_unknown_cost_is_no_zero(tmp_path: Path) -> None:
    """A sum says that it is one of those that are known."""
    unknown = an_answer("resp_2", cost_usd=None, model="nobody-knows", price_source="no price known")
    found = _priced(tmp_path, an_answer(), unknown)
    assert found.calls["cost_usd"].isna().tolist() == [False, True]
    totals = found.as_json()["totals"]
    assert (totals["cost_usd"], totals["without_price"]) == (0.25, 1)
    assert "≥$0.25" in str(found)
    assert "1 call without a price" in str(found)
    assert _priced(tmp_path, unknown).as_json()["totals"]["cost_usd"] is None


def test_estimated_tokens_are_told(tmp_path: Path) -> None:
    """Those of an answer that ended before the service reported any."""
    estimate = {"input_tokens": 50, "output_tokens": 5}
    ended = an_answer(usage=None, usage_source="estimated", estimated_usage=estimate, status="interrupted")
    found = _priced(tmp_path, ended, an_answer("resp_2", usage=None, cost_usd=None))
    assert [call.usage_source for call in found.saved] == ["estimated", "none"]
    assert found.saved[0].tokens["output_tokens"] == 5
    assert "1 call with estimated tokens" in str(found)
    assert "1 call without reported tokens" in str(found)


def test_tool_fees_are_apart(tmp_path: Path) -> None:
    """They are no part of the tokens' cost; a fee that is not known is no zero."""
    found = audit(
        saved(
            tmp_path / "a.ipynb",
            a_cell("", an_answer(tool_fees_usd=0.75), an_answer("b", tool_fees_usd=None)),
        )
    )
    assert found.as_json()["totals"]["tool_fees_usd"] == 0.75
    assert "tool fees  ≥$0.75, not in the cost" in str(found)


def test_simulated_tool_fees_are_no_money(tmp_path: Path) -> None:
    """They are a line of their own, as the simulated tokens are."""
    answers = (an_answer(tool_fees_usd=0.75), an_answer("b", tool_fees_usd=0.5, backend="simulator"))
    found = audit(saved(tmp_path / "a.ipynb", a_cell("", *answers)))
    totals = found.as_json()["totals"]
    assert (totals["tool_fees_usd"], totals["simulated_tool_fees_usd"]) == (0.75, 0.5)
    assert "tool fees  $0.50 simulated, as if billed, not paid" in str(found)


@pytest.mark.parametrize("cost", ["0.25", True, -1, 1e300, nan, {}, [1]])
def test_a_cost_that_is_none_is_not_taken(cost: Any, tmp_path: Path) -> None:
    """A file can say anything."""
    found = _priced(tmp_path, an_answer(cost_usd=cost))
    assert found.saved[0].is_priced_now
    assert 0 < found.saved[0].cost_usd < 0.01


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "x",
        {"cometnb": []},
        {"cometnb": {}},
        {"cometnb": {"usage": 7, "model": 1, "response_id": []}},
    ],
)
def test_metadata_of_any_shape_is_read(metadata: Any, tmp_path: Path) -> None:
    """Nothing in a notebook stops the audit."""
    found = _priced(tmp_path, an_output(metadata=metadata), "no output", an_answer())
    assert found.as_json()["totals"]["cost_usd"] == 0.25


# The report.


def test_the_report_has_a_block_for_each_notebook_and_the_sum_last(tmp_path: Path) -> None:
    """Aligned, with the cells' numbers, and every price's source."""
    path = saved(
        tmp_path / "a.ipynb",
        a_cell("", an_answer()),
        a_cell("", an_answer("resp_2", cost_usd=2.5), execution_count=12),
    )
    plain = saved(tmp_path / "b.ipynb", a_cell())
    assert str(audit([path, plain])).replace(str(tmp_path), "") == (
        "/a.ipynb\n"
        "  cell    model    calls  input  cached  output  reasoning   cost  price\n"
        "  1 [1]   gpt-5.4      1    100      40      30         20  $0.25  a\n"
        "  2 [12]  gpt-5.4      1    100      40      30         20  $2.50  a\n"
        "  sum                  2    200      80      60         40  $2.75\n"
        "\n"
        "/b.ipynb\n"
        "  no saved answers\n"
        "\n"
        "Total: 2 notebooks, 2 calls\n"
        "  tokens     200 in (80 cached), 60 out (40 reasoning)\n"
        "  cost       $2.75\n"
        "\n"
        "Prices\n"
        "  a  my price list\n"
        "\n"
        "No leaked keys."
    )


def test_a_leak_is_reported_masked(tmp_path: Path) -> None:
    """With its cell and place, never whole, and what to do."""
    found = audit(saved(tmp_path / "a.ipynb", a_cell(f"key = '{KEY}'"), metadata={KEY: KEY}))
    report = str(found)
    assert f"LEAKED KEY  code cell 1 [1]  source, line 1     API key  {MASKED}" in report
    assert "LEAKED: 1 key in 3 places." in report
    assert "Revoke" in report
    assert found.exit_status == 1
    assert KEY[3:-4] not in report + json.dumps(found.as_json()) + repr(found)


def test_hostile_words_are_made_safe(tmp_path: Path) -> None:
    """A model's name, a price's source, a file's name and a mimetype are a stranger's words."""
    evil = "\x1b]0;x\x07\u202e\r\n" + "x" * 500 + " " + KEY
    answer = an_answer(model=evil, price_source=evil, backend=evil, status=evil)
    path = saved(tmp_path / "a\x1b[31m.ipynb", a_cell("", answer, an_output(KEY, evil), id=evil))
    report = str(audit(path))
    assert all(line.isprintable() for line in report.split("\n"))
    assert max(map(len, report.split("\n"))) < 400
    assert KEY[3:-4] not in report


def test_json_holds_everything_and_no_nan(tmp_path: Path) -> None:
    """For machines: strict JSON."""
    path = saved(tmp_path / "a.ipynb", a_cell("", an_answer(cost_usd=None, model="nobody-knows")))
    text = json.dumps(audit([path, str(tmp_path / "gone")]).as_json(), allow_nan=False)
    found = json.loads(text)
    assert found["calls"][0]["cost_usd"] is None
    assert found["notebooks"][0]["path"] == path
    assert found["errors"] == {str(tmp_path / "gone"): "does not exist"}


@pytest.mark.parametrize(
    "sent_at",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1500-01-01T00:00:00+00:00",
        "2262-05-01T00:00:00+00:00",
    ],
)
def test_a_moment_at_the_ends_of_the_calendar_is_none(sent_at: str, tmp_path: Path) -> None:
    """No call was made then, and no table of moments goes so far."""
    found = audit(saved(tmp_path / "a.ipynb", a_cell("", an_answer(sent_at=sent_at, cost_usd=None))))
    assert found.calls["created_at"].isna().all()


def test_a_count_that_no_kernel_reaches_is_none(tmp_path: Path) -> None:
    """It has no place in a table."""
    found = audit(saved(tmp_path / "a.ipynb", a_cell("", an_answer(), execution_count=10**30)))
    assert found.calls["execution_count"].isna().all()


def test_json_masks_a_key_that_stands_for_a_model(tmp_path: Path) -> None:
    """The report does, and so does what other programs read."""
    secret = "a-key-of-my-own-9321"
    file = saved(tmp_path / "a.ipynb", a_cell("", an_answer(KEY, model=secret)))
    text = json.dumps(audit(file, environ={"MY_API_KEY": secret}).as_json())
    assert secret not in text
    assert KEY not in text
