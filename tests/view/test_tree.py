"""A conversation drawn as a tree: depth, remarks, and words that cannot act."""

from __future__ import annotations

import html
import re

import pytest

from cometnb.protocol.response import Response
from cometnb.session.conversation import Conversation
from cometnb.session.turns import Turn
from cometnb.view.html import block_html
from cometnb.view.tree import as_markdown, as_text, summary

_PLACE = "https://a.example/v1"
_HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) ![x](https://e.vil)",
    "`code` **bold** _em_ ~~gone~~",
    r"\(\href{javascript:alert(1)}{x}\) $\url{x}$",
    "one\n\n# two\n- three",
    "&lt;script&gt; | a",
]


def _ask(
    chat: Conversation, prompt: str, text: str = "Yes.", *, owner: str = "", after: str | None = None
) -> Turn:
    turn = chat.begin(prompt, owner=owner, after=after)
    content = [{"type": "output_text", "text": text}]
    number = len(chat.turns)
    output = [{"type": "message", "id": f"msg_{number}", "role": "assistant", "content": content}]
    response = Response({"id": f"resp_{number}", "status": "completed", "output": output})
    chat.add(turn, response, _PLACE, chat.request(turn, _PLACE, {"model": "m"}))
    chat.settle(turn)
    return turn


def _drawn(markdown: str) -> str:
    """What a reader sees of Markdown."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>|\u200c", "", block_html(markdown))).split())


def test_a_chat_that_goes_on_is_not_indented() -> None:
    """However long it is; the last turn is where it goes on."""
    chat = Conversation("plan")
    turns = [_ask(chat, f"Question {n}", f"Answer {n}") for n in (1, 2, 3)]
    assert as_text(chat).split("\n") == [
        "plan: 3 turns",
        f"{turns[0].turn_id}  Question 1 → Answer 1",
        f"{turns[1].turn_id}  Question 2 → Answer 2",
        f"{turns[2].turn_id}  Question 3 → Answer 3  (goes on here)",
    ]


def test_a_branch_is_one_step_in_and_the_way_to_the_head_comes_last() -> None:
    """In text and in Markdown."""
    chat = Conversation("plan")
    first = _ask(chat, "First")
    second = _ask(chat, "Second")
    third = _ask(chat, "Third", after=first.turn_id)
    assert as_text(chat).split("\n")[1:] == [
        f"{first.turn_id}  First → Yes.",
        f"   └─ {second.turn_id}  Second → Yes.",
        f"{third.turn_id}  Third → Yes.  (goes on here)",
    ]
    assert as_markdown(chat).split("\n")[2:] == [
        f"- `{first.turn_id}` First → Yes.",
        f"  - `{second.turn_id}` Second → Yes.",
        f"- `{third.turn_id}` Third → Yes. *(goes on here)*",
    ]


def test_what_is_out_of_date_is_said() -> None:
    """A cell that ran again, and what was built on its first answer."""
    chat = Conversation("plan")
    first = _ask(chat, "First", owner="one")
    second = _ask(chat, "Second", owner="two")
    again = _ask(chat, "First, better", owner="one")
    lines = {line.split()[0]: line for line in as_text(chat).replace("└─ ", "").split("\n")[1:]}
    assert lines[first.turn_id].endswith("(replaced)")
    assert lines[second.turn_id].endswith("(stale: built on a replaced turn)")
    assert lines[again.turn_id].endswith("(goes on here)")
    assert summary(chat) == "plan: 1 turn, 2 beside it"


def test_long_words_are_cut_and_no_words_are_an_ellipsis() -> None:
    """A turn is a line."""
    chat = Conversation()
    _ask(chat, "p" * 200, "")
    assert as_text(chat).split("\n")[1].split("  ")[1] == f"{'p' * 59}… → …"
    assert summary(chat) == "(no name): 1 turn"


def test_a_very_long_chat_is_drawn() -> None:
    """Without a limit of depth."""
    chat = Conversation("long")
    for n in range(1200):
        _ask(chat, f"Question {n}")
    assert as_text(chat).count("\n") == 1200


@pytest.mark.parametrize("words", _HOSTILE)
def test_prompts_answers_and_names_are_shown_as_they_are(words: str) -> None:
    """No markup, link, image or formula, and no new line of the list."""
    chat = Conversation(words)
    turn = _ask(chat, words, words)
    said = " ".join(words.split())
    assert _drawn(as_markdown(chat)) == f"{said}: 1 turn {turn.turn_id} {said} → {said} (goes on here)"
    # Code is the turn's id, and dollars that would enclose a formula.
    markup = [tag for tag in re.findall(r"<(\w+)", block_html(as_markdown(chat))) if tag != "code"]
    assert markup == ["p", "strong", "ul", "li", "em"]


@pytest.mark.parametrize("words", [*_HOSTILE, "x` <b>y</b>", "\x1b[31mred\x07"])
def test_a_loaded_conversation_cannot_act_by_its_ids(words: str) -> None:
    """A file may hold anything as an id or a status."""
    chat = Conversation("plan")
    chat.turns.add(Turn(words, None, prompt="p", status=words))
    shown = as_markdown(chat)
    assert {"img", "script", "b", "a", "h1"}.isdisjoint(re.findall(r"<(\w+)", block_html(shown)))
    assert "\x1b" not in as_text(chat) + shown


def test_a_key_in_a_prompt_is_masked() -> None:
    """The tree is saved with the notebook."""
    chat = Conversation("plan")
    _ask(chat, "My key is sk-canary0123456789abcdef")
    assert "canary" not in as_text(chat) + as_markdown(chat)
