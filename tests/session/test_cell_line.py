"""The line of a cell, and the help generated from the same table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import CellError
from cometnb.protocol.params import PARAMS
from cometnb.session.cell_line import help_text, parsed
from cometnb.session.cell_options import BY_FLAG, OPTIONS, Option
from cometnb.session.sweep_line import typed_axes


def test_every_parameter_has_an_option() -> None:
    """All of the table but the input (the cell's body) and stream (--no-stream)."""
    paths = {option.path for option in OPTIONS}
    assert {row.name for row in PARAMS} - paths == {"input", "stream"}


def test_no_flag_means_two_things() -> None:
    """Each spelling belongs to one option."""
    flags = [flag for option in OPTIONS for flag in option.flags]
    assert len(flags) == len(set(flags))


def test_help_names_every_option() -> None:
    """What can be typed can be read about."""
    text = help_text()
    assert all(flag in text and option.help in text for option in OPTIONS for flag in option.flags)


@pytest.mark.parametrize("flag", ["--max-output-tokens", "--max_output_tokens", "-n"])
def test_dashes_and_underscores_are_one(flag: str) -> None:
    """People copy parameter names."""
    assert parsed(f"{flag} 5", {}).params == {"max_output_tokens": 5}


@pytest.mark.parametrize(
    ("line", "value"),
    [("--store", True), ("--store true", True), ("--store=false", False), ("--no-store", False)],
)
def test_switches(line: str, value: bool) -> None:
    """A switch alone is true; a value or --no- says otherwise."""
    assert parsed(line, {}).params == {"store": value}


def test_a_variable_gives_its_value() -> None:
    """Numbers, lists and objects may be names of the notebook."""
    names = {"warm": 0.9, "mine": [{"type": "web_search_preview"}]}
    arguments = parsed("-t warm --tools mine", names)
    assert (arguments.params, arguments.tools) == ({"temperature": 0.9}, names["mine"])


def test_reading_a_line_leaves_variables_alone() -> None:
    """A dict of the notebook that a later option adds to is not changed."""
    names = {"mine": {"effort": "low"}}
    assert parsed("--reasoning mine --reasoning.summary auto", names).params == {
        "reasoning": {"effort": "low", "summary": "auto"}
    }
    assert names == {"mine": {"effort": "low"}}


def test_attachments_may_be_repeated() -> None:
    """In the order they were given; most options may stand once."""
    arguments = parsed("--image a --image 'my photo.png' --file b.pdf --code", {})
    assert (arguments.images, arguments.files, arguments.is_code) == (["a", "my photo.png"], ["b.pdf"], True)
    with pytest.raises(CellError, match="given twice"):
        parsed("--as curl --as json", {})


@given(
    st.lists(st.sampled_from([*BY_FLAG, "1", "x", "true", "'a b'", "=", "{{", "[", "@x", "--"]), max_size=6)
)
def test_any_line_is_read_or_refused_in_two_lines(words: list[str]) -> None:
    """No line ends in anything but arguments or a CellError with a fact and a next step."""
    message = "a fact\na next step"
    try:
        parsed(" ".join(words), {})
    except CellError as error:
        message = str(error)
    assert len(message.splitlines()) == 2


@pytest.mark.parametrize(
    "line",
    [
        "--repeat " + "1" * 5000,
        "--max-rounds " + "1" * 5000,
        "-s '@a\0b'",
        "-s @~nobody-of-this-name/x",
        "-s '@\ud800'",
        "--sweep model=a max_runs=" + "1" * 5000,
    ],
)
def test_values_that_python_cannot_take_are_errors_of_the_cell(line: str) -> None:
    """Numbers of thousands of digits, and files that cannot be: two lines, and nothing of Python's."""
    with pytest.raises(CellError) as caught:
        typed_axes(parsed(line, {}).sweep, {})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "option", [one for one in OPTIONS if one.takes == "value" and one.example], ids=lambda one: one.name
)
def test_what_an_error_proposes_is_ready_to_copy(option: Option) -> None:
    """The line it proposes is one that is read."""
    for flag in option.flags:
        with pytest.raises(CellError, match="has no value") as raised:
            parsed(flag, {})
        line = raised.value.next_step.removeprefix("Write ").removesuffix(", for example.")
        parsed(line, {})
