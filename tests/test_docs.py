"""The documentation builds offline without a warning, and says what the code says."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import cometnb
from cometnb import errors
from tests.needs import ROOT

# Sphinx runs as a program of its own, in which nothing can be reached.
_BUILD = """
import runpy, socket, sys

def refuse(*args, **kwargs):
    raise OSError("the documentation is built offline")

socket.socket.connect = socket.getaddrinfo = refuse
sys.argv = ["build.py", sys.argv[1]]
runpy.run_path("docs/build.py", run_name="__main__")
"""

# The first test waits for all of the pages, which takes minutes where other tests run beside it.
pytestmark = pytest.mark.timeout(600)

_LOADING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}


@dataclass
class _Page:
    """What a page loads, links to and can be linked to."""

    loaded: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    text: str = ""


class _Reader(HTMLParser):
    """Fills a page from its HTML."""

    def __init__(self, page: _Page) -> None:
        super().__init__()
        self._page = page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._page.ids |= {given["id"]} if "id" in given else set()
        for name, value in given.items():
            if (tag, name) in _LOADING:
                self._page.loaded.append(value)
            elif (tag, name) == ("a", "href"):
                self._page.links.append(value)

    def handle_data(self, data: str) -> None:
        self._page.text += data


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pages once; nothing may be said about it."""
    out = tmp_path_factory.mktemp("docs")
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, str(out)],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return out / "html"


@cache
def _page(file: Path) -> _Page:
    page = _Page()
    _Reader(page).feed(file.read_text("utf-8"))
    return page


def _pages(html: Path) -> Iterator[tuple[str, _Page]]:
    for file in sorted(html.rglob("*.html")):
        yield file.relative_to(html).as_posix(), _page(file)


def test_every_notebook_is_a_page_of_the_guide(html: Path) -> None:
    """Linked from the guide's first page, with the outputs that are saved in it."""
    stems = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    linked = {link.removesuffix(".html") for link in _page(html / "guide" / "index.html").links}
    assert [stem for stem in stems if stem not in linked] == []
    assert [stem for stem in stems if not (html / "guide" / f"{stem}.html").exists()] == []
    assert "You are talking to the simulator" in _page(html / "guide" / "tools.html").text


def test_formulas_need_no_script(html: Path) -> None:
    """They are MathML, and no dollar is left where one was meant."""
    page = (html / "guide" / "quickstart.html").read_text("utf-8")
    assert "<math" in page
    assert "MathJax" not in page
    assert "$$" not in page


def test_pages_load_nothing_from_elsewhere(html: Path) -> None:
    """No script, style, image or font comes from another host."""
    foreign = re.compile(r"^(?:https?:)?//")
    loaded = [(name, what) for name, page in _pages(html) for what in page.loaded if foreign.match(what)]
    assert loaded == []
    styles = [
        file
        for file in html.rglob("*.css")
        if re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", file.read_text("utf-8"))
    ]
    assert styles == []


def test_every_link_leads_somewhere(html: Path) -> None:
    """To a file of the pages, and to a place that is on it."""
    dead = [
        (name, link)
        for name, page in _pages(html)
        for link in [*page.links, *page.loaded]
        if not _is_there(html / name, link)
    ]
    assert dead == []


def _is_there(file: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not target.is_file():
        return False
    # What scripts of the theme scroll to is no place on the page.
    return (
        target.suffix != ".html"
        or parts.fragment in {"", "top"}
        or unquote(parts.fragment) in _page(target).ids
    )


def test_the_reference_has_every_option_and_parameter(html: Path) -> None:
    """All spellings of each."""
    from cometnb.protocol.params import PARAMS
    from cometnb.session.cell_options import OPTIONS

    cell = _page(html / "reference" / "cell.html").text
    assert [flag for option in OPTIONS for flag in option.flags if flag not in cell] == []
    listed = _page(html / "reference" / "parameters.html").text.split()
    assert [param.name for param in PARAMS if param.name not in listed] == []


def test_the_reference_has_every_subcommand_and_setting(html: Path) -> None:
    """With what may follow it, and under each name it has."""
    from cometnb.magics.comet import SUBCOMMANDS
    from cometnb.magics.extension import CometMagics

    line = _page(html / "reference" / "line.html").text
    assert [
        name for name, one in SUBCOMMANDS.items() if f"%comet {name} {one.usage}".rstrip() not in line
    ] == []
    settings = _page(html / "reference" / "settings.html").text
    assert [
        name for name in CometMagics.class_own_traits(config=True) if f"CometMagics.{name}" not in settings
    ] == []
    variables = re.findall(r"COMET(?:API|NB)_[A-Z_]+", (ROOT / "cometnb" / "options.py").read_text("utf-8"))
    assert [name for name in variables if name not in settings] == []


def test_every_error_is_explained(html: Path) -> None:
    """When it is raised, by its docstring, and in a paragraph below it what to do."""
    page = (html / "errors.html").read_text("utf-8")
    kinds = [name for name in errors.__all__ if inspect.isclass(getattr(errors, name))]
    assert [name for name in kinds if f'id="cometnb.errors.{name}"' not in page] == []
    source = (ROOT / "docs" / "errors.md").read_text("utf-8")
    unsaid = [
        name
        for name in kinds
        if not re.search(rf"<!-- generated: error {name} -->\n\n[^\n#<]", source) and name != "CometError"
    ]
    assert unsaid == []


def test_every_public_name_is_documented(html: Path) -> None:
    """On a page of the reference, where a search finds it."""
    ids = {one for _, page in _pages(html) for one in page.ids}
    loaded = {"errors", "options", "load_ipython_extension", "unload_ipython_extension"}
    names = [name for name in cometnb.__all__ if name not in loaded]
    assert [name for name in names if not ids & {f"cometnb.{name}", f"cometnb.errors.{name}"}] == []


def test_the_pages_name_the_numbers_of_the_code() -> None:
    """Sizes and limits that are written by hand are those that hold."""
    from cometnb.client.client import Client
    from cometnb.client.retry import Backoff
    from cometnb.session.piece import LARGEST_FILE_BYTES, LARGEST_IMAGE_BYTES

    limits = inspect.signature(Client).parameters
    key, gateways, told = (
        (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("key", "gateways", "errors")
    )
    assert f"{LARGEST_IMAGE_BYTES // 10**6} MB an image, {LARGEST_FILE_BYTES // 10**6} MB a file" in key
    assert f"max_retries={limits['max_retries'].default}" in gateways
    assert Backoff().base_s == 0.5
    assert Backoff().longest_s == 60
    assert f"`idle_timeout_s` ({limits['idle_timeout_s'].default:g})" in told
    assert f"`timeout_s` ({limits['timeout_s'].default:g})" in told
