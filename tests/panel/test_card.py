"""A panel where no widget shows: complete, harmless, and the same at every run of a notebook."""

from __future__ import annotations

import re

import pytest
from nbconvert.filters import markdown2html

import cometnb
from cometnb.client.simulator import Simulator
from cometnb.defaults import shared
from cometnb.panel.card import card
from cometnb.panel.kept import Kept
from cometnb.panel.panel import Panel


def test_a_new_panel_says_what_would_be_asked() -> None:
    """With the model that the kernel uses."""
    shown = card(cometnb.panel("Say {{x}}.", temperature=0.2, reasoning={"effort": "low"}, schema="[name]"))
    for words in ("Say {{x}}.", "gpt-5.4", "temperature", "0.2", "reasoning.effort", "low", "[name]"):
        assert words in shown["text/plain"]
    assert shown["text/markdown"].startswith("| Panel | |\n|:--|:--|\n")


def test_the_last_answer_stands_below(simulator: Simulator) -> None:
    """As an answer of a cell does, with its usage; times are left out."""
    simulator.text = "An **answer**."
    panel = Panel("Hi.")
    panel.run()
    first = panel._repr_mimebundle_()
    panel.run()
    assert "An **answer**." in first["text/markdown"]
    assert "tokens in" in first["text/plain"]
    assert " s ·" not in first["text/plain"]
    assert first["text/plain"].count("1 run ") == 1
    assert repr(panel) == card(panel)["text/plain"]


def test_columns_stand_side_by_side() -> None:
    """With their tokens and cost; one that failed has its error."""
    panel = Panel("Hi.")
    panel.add_column("calm", temperature=0)
    panel.add_column("hot", temperature=9)
    assert "calm" not in card(panel)["text/markdown"]
    panel.run_columns()
    shown = card(panel)["text/markdown"]
    assert "| calm |" in shown
    assert "above its maximum" in shown


def test_what_others_wrote_can_do_nothing(simulator: Simulator) -> None:
    """Neither a prompt nor an answer, a label or an error becomes markup."""
    simulator.text = "<script>alert(1)</script> ![x](http://a.b/c.png)"
    panel = cometnb.panel("<img src=x onerror=alert(1)> | $\\href{javascript:x}{y}$", user="<b>|`x`")
    panel.add_column("<script>|", temperature=9)
    panel.run()
    panel.run_columns()
    shown = card(panel)["text/markdown"]
    assert "<script" not in shown
    assert "<img" not in shown
    assert "![x]" not in shown
    table = shown.split("\n\n")[0].splitlines()
    assert {line.replace("\\|", "").count("|") for line in table} == {3}


def test_the_card_s_words_open_no_formula() -> None:
    """JupyterLab looks for formulas in what it shows, whoever wrote it; the card keeps it out."""
    panel = cometnb.panel(r"\(\href{javascript:x}{y}\) $$z$$", instructions=r"\[\href{javascript:x}{y}\]")
    shown: list[dict[str, str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cometnb.panel.kept.publish", lambda data, **_: shown.append(data))
        Kept(panel).show()
    opening = re.search(r"<div[^>]*>", shown[0]["text/html"])
    assert opening is not None
    assert {"mathjax_ignore", "tex2jax_ignore"} <= set(opening.group().split('"')[1].split())
    assert not re.search(r"\\[(\[]|\\href", markdown2html(shown[0]["text/markdown"]))


def test_no_key_is_shown() -> None:
    """It may stand in a prompt by mistake."""
    shown = card(cometnb.panel("sk-abcdefghijklmnop1234"))
    assert "abcdefghijklmnop" not in shown["text/markdown"] + shown["text/plain"]


def test_a_long_prompt_is_cut() -> None:
    """And says by how much."""
    assert "(8,500 more characters)" in card(Panel("x" * 10_000))["text/plain"]


def test_an_error_and_a_mark_are_told(simulator: Simulator) -> None:
    """In the service's words."""
    simulator.without = ["temperature"]
    panel = cometnb.panel("Hi.", temperature=1)
    panel.start().wait(10)
    text = card(panel)["text/plain"]
    assert "refused: temperature" in text
    assert "is not supported with this model" in text


def test_no_board_without_a_front_end() -> None:
    """The card is all there is, and no widget is loaded for it."""
    shared.configure(live="off")
    panel = Panel("Hi.")
    assert set(panel._repr_mimebundle_()) == {"text/markdown", "text/plain"}
    assert panel._board is None


def test_half_of_a_character_can_be_shown() -> None:
    """A page may send one; a kernel cannot."""
    shown = card(Panel("Hi \ud83d.", params={"user": "\ude00"}))
    assert "Hi \ufffd." in shown["text/plain"]
    "".join(shown.values()).encode()
