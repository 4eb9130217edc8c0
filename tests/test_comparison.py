"""What the comparison with other tools rests on: the answers it bends, and a page that says what was compared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.comparison.shapes import SHAPES, shaped_server
from benchmarks.comparison.tools import TOOLS, Tool
from cometnb import Client
from cometnb.errors import CometError
from tests.needs import ROOT


@pytest.fixture(scope="module")
def shapes_url() -> Iterator[str]:
    """Where the bent answers are."""
    with shaped_server() as url:
        yield url


@pytest.mark.parametrize("name", SHAPES)
def test_cometnb_keeps_the_text_of_every_shape(shapes_url: str, name: str) -> None:
    """What is an error is one, with the text that had come; what is none is not."""
    shape = SHAPES[name]
    text, is_error = "", False
    with Client(api_key="made-up", base_url=f"{shapes_url}/{name}") as client:
        try:
            if shape.content:
                with client.stream("Hello", model="gpt-5.4") as stream:
                    list(stream)
                text = stream.response.output_text
            else:
                text = client.respond("Hello", model="gpt-5.4").output_text
        except CometError as error:
            response = getattr(error, "response", None)
            text, is_error = response.output_text if response is not None else "", True
    assert (text, is_error) == (shape.kept, shape.is_error)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.slug)
def test_the_page_names_every_package_that_was_looked_at(tool: Tool) -> None:
    """A tool that is compared is on the page, and so are those that it stands on."""
    page = (ROOT / "docs" / "comparison.md").read_text("utf-8")
    assert [name for name in tool.shown if f"{name} " not in page] == []
