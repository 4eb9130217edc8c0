"""API keys out of JSON values."""

from __future__ import annotations

from cometnb.protocol.keyless import keyless

_KEY = "sk-canary-0123456789abcdef"


def test_a_key_is_hidden_at_any_depth() -> None:
    """In texts and names, in lists and tuples; numbers and None stay what they are."""
    given = {"a": [f"x {_KEY}", {_KEY: (1, None, True, f'{{"b": "\\n{_KEY}"}}')}]}
    assert keyless(given) == {"a": ["x sk-***", {"sk-***": [1, None, True, '{"b": "\\nsk-***"}']}]}
    assert _KEY in given["a"][0]


def test_a_known_key_is_hidden_whatever_its_form() -> None:
    """A gateway's key may look like anything."""
    assert keyless({"a": "token gw_0123456789"}, "gw_0123456789") == {"a": "token sk-***"}


def test_what_the_service_sealed_comes_back_as_it_was() -> None:
    """Random letters may look like a key, and the service takes its reasoning back only whole."""
    item = {"type": "reasoning", "encrypted_content": f"gAAAA_{_KEY}=="}
    assert keyless([item]) == [item]
