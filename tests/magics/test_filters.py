"""The filters of a ``%comet`` line."""

from __future__ import annotations

import inspect

import pytest

from cometnb.errors import CellError
from cometnb.ledger import Ledger
from cometnb.magics.filters import FILTERS_USAGE, filters_of, since_of, value_of


def test_words_without_filters_are_left_as_they_are() -> None:
    """Nothing is taken that is not ours."""
    assert filters_of("usage", ["7d", "--all", "--by", "model"]) == (["7d", "--all", "--by", "model"], {})


def test_a_filter_is_taken_out_in_both_spellings() -> None:
    """With a space or an equals sign, before or after the other words."""
    rest, kwargs = filters_of("usage", ["--model", "gpt-5.4", "7d", "--tag=draft"])
    assert rest == ["7d"]
    assert kwargs == {"model": ["gpt-5.4"], "tag": ["draft"]}


def test_a_filter_may_come_again() -> None:
    """Rows of either; names that hold no comma may stand in one word."""
    words = ["--model", "a,b", "--model=c", "--tag", "x,y", "--status", "failed, error"]
    assert filters_of("usage", words)[1] == {
        "model": ["a", "b", "c"],
        "tag": ["x,y"],
        "status": ["failed", "error"],
    }


def test_an_equals_sign_in_a_value_is_kept() -> None:
    """Only the first one parts the flag from its value."""
    assert filters_of("usage", ["--notebook=a=b.ipynb"])[1] == {"notebook": ["a=b.ipynb"]}


def test_every_filter_of_the_usage_line_is_one_the_ledger_takes() -> None:
    """What is shown, what is parsed and what is passed on agree."""
    flags = [word.strip("[") for word in FILTERS_USAGE.split() if word.startswith("[--")]
    values = {"--status": "completed", "--backend": "api"}
    given = [f"{flag}={values.get(flag, 'x')}" for flag in flags]
    rest, kwargs = filters_of("usage", given)
    assert rest == []
    assert len(kwargs) == len(flags)
    assert set(kwargs) <= set(inspect.signature(Ledger.usage).parameters)


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        (["7d", "--by", "day", "--all"], (["7d", "--all"], "day")),
        (["7d", "--by=day"], (["7d"], "day")),
        (["--by=--odd"], ([], "--odd")),
        (["7d"], (["7d"], None)),
    ],
)
def test_an_option_is_taken_with_its_value(words: list[str], taken: tuple[list[str], str | None]) -> None:
    """In both spellings; what is left keeps its order."""
    assert value_of(words, "--by", "It takes day.") == taken


@pytest.mark.parametrize("words", [["--by"], ["--by", "--all"], ["--by="], ["--by", " "]])
def test_an_option_without_a_value_is_two_lines(words: list[str]) -> None:
    """What is missing, and what to write."""
    with pytest.raises(CellError, match=r"^--by has no value\.\nIt takes day\.$"):
        value_of(words, "--by", "It takes day.")


@pytest.mark.parametrize(
    "words", [["--model"], ["--model", "--tag", "x"], ["--tag="], ["--status", "done"], ["--backend=azure"]]
)
def test_a_filter_without_a_fit_value_is_two_lines(words: list[str]) -> None:
    """The flag is named in the first, a line to copy or the choices in the second."""
    with pytest.raises(CellError) as caught:
        filters_of("usage", words)
    assert words[0].partition("=")[0] in caught.value.fact
    assert len(str(caught.value).splitlines()) == 2


def test_an_option_given_twice_is_two_lines() -> None:
    """Neither of the two is taken silently, and nobody is told that there is no such option."""
    with pytest.raises(CellError, match=r"--by is given 2 times\.\nLeave all but one out\. It takes a, b\."):
        value_of(["--by", "a", "7d", "--by=b"], "--by", "It takes a, b.")


@pytest.mark.parametrize("text", ["7", "3x", "tomorrow", "2026-13-01", "99999999d"])
def test_a_time_that_cannot_be_read_is_corrected_in_the_words_of_a_line(text: str) -> None:
    """What to write next can be copied as it stands."""
    with pytest.raises(
        CellError, match=f"%comet cost '{text}' is no moment.*\nWrite %comet cost today, 7d, 2h"
    ):
        since_of("cost", [text])


def test_help_is_pointed_to_by_a_name_that_has_it() -> None:
    """A plot is one of a subcommand's words."""
    with pytest.raises(CellError, match=r"%comet help plot shows"):
        since_of("plot latency", ["--xyzzy"])


def test_what_is_left_is_one_time_or_none() -> None:
    """The caller passes it to the ledger, which reads it."""
    assert since_of("usage", []) is None
    assert since_of("usage", ["2026-11-01 09:30"]) == "2026-11-01 09:30"


@pytest.mark.parametrize(
    ("rest", "hint"), [(["--modle=x"], "--model"), (["--loud"], "help usage"), (["a", "b"], "today")]
)
def test_what_is_left_over_is_refused(rest: list[str], hint: str) -> None:
    """An option that nobody took, or a second time."""
    with pytest.raises(CellError) as caught:
        since_of("usage", rest)
    assert hint in caught.value.next_step
