"""What a panel asks: settings as traits, the request they make, and why it cannot be sent."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st

import cometnb
from cometnb.defaults import shared
from cometnb.errors import CellError, CometError
from cometnb.panel.asking import FIELDS
from cometnb.panel.history import flat
from cometnb.panel.panel import Panel
from cometnb.session.settings import Settings


def test_nothing_is_set_in_a_new_panel() -> None:
    """What is not set is not sent: of parameters there is the model that the kernel uses, and streaming."""
    panel = Panel("Hi.")
    assert panel.params == {}
    assert panel.request == {"model": "gpt-5.4", "stream": True, "input": "Hi."}


def test_the_request_follows_every_change() -> None:
    """Whoever observes it hears of each."""
    panel = Panel("Hi.")
    seen: list[dict[str, Any]] = []
    panel.observe(lambda change: seen.append(change.new), "request")
    panel.set("temperature", 0.2)
    panel.set("reasoning.effort", "low")
    panel.unset("temperature")
    panel.prompt = "Hello."
    assert [one.get("temperature") for one in seen] == [0.2, 0.2, None, None]
    assert panel.request["reasoning"] == {"effort": "low"}
    assert panel.request["input"] == "Hello."


def test_unsetting_the_last_field_leaves_no_empty_object() -> None:
    """An object with nothing in it would be sent."""
    panel = Panel("Hi.")
    panel.set("reasoning.effort", "low")
    panel.set("reasoning.effort", None)
    assert panel.params == {}


def test_settings_are_everything_as_one_value() -> None:
    """What one panel has, another takes, with one change of the request."""
    first = cometnb.panel(
        "{{x}}", temperature=0.5, tools=["web_search_preview"], schema="a int", images=["fig"]
    )
    second = Panel()
    seen: list[Any] = []
    second.observe(seen.append, "request")
    second.settings = first.settings
    assert second.settings == first.settings
    assert len(seen) == 1


def test_own_fields_are_set_by_their_names() -> None:
    """`input` is the prompt; `prompt` with an object is the API's parameter of that name."""
    panel = Panel()
    panel.set("input", "Say {{x}}.")
    panel.set("tools", ["web_search_preview"])
    panel.set("prompt", {"id": "pmpt_1"})
    assert (panel.prompt, panel.tools) == ("Say {{x}}.", ["web_search_preview"])
    assert panel.params == {"prompt": {"id": "pmpt_1"}}
    for path in ("input", "tools", "prompt"):
        panel.unset(path)
    assert (panel.prompt, panel.tools, panel.params) == ("", [], {})


def test_typing_evaluates_nothing() -> None:
    """Expressions have effects; they are evaluated by a run, or when somebody asks for the filled request."""
    done: list[int] = []

    def effect() -> str:
        done.append(1)
        return "done"

    panel = Panel("", {"effect": effect})
    panel.prompt = "It is {{effect()}}."
    panel.set("instructions", "{{effect()}}")
    assert panel.request["input"] == "It is {{effect()}}."
    assert panel.problem == ""
    assert done == []
    assert panel.filled()["input"] == "It is done."
    assert len(done) == 2


def test_attachments_are_not_read_for_the_preview() -> None:
    """They stand in the request by their names."""
    panel = Panel("What is it?", {})
    panel.images = ["nowhere.png"]
    parts = panel.request["input"][0]["content"]
    assert [part["type"] for part in parts] == ["input_text", "input_image"]
    assert "nowhere.png" in parts[1]["image_url"]
    with pytest.raises(CellError, match=r"nowhere\.png"):
        panel.filled()


@pytest.mark.parametrize(
    ("prompt", "params", "words"),
    [
        ("", {}, "The panel has no prompt."),
        ("Hi.", {"temperature": 9}, "temperature=9 is above its maximum 2."),
        ("Hi.", {"temprature": 1}, "Did you mean temperature?"),
        ("Hi.", {"previous_response_id": "a", "conversation": "b"}, "cannot be sent together"),
    ],
)
def test_a_problem_is_said_in_two_lines(prompt: str, params: dict[str, Any], words: str) -> None:
    """The fact and the next step, before anything is sent; and it goes when it is mended."""
    panel = Panel(prompt, params=params)
    assert words in panel.problem
    assert len(panel.problem.splitlines()) == 2
    with pytest.raises(CometError):
        panel.start()
    panel.params, panel.prompt = {}, "Hi."
    assert panel.problem == ""


def test_the_request_of_an_empty_panel_shows_its_parameters() -> None:
    """Sliders are moved before the prompt is written."""
    panel = cometnb.panel(temperature=0.3)
    assert (panel.request["temperature"], panel.request["input"]) == (0.3, "")


def test_an_expression_that_fails_is_the_problem_of_the_run() -> None:
    """It stays until something changes."""
    panel = Panel("{{nothing_of_this_name}}", {})
    with pytest.raises(CellError, match="nothing_of_this_name"):
        panel.start()
    assert "nothing_of_this_name" in panel.problem
    assert not panel.running


def test_the_kernels_model_is_the_one_in_force() -> None:
    """A setting that another cell changes is in the next request."""
    panel = Panel("Hi.")
    shared.configure(model="gpt-5.4-mini")
    assert panel.filled()["model"] == "gpt-5.4-mini"
    assert panel.run().model_requested == "gpt-5.4-mini"
    assert panel.request["model"] == "gpt-5.4-mini"


