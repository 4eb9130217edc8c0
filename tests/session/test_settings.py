"""Settings: what they send, how they change, and what they are read from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from cometnb.errors import CellError, ConfigError
from cometnb.protocol.request import prepare
from cometnb.session.cell_line import parsed
from cometnb.session.settings import Settings, escaped, has_expressions
from cometnb.session.template import filled
from tests.session.requests_at_random import TEXTS, bodies


def _sent(settings: Settings, namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    asked, toolbox = settings.request(namespace or {})
    return prepare({"model": "m", **asked.params, **toolbox.offered()}).body


def test_expressions_are_filled_in_where_a_cell_fills_them_in() -> None:
    """The prompt and parameters of text are templates; objects and further fields are not."""
    settings = Settings(
        prompt="About {{x}}",
        params={
            "instructions": "In {{x}}",
            "reasoning": {"effort": "{{y}}"},
            "metadata": {"a": "{{x}}"},
            "extra_body": {"b": "{{x}}"},
        },
    )
    sent = _sent(settings, {"x": "tides", "y": "low"})
    assert (sent["input"], sent["instructions"]) == ("About tides", "In tides")
    assert (sent["reasoning"], sent["metadata"], sent["b"]) == ({"effort": "low"}, {"a": "{{x}}"}, "{{x}}")


def test_raw_settings_keep_their_braces() -> None:
    """With is_raw nothing is evaluated anywhere."""
    sent = _sent(Settings(prompt="{{x}} \\{{", params={"instructions": "{{y}}"}, is_raw=True))
    assert (sent["input"], sent["instructions"]) == ("{{x}} \\{{", "{{y}}")


def test_tools_are_found_by_name() -> None:
    """A function of the notebook, a tool of the service, and one as it is sent."""

    def weather(city: str) -> str:
        """Return the weather."""
        return city

    settings = Settings(prompt="x", tools=("weather", "web_search", {"type": "mcp", "server_label": "s"}))
    kinds = [one["type"] for one in _sent(settings, {"weather": weather})["tools"]]
    assert kinds == ["function", "web_search", "mcp"]


def test_a_schema_becomes_the_format() -> None:
    """It is read as after --schema."""
    sent = _sent(Settings(prompt="x", params={"text": {"verbosity": "low"}}, schema="name, age int"))
    assert sent["text"]["verbosity"] == "low"
    assert sent["text"]["format"]["type"] == "json_schema"


def test_no_prompt_is_an_error() -> None:
    """As in a cell."""
    with pytest.raises(CellError, match="no prompt"):
        Settings().request({})


@pytest.mark.parametrize("name", ["labels", "owner", "chat", "future"])
def test_a_field_the_table_does_not_know_is_no_argument_of_a_call(name: str) -> None:
    """Some names mean something else to the functions that send."""
    asked, _ = Settings(prompt="x", params={name: 1}).request({})
    assert asked.params["extra_body"] == {name: 1}


def test_a_misspelt_parameter_is_still_found_out() -> None:
    """What the checks refuse is not moved past them."""
    asked, _ = Settings(prompt="x", params={"temprature": 1, "top_p": 9}).request({})
    assert (asked.params["temprature"], asked.params["top_p"]) == (1, 9)


def test_links_beside_a_prompt_are_told_from_items() -> None:
    """What a cell says with --image and --file comes back as that."""
    parts = [
        {"type": "input_text", "text": "{{What}} is this?"},
        {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "low"},
        {"type": "input_file", "file_url": "https://example.org/a.pdf"},
    ]
    body = {"model": "m", "input": [{"role": "user", "content": parts}]}
    settings = Settings.of_body(body)
    assert (settings.prompt, settings.is_raw, settings.detail) == ("{{What}} is this?", True, "low")
    assert (settings.images, settings.files) == (
        ("https://example.org/a.png",),
        ("https://example.org/a.pdf",),
    )
    assert _sent(settings) == body
    assert Settings.of_body({**body, "input": [{"role": "user", "content": parts[1:]}]}).images == ()


def test_values_are_set_and_dropped_by_path() -> None:
    """An object that is left empty goes with its last field; None is not set."""
    one = Settings().with_value("reasoning.effort", "low").with_value("reasoning.summary", "auto")
    assert one.params == {"reasoning": {"effort": "low", "summary": "auto"}}
    assert one.without("reasoning.effort").params == {"reasoning": {"summary": "auto"}}
    assert one.with_value("reasoning.effort", None).without("reasoning.summary").params == {}
    assert one.with_value("reasoning", {"effort": "high"}).params == {"reasoning": {"effort": "high"}}
    assert one.without("temperature.x").without("text.format") == one


def test_what_is_set_goes_before_what_was_laid_over_the_rest() -> None:
    """A value that only extra_body could hold is gone once the parameter is set, or dropped."""
    settings = Settings.of_body({"input": "Hi.", "temperature": 9, "reasoning": {"effort": 3, "depth": 1}})
    assert "extra_body" in settings.params
    assert settings.with_value("temperature", 1).without("reasoning").params == {"temperature": 1}
    assert settings.without("temperature").without("reasoning").params == {}


def test_input_and_tools_have_paths_too() -> None:
    """Text is the prompt; items are a further field."""
    one = Settings(prompt="old").with_value("tools", ["web_search"]).with_value("input", "{{new}}")
    assert (one.prompt, one.tools) == ("\\{{new}}", ("web_search",))
    items = [{"role": "user", "content": "x"}]
    assert _sent(one.with_value("input", items))["input"] == items
    assert one.with_value("input", items).without("input").without("tools") == Settings()


def test_settings_keep_what_they_were_made_of() -> None:
    """Changing a dict afterwards changes nothing."""
    params: dict[str, Any] = {"reasoning": {"effort": "low"}}
    one = Settings(params=params)
    params["reasoning"]["effort"] = "high"
    one.arguments().params["reasoning"]["effort"] = "high"
    assert one.params == {"reasoning": {"effort": "low"}}


def test_arguments_become_settings() -> None:
    """Values that a line filled in are literal from then on."""
    names = {"style": "{{not an expression}}"}
    arguments = parsed("-s style --image fig -t 0.5 --set reasoning.effort=low --conversation c", names)
    one = Settings.of(arguments, "\nHi {{x}}\n\n")
    assert (one.prompt, one.images) == ("Hi {{x}}", ("fig",))
    assert one.params == {
        "instructions": "\\{{not an expression}}",
        "temperature": 0.5,
        "conversation": "c",
        "reasoning": {"effort": "low"},
    }


def test_functions_are_kept_by_name() -> None:
    """A line may hold the function itself; one without a name has no place in settings."""

    def weather() -> None: ...

    arguments = parsed("--tools weather", {"weather": weather})
    assert Settings.of(arguments, "x").tools == ("weather",)
    arguments.tools = [3]
    with pytest.raises(ConfigError, match="no name"):
        Settings.of(arguments, "x")


@pytest.mark.parametrize(
    ("settings", "is_literal"),
    [
        (Settings(prompt="x", images=("https://example.org/a.png",), tools=("web_search",)), True),
        (Settings(prompt="\\{{x}}", params={"metadata": {"a": "{{x}}"}}), True),
        (Settings(prompt="{{x}}", is_raw=True), True),
        (Settings(prompt="{{x}}"), False),
        (Settings(params={"instructions": "{{x}}"}), False),
        (Settings(prompt="x", files=("report.pdf",)), False),
        (Settings(prompt="x", tools=("weather",)), False),
        (Settings(prompt="x", schema="Person"), False),
    ],
)
def test_what_reaches_into_the_notebook_is_told(settings: Settings, is_literal: bool) -> None:
    """Settings from somebody else that are not literal should be looked at first."""
    assert settings.is_literal is is_literal


@given(bodies())
def test_settings_survive_as_json(body: dict[str, Any]) -> None:
    """Through text, and without what they do not say."""
    settings = Settings.of_body(body)
    text = json.dumps(settings.as_json())
    assert json.dumps(Settings.from_json(text).as_json()) == text
    assert Settings.from_json(settings.as_json()) == settings


def test_json_says_only_what_is_set_and_no_key() -> None:
    """A preset is shared."""
    settings = Settings(
        prompt="sk-canary1234567", params={"metadata": {"sk-canary1234567": ["sk-canary1234567"]}}
    )
    assert settings.as_json() == {
        "version": 1,
        "prompt": "sk-***",
        "params": {"metadata": {"sk-***": ["sk-***"]}},
    }


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{", "no JSON"),
        ([], "list"),
        ({}, "version None"),
        ({"version": 2}, "version 2"),
        ({"version": True}, "version True"),
        ({"version": 1, "code": "x"}, "'code' is no part"),
        ({"version": 1, "prompt": 3}, "prompt is int"),
        ({"version": 1, "params": {"temperature": float("nan")}}, "params is dict"),
        ({"version": 1, "params": {"x": object()}}, "params is dict"),
        ({"version": 1, "tools": "web_search"}, "tools is str"),
        ({"version": 1, "tools": [3]}, "tools is list"),
        ({"version": 1, "images": [None]}, "images is list"),
        ({"version": 1, "is_raw": 1}, "is_raw is int"),
        ({"version": 1, "detail": 1}, "detail is int"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_settings_is_refused(value: Any, said: str) -> None:
    """It may come from anybody: two lines, and no half of it."""
    with pytest.raises(ConfigError, match=said) as caught:
        Settings.from_json(value)
    assert len(str(caught.value).splitlines()) == 2


@given(TEXTS)
def test_an_escaped_text_is_that_text(text: str) -> None:
    """Whatever braces and backslashes it holds."""
    assert filled(escaped(text), {}) == text
    assert not has_expressions(escaped(text))


def test_settings_nested_too_deep_are_refused() -> None:
    """Whoever sends them; later each step through them could fail."""
    value: Any = 1
    for _ in range(200):
        value = {"a": value}
    with pytest.raises(ConfigError, match="100 levels"):
        Settings(params={"extra_body": value})
