"""Which setting an error of the service is about, in every way it may say so."""

from __future__ import annotations

import pytest

from cometnb.errors import APIError
from cometnb.panel.refusing import refused_path
from cometnb.session.settings import Settings

_SETTINGS = Settings(
    "Hi.",
    {"temperature": 0.2, "reasoning": {"effort": "low"}, "text": {"verbosity": "low"}, "include": ["x"]},
    tools=("web_search",),
)


@pytest.mark.parametrize(
    ("param", "path"),
    [
        ("temperature", "temperature"),
        ("reasoning.effort", "reasoning.effort"),
        ("reasoning[effort]", "reasoning.effort"),
        ("reasoning['effort']", "reasoning.effort"),
        ("text[verbosity]", "text.verbosity"),
        ("reasoning", "reasoning"),
        ("reasoning.effort.level", "reasoning.effort"),
        ("tools[0].name", "tools"),
        ("tools", "tools"),
        ("include[0]", "include"),
        ("top_p", ""),
        ("input[0].content", ""),
        ("text.format.schema", "text"),
        ("]][[..", ""),
    ],
)
def test_the_named_parameter_is_found(param: str, path: str) -> None:
    """Dotted, in brackets, with an index, more or less precise than what was set."""
    assert refused_path(APIError("No.", status_code=400, param=param), _SETTINGS) == path


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("Unsupported parameter: 'temperature' is not supported with this model.", "temperature"),
        ("Unsupported value: 'reasoning.effort' does not support 'low' with this model.", "reasoning.effort"),
        ("Unsupported parameter: 'top_p' is not supported with this model.", ""),
        ("The request is not valid.", ""),
    ],
)
def test_a_message_names_it_where_the_field_is_empty(message: str, path: str) -> None:
    """As gateways do that pass the words on and lose the rest."""
    assert refused_path(APIError(message, status_code=400, param=""), _SETTINGS) == path


def test_a_schema_is_marked_as_the_schema() -> None:
    """The panel has it as a field of its own."""
    settings = Settings("Hi.", schema="[name]")
    error = APIError("No.", status_code=400, param="text.format.schema")
    assert refused_path(error, settings) == "schema"


def test_a_fault_of_the_server_is_about_no_setting() -> None:
    """Whatever its message quotes."""
    assert refused_path(APIError("'temperature' sensor failed", status_code=500), _SETTINGS) == ""
