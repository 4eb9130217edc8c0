"""What the comparison with other tools rests on: the answers it bends, and a page that says what was compared."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from benchmarks.comparison.shapes import SHAPES, shaped_server
from benchmarks.comparison.tools import TOOLS, Tool
from cometnb import Client, __version__
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


_SEEN = (ROOT / "benchmarks" / "comparison" / "seen.md").read_text("utf-8")
# A tool, the versions that ran, and what it sent to the page.
_RUNS = re.findall(r"^## (.+?): (.+)$\n(?:(?!## ).*\n)*?- traffic: ([\d.]+) MB", _SEEN, re.MULTILINE)


def _rows(page: str) -> list[list[str]]:
    """Return the tables of a page that stand beside others, by their cells."""
    text = (ROOT / page).read_text("utf-8")
    return [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in text.splitlines()
        if line.startswith("| ")
    ]


def test_the_readme_says_what_was_seen() -> None:
    """The day, the versions and the traffic of its table are those of the run whose output is kept."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (day,) = set(re.findall(r"against the same loopback servers on (\S+)", readme))
    assert f"of {day}, on which" in _SEEN
    (traffic,) = (cells[1:] for cells in _rows("README.md") if cells[0] == "2,000 deltas on iopub")
    (head,) = (cells[1:] for cells in _rows("README.md") if cells[1:2] == [f"cometnb {__version__}"])
    runs = {tools.split()[0]: (tools.split()[1], float(megabytes)) for _, tools, megabytes in _RUNS}
    named = [cell.split()[:2] for cell in head if not cell.startswith("`")]
    for (name, version), shown in zip(named, traffic, strict=False):
        ran, megabytes = runs[name.strip()]
        n_digits = len(shown.removesuffix(" MB").partition(".")[2])
        assert (f"{ran},"[: len(version)], f"{megabytes:.{n_digits}f} MB") == (version, shown)


def test_the_page_says_what_was_seen() -> None:
    """Every version that ran is on it, with its day."""
    page = (ROOT / "docs" / "comparison.md").read_text("utf-8")
    assert [words for _, tools, _ in _RUNS for words in tools.split(", ") if words not in page] == []
    (day,) = re.findall(r"The day was (\S+), and", page)
    assert f"of {day}, on which" in _SEEN
