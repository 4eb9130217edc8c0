"""Hostile answers in JupyterLab, which trusts what a cell displays: nothing in them acts, at any moment."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.hostile import TRIES
from tests.browser.lab import NotebookPage
from tests.browser.watch import reopen, simulated

_N_PARTS = 4
_RUN_S = 200.0

# Every element that ever appears in an answer, while it streams or after it, is looked at: what it is, where it
# links, what it would do. JupyterLab itself puts `#` links to headings.
_GUARD = """() => {
  const bad = "img, image, picture, source, iframe, script, object, embed, video, audio, form, input, select, " +
    "textarea, link, meta, base, style, svg, marquee, template, [data-commandlinker-command], [srcdoc], [ping]";
  const inside = ".jp-RenderedMarkdown, .cometnb-live";
  window.testsFound = window.testsFound ?? [];
  const look = (element) => {
    if (!element.closest(inside) || element.closest("mjx-container")?.contains(element.querySelector("a"))) return;
    const handlers = [...element.attributes].filter((one) => one.name.startsWith("on"));
    const href = element.getAttribute("href") ?? element.getAttribute("xlink:href");
    const leads = href === null || /^(https?:\\/\\/|mailto:|#)/.test(href);
    const styled = /url\\(|position: *fixed/.test(element.getAttribute("style") ?? "");
    if (element.matches(bad) || handlers.length || !leads || styled)
      window.testsFound.push(element.outerHTML.slice(0, 300));
  };
  const all = (node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    look(node);
    node.querySelectorAll("*").forEach(look);
  };
  all(document.body);
  new MutationObserver((changes) => changes.forEach((change) => {
    if (change.type === "attributes") look(change.target);
    change.addedNodes.forEach(all);
  })).observe(document.body, { childList: true, subtree: true, attributes: true });
}"""

# Cells outside the window are drawn, too.
_DRAW_ALL = """() => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.notebookConfig = { ...notebook.notebookConfig, windowingMode: "none" };
}"""


def _asking(text: str) -> str:
    return f"shared.simulator.text = {text!r}\nget_ipython().run_cell_magic('respond', '-e none', 'Hello')"


def _all_drawn(page: NotebookPage, n_answers: int) -> None:
    page.page.wait_for_function(
        "(n) => document.querySelectorAll('.jp-OutputArea .jp-RenderedMarkdown').length >= n",
        arg=n_answers,
        timeout=_RUN_S * 1000,
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(_N_PARTS))
def test_hostile_answers_do_nothing(notebook: OpenNotebook, part: int) -> None:
    """Streaming, at its end and opened again, none runs, fetches, links to a script or brings an element that could."""
    tries = TRIES[part::_N_PARTS]
    page = notebook([simulated(tokens_per_s=300), *map(_asking, tries)])
    requested: list[str] = []
    page.page.on("request", lambda request: requested.append(request.url))
    page.page.context.on("page", lambda opened: requested.append(f"a window: {opened.url} .invalid"))
    page.page.evaluate(_DRAW_ALL)
    page.page.evaluate(_GUARD)
    page.run_all(_RUN_S)
    _all_drawn(page, len(tries))
    page.screenshot("hostile-final")
    found = page.page.evaluate("window.testsFound")
    assert page.page.evaluate("window.hacked === undefined")

    reopen(page)
    page.page.evaluate(_DRAW_ALL)
    page.page.evaluate(_GUARD)
    _all_drawn(page, len(tries))
    page.screenshot("hostile-reopened")
    assert page.page.evaluate("window.hacked === undefined")
    assert [*found, *page.page.evaluate("window.testsFound")] == []
    assert [url for url in requested if ".invalid" in url] == []
