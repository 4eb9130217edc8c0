"""Every element that ever appears in a cell's output, looked at in the page: what it is, where it links, what it would do."""

from __future__ import annotations

from playwright.sync_api import Page

__all__ = ["GUARD", "Watched"]

# Every element that ever appears in an answer, while it streams or after it, is looked at: what it is, where it
# links, what it would do. JupyterLab itself puts `#` links to headings. Cells outside the window are laid out and
# painted like the others, or what their style fetches would not be fetched.
GUARD = """(inside) => {
  const bad = "img, image, picture, source, iframe, script, object, embed, video, audio, form, input, select, " +
    "textarea, link, meta, base, style, svg, marquee, template, [data-commandlinker-command], [srcdoc], [ping]";
  const ours = ".cometnb-board, .cometnb-status, .cometnb-question, .cometnb-multiples-status";
  const expected = [
    // A picture that was sent with the output, and cometnb's own buttons and fields.
    (one) => one.matches("img") && /^data:image\\/(png|jpeg|webp);base64,/.test(one.src),
    (one) => one.matches("input, select, textarea") && one.closest(ours),
    // JupyterLab's icons; the styles that choose between two outputs, and pandas' own.
    (one) => one.matches("svg") && one.dataset.icon?.startsWith("ui-components:"),
    (one) => one.matches("style") && /^\\s*\\.(jp-OutputArea-child:has|dataframe tbody)/.test(one.textContent),
    // Text in which JupyterLab itself finds addresses: each is shown as it is, and a browser follows neither of these.
    (one) => one.matches(".jp-RenderedText a") && /^(data|file):/.test(one.href) && one.href.startsWith(one.innerText.trim()),
    // pandas lets MathJax read its tables; nothing but links acts there, and what is fetched is seen anyway.
    (one) => one.closest(".dataframe mjx-container") && !one.hasAttribute("href"),
  ];
  window.testsFound = [];
  const look = (element) => {
    if (!element.closest(inside) || element.closest("mjx-container")?.contains(element.querySelector("a"))) return;
    const handlers = [...element.attributes].filter((one) => one.name.startsWith("on"));
    const href = element.getAttribute("href") ?? element.getAttribute("xlink:href");
    const leads = href === null || /^(https?:\\/\\/|mailto:|#)/.test(href);
    const styled = /url\\(|position: *fixed/.test(element.getAttribute("style") ?? "");
    const isHarmful = element.matches(bad) || handlers.length || !leads || styled;
    if (isHarmful && !expected.some((is) => is(element))) window.testsFound.push(element.outerHTML.slice(0, 300));
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
"""JavaScript that watches the page it runs in, and puts what it finds into ``window.testsFound``."""


class Watched:
    """A page under guard, with every address it asks for and every window it opens.

    Parameters
    ----------
    page : Page
        Open or new; it is watched when it is loaded again, too.
    inside : str
        Selects what is looked into: by default what cells show.
    """

    def __init__(self, page: Page, inside: str = ".jp-Cell-outputWrapper") -> None:
        self._page = page
        self._requested: list[str] = []
        self._page.on("request", lambda request: self._requested.append(request.url))
        self._page.context.on(
            "page", lambda opened: self._requested.append(f"a window: {opened.url} .invalid")
        )
        self._page.add_init_script(f"({GUARD})({inside!r})")
        self._page.evaluate(GUARD, inside)

    def harm(self) -> list[str]:
        """Return what has run, was fetched or could act since the page was loaded."""
        found: list[str] = self._page.evaluate("window.testsFound")
        ran = ["a script ran"] if self._page.evaluate("window.hacked !== undefined") else []
        return [*found, *ran, *(url for url in self._requested if ".invalid" in url)]
