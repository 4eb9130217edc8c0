"""The text of the simulator's answers."""

from __future__ import annotations

import contextlib
import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cometnb.client.simulator import Simulator
from cometnb.client.simulator.answer import answered, quoted
from cometnb.client.simulator.generation import request_key
from cometnb.client.simulator.prompt import taken_stock
from cometnb.client.simulator.sums import SUMS, Sum
from cometnb.client.simulator.tokens import count_tokens
from tests.client.simulator.talk import asked, text_of


def _answer(seed: int = 0, **params: Any) -> str:
    body = {"model": "gpt-5.4", "input": "Explain the difference between a list and a tuple.", **params}
    return answered(body, taken_stock(body, 20), request_key(body, seed))


def _code(markdown: str) -> str:
    found = re.search(r"```python\n(.*?)```", markdown, re.DOTALL)
    assert found
    return found.group(1)


@pytest.mark.parametrize("seed", range(6))
def test_the_first_sentence_says_that_no_model_was_asked(seed: int) -> None:
    """Nobody can take it for a model's answer."""
    first = _answer(seed).split(". ")[0]
    assert "simulator" in first
    assert "no model was asked" in first


@pytest.mark.parametrize(
    ("verbosity", "least", "most"), [("low", 40, 80), ("medium", 170, 290), ("high", 400, 620)]
)
@pytest.mark.parametrize("seed", range(5))
def test_verbosity_sets_the_length(verbosity: str, least: int, most: int, seed: int) -> None:
    """About 60, 220 and 500 tokens."""
    assert least <= count_tokens(_answer(seed, text={"verbosity": verbosity})) <= most


def test_every_kind_of_markdown_is_there() -> None:
    """Paragraphs, a list, a table, code and maths, so that a view has something to show; no heading first."""
    text = _answer(text={"verbosity": "high"})
    kinds = [token.type for token in MarkdownIt("commonmark").enable("table").parse(text)]
    assert kinds[0] == "paragraph_open"
    assert {"bullet_list_open", "ordered_list_open", "blockquote_open", "table_open", "fence"} <= set(kinds)
    assert re.search(r"(?<!\$)\$[^$]+\$(?!\$)", text)
    assert re.search(r"\$\$\n.+\n\$\$", text)


@pytest.mark.parametrize("seed", range(8))
def test_the_code_runs_and_prints_what_the_comment_says(seed: int) -> None:
    """A reader may copy it."""
    code = _code(_answer(seed))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})  # noqa: S102  # the simulator's own code is what is tested
    assert printed.getvalue().strip() == code.rstrip().rpartition("# ")[2]


@given(st.sampled_from(SUMS), st.integers(1, 60))
def test_the_maths_is_true(row: Sum, n: int) -> None:
    """Term by term, closed form and stated value agree."""
    stated = row.value(n)
    assert eval(f"sum({row.term} for k in range(1, n + 1))", {"n": n}) == stated  # noqa: S307
    assert eval(row.closed_form, {"n": n}) == stated  # noqa: S307


def test_the_sum_in_the_text_is_the_one_in_the_code() -> None:
    """Formula and program speak of the same number."""
    text = _answer()
    stated = re.search(r"\$n = (\d+)\$ the sum is \$(\d+)\$", text)
    assert stated
    assert f"n = {stated[1]}\n" in _code(text)
    assert f"# {stated[2]}" in _code(text)


def test_seeds_vary_the_wording() -> None:
    """Several seeds give several texts."""
    assert len({_answer(seed) for seed in range(8)}) > 3


def test_settings_that_differ_from_their_defaults_are_named() -> None:
    """Fields of objects are named with their dots; defaults are not listed."""
    text = _answer(temperature=0.2, top_p=1, text={"verbosity": "medium"}, instructions="Be brief.")
    assert "**temperature** `0.2`, by default `1`" in text
    assert "**text.verbosity** `medium`" in text
    assert "top_p" not in text
    assert "**Instructions** 9 characters" in text


def test_many_settings_are_cut_short_and_counted() -> None:
    """The list stays pleasant."""
    many: dict[str, Any] = {
        "temperature": 0,
        "top_p": 0,
        "store": False,
        "truncation": "auto",
        "user": "u",
        "prompt_cache_key": "k",
    }
    assert "and 2 more settings" in _answer(**many, safety_identifier="s", parallel_tool_calls=False)


def test_attachments_stand_in_the_table() -> None:
    """What arrived is what is listed."""
    image = {"type": "input_image", "image_url": "https://example.org/a.png"}
    text = _answer(input=[{"role": "user", "content": [{"type": "input_text", "text": "See"}, image]}])
    assert "| images | 1 |" in text


@given(st.text(max_size=300))
def test_the_quoted_prompt_cannot_break_out(text: str) -> None:
    """It is one run of inline code whatever was sent, so nothing in it acts as Markdown, HTML or maths."""
    shown = quoted(text)
    children = MarkdownIt("commonmark").parseInline(shown)[0].children or []
    assert [token.type for token in children] == (["code_inline"] if shown.startswith("`") else ["text"])


def test_half_a_surrogate_pair_in_the_prompt_survives_the_wire() -> None:
    """It is valid JSON, so it may come."""
    response = asked(Simulator(), input="broken \ud83d pair", instructions="\ud83d")
    assert response["instructions"] == "\ud83d"
    assert "broken" in text_of(response)
