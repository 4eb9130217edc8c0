"""Hostile answers in JupyterLab, which trusts what a cell displays: nothing in them acts, at any moment."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.hostile import TRIES
from tests.browser.lab import NotebookPage
from tests.browser.watch import reopen, simulated

_RUN_S = 400.0

# Every element that ever appears in an answer, while it streams or after it, is looked at: what it is, where it
# links, what it would do. JupyterLab itself puts `#` links to headings. Cells outside the window are laid out and
# painted like the others, or what their style fetches would not be fetched.
_GUARD = """() => {
  const bad = "img, image, picture, source, iframe, script, object, embed, video, audio, form, input, select, " +
    "textarea, link, meta, base, style, svg, marquee, template, [data-commandlinker-command], [srcdoc], [ping]";
  const inside = ".jp-RenderedMarkdown, .cometnb-live";
  window.testsFound = [];
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
  new MutationObserver((changes) => changes.forEach((change) => {
    if (change.type === "attributes") look(change.target);
    change.addedNodes.forEach(all);
  })).observe(document, { childList: true, subtree: true, attributes: true });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(".jp-Notebook-cell { content-visibility: visible !important; contain: none !important; }");
  document.adoptedStyleSheets.push(sheet);
}"""

# Cells are drawn in their order, and formulas after them: the last one's stands for all.
_LAST = "A formula $x^2$ to end with."
_DRAWN = """(n) => {
  const answers = document.querySelectorAll(".jp-OutputArea .jp-RenderedMarkdown");
  return answers.length === n && answers[n - 1].querySelector("mjx-container") !== null;
}"""


def _asking(text: str) -> str:
    return f"shared.simulator.text = {text!r}\nget_ipython().run_cell_magic('respond', '-e none', 'Hello')"


def _found(page: NotebookPage) -> list[str]:
    """Return what the guard has found, once every answer is drawn."""
    page.page.wait_for_function(_DRAWN, arg=len(TRIES) + 1)
    found: list[str] = page.page.evaluate("window.testsFound")
    return found


@pytest.mark.timeout(600)
def test_hostile_answers_do_nothing(notebook: OpenNotebook) -> None:
    """Streaming, at its end and opened again, none runs, fetches, links to a script or brings an element that could."""
    start = simulated(tokens_per_s=300) + "\nshared.simulator.first_token_s = 0.0"
    page = notebook([start, *map(_asking, (*TRIES, _LAST))])
    requested: list[str] = []
    page.page.on("request", lambda request: requested.append(request.url))
    page.page.context.on("page", lambda opened: requested.append(f"a window: {opened.url} .invalid"))
    page.page.add_init_script(f"({_GUARD})()")
    page.page.evaluate(_GUARD)
    page.run_all(_RUN_S)
    found = _found(page)
    page.screenshot("hostile-final")
    assert page.page.evaluate("window.hacked === undefined")

    reopen(page)
    found += _found(page)
    page.screenshot("hostile-reopened")
    assert page.page.evaluate("window.hacked === undefined")
    assert found == []
    assert [url for url in requested if ".invalid" in url] == []
