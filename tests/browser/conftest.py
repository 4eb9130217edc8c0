"""One JupyterLab for the run, one browser for each module, one page for each notebook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.lab import (
    BROWSER_FLAGS,
    LabServer,
    NotebookPage,
    Theme,
    lab_environment,
    running_lab,
    write_notebook,
)
from tests.needs import ROOT, chromium

_VIEWPORT: ViewportSize = {"width": 1200, "height": 900}


class OpenNotebook(Protocol):
    """What the fixture `notebook` gives: a function that opens a new notebook."""

    def __call__(self, cells: list[str], *, theme: Theme = "light") -> NotebookPage:
        """Write a notebook of these code cells, open it, and wait for its kernel."""
        ...


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, _home: object) -> Iterator[LabServer]:
    """A real JupyterLab on loopback, with a folder, a home and settings of its own."""
    chromium()
    folder = tmp_path_factory.mktemp("lab") / "notebooks"
    folder.mkdir()
    with running_lab(folder, lab_environment(ROOT, folder)) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium.

    It lives as long as a module: while it does, its event loop runs on this thread, and `asyncio.run` cannot.
    """
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(BROWSER_FLAGS))
        yield started
        started.close()


@pytest.fixture
def notebook(lab: LabServer, browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """Open new notebooks; each has a page and a kernel of its own, closed at the end of the test."""
    opened: list[NotebookPage] = []

    def open_notebook(cells: list[str], *, theme: Theme = "light") -> NotebookPage:
        file = lab.folder / f"{request.node.originalname}-{len(opened)}-{theme}.ipynb"
        write_notebook(file, cells)
        context = browser.new_context(viewport=_VIEWPORT, reduced_motion="reduce", color_scheme=theme)
        page = NotebookPage(context.new_page(), lab, file)
        opened.append(page)
        page.open(theme)
        return page

    yield open_notebook
    for page in opened:
        page.close()
