"""Every error is two lines, shows no key, and can be pickled with what it knows."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb import errors
from cometnb.errors import CometError, CometWarning, masked
from cometnb.protocol.response import Response

_CLASSES = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CometError)),
    key=lambda kind: kind.__name__,
)
_KEY = "sk-" + "Ab1_-" * 8


@pytest.mark.parametrize("kind", _CLASSES)
def test_an_error_is_two_lines(kind: type[CometError]) -> None:
    """The fact and the next step, each on one line whatever was put into it."""
    error = kind("A fact\nof two\r\nlines\t here.", "Do\nthis.")
    assert str(error) == "A fact of two lines here.\nDo this."
    assert (error.fact, error.next_step) == ("A fact of two lines here.", "Do this.")
    assert str(kind("A fact.")) == "A fact."
    assert error.response is None


def test_an_error_can_be_printed() -> None:
    """Half a surrogate pair, as a name in JSON may have, is written as its escape."""
    assert str(CometError("\ud83d is no name.", "Use \udc00.")) == "\\ud83d is no name.\nUse \\udc00."


@pytest.mark.parametrize("kind", _CLASSES)
def test_a_notebook_shows_the_two_lines(kind: type[CometError]) -> None:
    """IPython prints these lines in place of its traceback."""
    assert kind("A fact.", "Do this.")._render_traceback_() == [f"{kind.__name__}: A fact.", "Do this."]


@pytest.mark.parametrize("kind", _CLASSES)
def test_an_error_survives_pickling_and_copying(kind: type[CometError]) -> None:
    """Between processes nothing that it knows is lost."""
    error = kind("A fact.", "Do this.", code="c", status_code=500, retry_after_s=1.5)
    error.response = Response({"id": "r"}, status="truncated")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301
        assert type(again) is kind
        assert str(again) == str(error)
        assert (vars(again)["code"], vars(again)["status_code"], vars(again)["retry_after_s"]) == (
            "c",
            500,
            1.5,
        )
        assert again.response is not None
        assert again.response.raw == {"id": "r"}
        assert again.response.status == "truncated"


@pytest.mark.parametrize("kind", _CLASSES)
def test_no_message_shows_a_key(kind: type[CometError]) -> None:
    """Neither line, whichever way it is printed."""
    error = kind(f"The key {_KEY} is wrong.", f"export KEY={_KEY}")
    for text in (
        str(error),
        repr(error),
        error.fact,
        error.next_step,
        *error._render_traceback_(),
        *error.args,
    ):
        assert _KEY not in text
    assert error.fact == "The key sk-*** is wrong."


@given(before=st.text(max_size=9), after=st.text(max_size=9))
def test_a_key_is_hidden_wherever_it_stands(before: str, after: str) -> None:
    """Quotes, brackets, an underscore or an equals sign before it do not save it."""
    text = masked(f"{before} {_KEY} {after}|x_{_KEY}|'{_KEY}'|={_KEY}&")
    assert _KEY not in text
    assert text.count("sk-***") >= 4


@pytest.mark.parametrize("escape", ["\\n", "\\t", "\\u000a", "\\x0a", "%0A", "\\\\n"])
def test_a_key_behind_an_escape_is_hidden(escape: str) -> None:
    """In JSON, code and URLs a line's end is written with a letter or a digit, which is no part of a word."""
    assert masked(f'"two lines{escape}{_KEY}"') == f'"two lines{escape}sk-***"'


@pytest.mark.parametrize(
    "text", ["task-1234567890", "risk-assessment-of-models", "sk-short", "sk-", "", "Hello"]
)
def test_other_words_are_not_hidden(text: str) -> None:
    """What only looks a little like a key is left alone."""
    assert masked(text) == text


def test_known_keys_are_hidden_whatever_they_look_like() -> None:
    """A gateway's key may have any form; none and blank ones hide nothing."""
    assert masked("token abc123 and abc123", "abc123", None, "") == "token sk-*** and sk-***"


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.ParamError, ValueError),
        (errors.MissingExtraError, ImportError),
        (errors.ConnectionFailedError, ConnectionError),
        (errors.StreamInterruptedError, ConnectionError),
        (errors.ResponseTimeoutError, TimeoutError),
        (errors.ModelNotFoundError, errors.NotFoundError),
    ],
)
def test_errors_are_what_python_calls_them(kind: type[CometError], builtin: type[Exception]) -> None:
    """`except ValueError` and the like work as a reader expects."""
    with pytest.raises(builtin):
        raise kind("A fact.", "Do this.")


def test_attributes_are_none_until_known() -> None:
    """Missing is not zero, and needs no hasattr."""
    error: Any = errors.RateLimitError("A fact.")
    names = ("status_code", "code", "param", "error_type", "request_id", "retry_after_s", "response")
    assert [getattr(error, name) for name in names] == [None] * 7
    assert errors.ParamError("A fact.").param == ""


def test_every_public_name_is_listed() -> None:
    """The module's list has each class and function, and its one constant."""
    found = {
        name
        for name, value in vars(errors).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == errors.__name__
    }
    assert found | {"KEY_START"} == set(errors.__all__)


def test_a_warning_is_the_user_s() -> None:
    """It can be silenced like any other."""
    assert issubclass(CometWarning, UserWarning)


def test_no_warning_drives_a_terminal_or_shows_a_key() -> None:
    """It is printed as it stands; it may be of several lines."""
    with pytest.warns(CometWarning) as caught:
        warnings.warn(f"A note\x1b[2J of\x9b31m {_KEY}:\nthe \u202eend \ud800.", CometWarning, stacklevel=1)
    assert str(caught[0].message) == "A note[2J of31m sk-***:\nthe end \\ud800."


def test_no_message_drives_a_terminal() -> None:
    """What a service says stands in messages, and a terminal would obey it."""
    error = CometError("HTTP 400: \x1b]0;title\x07\x1b[2J\u202ered", "Do \x9b31m that.")
    assert str(error) == "HTTP 400: ]0;title[2Jred\nDo 31m that."