def test_functions_and_classes_may_be_given_themselves() -> None:
    """The panel holds their names, as a cell would."""

    def weather(city: str) -> str:
        """Tell the weather."""
        return f"Rain in {city}."

    panel = cometnb.panel("Hi.", tools=[weather])
    assert panel.tools == ["weather"]
    assert panel.request["tools"][0]["name"] == "weather"
    with pytest.raises(CellError, match="has no name"):
        cometnb.panel("Hi.", tools=[object()])


def test_a_schema_may_be_a_class_or_a_dict() -> None:
    """What has neither a name nor a text of its own is asked for by the name of a variable."""

    @dataclass
    class Town:
        name: str

    form = cometnb.panel("Hi.", schema=Town).request["text"]["format"]
    assert list(form["schema"]["properties"]) == ["name"]
    whole = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    assert list(cometnb.panel("Hi.", schema=whole).request["text"]["format"]["schema"]["properties"]) == ["a"]
    with pytest.raises(CellError, match="has no name"):
        cometnb.panel("Hi.", schema=list[Town])


def test_read_only_traits_cannot_be_assigned() -> None:
    """They say what is; settings are what can be changed."""
    panel = Panel("Hi.")
    for name in (
        "request",
        "problem",
        "running",
        "response",
        "error",
        "runs",
        "spent",
        "refused",
        "expected",
    ):
        with pytest.raises(traitlets.TraitError):
            setattr(panel, name, None)


def test_traits_link_to_other_widgets() -> None:
    """`traitlets.link` drives a panel from elsewhere, both ways."""

    class Box(traitlets.HasTraits):
        value = traitlets.Unicode()

    box, panel = Box(value="From the box."), Panel()
    link = traitlets.link((box, "value"), (panel, "prompt"))
    assert panel.prompt == "From the box."
    panel.prompt = "From the panel."
    assert box.value == "From the panel."
    link.unlink()


def test_code_sends_what_the_panel_sends() -> None:
    """JSON is the body itself; a form that does not exist is named."""
    panel = Panel("Say {{x}}.", {"x": "hi"}, params={"temperature": 0.5})
    assert '"input": "Say hi."' in panel.code("json")
    assert "temperature=0.5" in panel.code("python")
    with pytest.raises(CellError, match="'basic'"):
        panel.code("basic")


def test_settings_keep_their_own_copy() -> None:
    """A dict that is changed later does not change what was asked."""
    metadata = {"a": "b"}
    panel = cometnb.panel("Hi.", metadata=metadata)
    settings = panel.settings
    metadata["a"] = "c"
    assert settings == Settings("Hi.", {"metadata": {"a": "b"}})


def test_a_parameter_is_no_trait() -> None:
    """Whoever makes a Panel by hand is told where parameters go."""
    with pytest.raises(CellError, match="A Panel has no temperature"):
        Panel("Hi.", temperature=1)


_PATHS = st.sampled_from(
    ["temperature", "top_p", "reasoning.effort", "reasoning.summary", "text.verbosity", "metadata.a", "input"]
)
_VALUES = st.none() | st.sampled_from([0, 0.5, 1]) | st.sampled_from(["low", "high", "{{x}}", ""])


@given(st.lists(st.tuples(_PATHS, _VALUES), max_size=12))
def test_the_last_value_of_each_path_counts(steps: list[tuple[str, Any]]) -> None:
    """Whatever is set and unset in between; and nothing is left of what was unset."""
    panel = Panel("Hi.")
    expected: dict[str, Any] = {"input": "Hi."}
    for path, value in steps:
        if path == "input" and not isinstance(value, str | None):
            continue
        panel.set(path, value)
        expected[path] = value
    assert panel.prompt == (expected.pop("input") or "")
    assert flat(panel.params) == {path: value for path, value in expected.items() if value is not None}
    other = Panel()
    other.settings = panel.settings
    assert (other.request, bool(other.problem)) == (panel.request, bool(panel.problem))
    panel.close()
    other.close()


def test_effort_and_verbosity_have_short_names() -> None:
    """As in a sweep and on a cell's line."""
    panel = cometnb.panel("Hi.", effort="low", verbosity="high", reasoning={"summary": "auto"})
    assert panel.params == {"reasoning": {"summary": "auto", "effort": "low"}, "text": {"verbosity": "high"}}
    panel.set("effort", "high")
    panel.unset("verbosity")
    panel.add_column(effort="low")
    assert panel.params == {"reasoning": {"summary": "auto", "effort": "high"}}
    assert panel.columns[0].title == "reasoning.effort=low"


def test_the_class_says_what_it_takes_and_has() -> None:
    """Every trait has a row of its own in the docstring, and every one that can be given stands in the signature."""
    doc = Panel.__doc__ or ""
    assert [name for name in Panel.class_traits() if f"\n    {name} : " not in doc] == []
    taken = set(inspect.signature(Panel).parameters)
    assert taken == {*FIELDS, "confirms", "namespace"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda: cometnb.panel(5), "'prompt' trait of a Panel instance expected a unicode string"),  # type: ignore[arg-type]
        (lambda: cometnb.panel("Hi.", params=3), "params is int, not a dict."),
        (lambda: cometnb.panel("Hi.", tools=[lambda: 1]), "name it: tools=['NAME']"),
        (lambda: cometnb.panel("Hi.").diff(), "Run the panel: panel.run()"),
    ],
)
def test_what_makes_no_sense_is_said_in_two_lines(given: Callable[[], Any], said: str) -> None:
    """A person who mistyped reads a fact and a next step, not where in a library it was noticed."""
    with pytest.raises(CellError) as raised:
        given()
    assert said in str(raised.value)
