"""Settings as one string: the way there and back, and what anybody may have put into one."""

from __future__ import annotations

import base64
import hashlib
import json
import string
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cometnb
from cometnb.defaults import shared
from cometnb.errors import ConfigError
from cometnb.panel.packing import is_packed, packed, unpacked
from cometnb.panel.panel import Panel
from cometnb.session.settings import Settings

_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_TEXTS = st.lists(st.text(max_size=15), max_size=3).map(tuple)


@given(
    st.builds(
        Settings,
        prompt=st.text(max_size=200),
        params=st.dictionaries(st.text(max_size=10), _JSON, max_size=4),
        tools=_TEXTS,
        schema=st.text(max_size=20),
        images=_TEXTS,
        files=_TEXTS,
        detail=st.none() | st.just("low"),
        is_raw=st.booleans(),
    )
)
def test_settings_come_back(settings: Settings) -> None:
    """The string is one word of plain letters, wherever it is pasted and however it is wrapped."""
    text = packed(settings)
    assert set(text) <= set(string.ascii_letters + string.digits + "-_.")
    wrapped = "\n".join(text[at : at + 40] for at in range(0, len(text), 40))
    assert unpacked(f"  {wrapped}\n") == settings


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_.= ", max_size=60))
def test_no_string_does_anything_but_an_error(rest: str) -> None:
    """It may come from anybody."""
    with pytest.raises(ConfigError):
        unpacked(f"cometnb1.{rest}")


def test_a_string_that_was_cut_or_changed_is_refused() -> None:
    """The check sum knows."""
    text = packed(Settings("Hello.", {"temperature": 0.5}))
    changed = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]
    for broken in (text[:-1], text[:-12], changed):
        with pytest.raises(ConfigError, match="cut or changed"):
            unpacked(broken)


def _string_of(raw: bytes) -> str:
    data = zlib.compress(raw, 9)
    encoded = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return f"cometnb1.{encoded}.{hashlib.sha256(data).hexdigest()[:8]}"


def test_a_string_that_unpacks_without_end_is_refused() -> None:
    """A few kilobytes may stand for gigabytes."""
    bomb = _string_of(b" " * 50_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(ConfigError, match="4,000,000"):
        unpacked(bomb)
    with pytest.raises(ConfigError, match="2,000,000"):
        unpacked("cometnb1." + "A" * 3_000_000)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"version": 1, "prompt": 5},
        {"version": 1, "surprise": 1},
        {"version": 99},
        {"version": 1, "params": {"a": float("nan")}},
    ],
)
def test_only_settings_are_believed(value: Any) -> None:
    """Everything else is refused."""
    with pytest.raises(ConfigError):
        unpacked(_string_of(json.dumps(value).encode()))


def test_a_later_version_says_so() -> None:
    """So that nobody hunts for a lost letter."""
    assert is_packed("cometnb2.abc.def")
    with pytest.raises(ConfigError, match="later version"):
        unpacked("cometnb2.abc.def")


def test_no_key_is_shared() -> None:
    """Neither one that looks like a key, nor the one in force."""
    shared.configure(api_key="an-unusual-key-of-some-gateway")
    try:
        panel = cometnb.panel(
            "Use sk-abcdefghijklmnop1234.", instructions="or an-unusual-key-of-some-gateway"
        )
        text = json.dumps(unpacked(panel.share()).as_json())
    finally:
        shared.configure(api_key=None)
    assert "abcdefghijklmnop" not in text
    assert "unusual-key" not in text


def test_loading_evaluates_nothing() -> None:
    """A string from somebody else may hold Python, which waits for a run."""
    done: list[int] = []
    text = packed(Settings("{{effect()}}", {"instructions": "{{effect()}}"}))
    panel = Panel("", {"effect": lambda: done.append(1)})
    panel.load(text)
    assert panel.prompt == "{{effect()}}"
    assert done == []


def test_a_string_without_a_prompt_leaves_the_panels() -> None:
    """Its settings are tried on one's own prompt."""
    panel = cometnb.panel("My own.", temperature=1)
    panel.load(packed(Settings(params={"top_p": 0.5})))
    assert (panel.prompt, panel.params) == ("My own.", {"top_p": 0.5})


def test_a_cells_variables_are_those_of_the_notebook() -> None:
    """A name that the cell's line takes for a variable stays one, and is no text."""
    panel = Panel("", {"style": "short", "warm": 1.5})
    panel.load("%%respond -s style -t warm\nHi")
    assert panel.params == {"instructions": "{{style}}", "temperature": 1.5}
