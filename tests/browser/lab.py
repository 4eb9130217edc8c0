"""A real JupyterLab on loopback, and one notebook in a real browser to be driven as a person would."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
from playwright.sync_api import ConsoleMessage, Error, Page

__all__ = [
    "BROWSER_FLAGS",
    "SHOTS",
    "LabServer",
    "NotebookPage",
    "Theme",
    "lab_environment",
    "running_lab",
    "write_notebook",
]

SHOTS = Path(__file__).with_name("shots")
"""Where screenshots go; not tracked."""

BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""What Chromium needs in a container and offline."""

Theme = Literal["light", "dark"]

_START_S = 60.0
_ACT_S = 60.0
_QUESTIONS = 5

_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}

# What JupyterLab itself writes to the console on a healthy start; nothing of a notebook's is here.
_HARMLESS = (
    # The server speaks of an optional extension or workspace that a fresh home does not have.
    re.compile(
        r"Failed to load resource: the server responded with a status of 404 .*/(api/workspaces|lab/api)"
    ),
    # Chromium without a graphics card, when a figure's or a panel's canvas is read back.
    re.compile(r"GPU stall due to ReadPixels"),
)

_READY = """() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  return Boolean(panel?.content?.model?.cells?.length && panel.context?.isReady &&
                 panel.sessionContext?.session?.kernel);
}"""

# JupyterLab draws a cell when the page has time for it, and a busy machine has none; until then it is not in the page.
_DRAW = """() => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.widgets.forEach((cell, index) => { if (cell.isPlaceholder()) notebook.renderCellOutputs(index); });
  return notebook.widgets.every((cell) => cell.isAttached && !cell.isPlaceholder());
}"""

# The question waits in the kernel's queue behind the cells. A connection that has just been made may drop it;
# then it is asked again.
_ASK_KERNEL = """() => {
  window.testsIdle = "asked";
  const context = window.jupyterapp.shell.currentWidget.sessionContext;
  context.ready
    .then(() => context.session.kernel.info)
    .then(() => context.session.kernel.requestKernelInfo())
    .then((reply) => { window.testsIdle = reply ? "yes" : "dropped"; })
    .catch(() => { window.testsIdle = "dropped"; });
}"""

_RUN = """([index, command]) => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  window.testsRunning = (window.testsRunning ?? 0) + 1;
  window.jupyterapp.commands.execute(command).finally(() => { window.testsRunning -= 1; });
}"""

_OUTPUTS = """(index) =>
  window.jupyterapp.shell.currentWidget.content.model.cells.get(index).outputs.toJSON()"""


@dataclass(frozen=True)
class LabServer:
    """A running server: where it is, how to enter, and the folder it shows."""

    url: str
    token: str
    folder: Path

    def address(self, name: str) -> str:
        """Return the address that opens one notebook of the folder in a fresh workspace."""
        return f"{self.url}/lab/tree/{name}?token={self.token}&reset"


@contextmanager
def running_lab(folder: Path, env: Mapping[str, str]) -> Iterator[LabServer]:
    """Start JupyterLab and stop it at the end.

    Parameters
    ----------
    folder : Path
        What it shows; its log goes beside it.
    env : Mapping of str to str
        Its environment, with fresh Jupyter folders in it.

    Raises
    ------
    RuntimeError
        If it does not answer within a minute; holds the end of its log.
    """
    _write_settings(Path(env["JUPYTER_CONFIG_DIR"]))
    server = LabServer(f"http://127.0.0.1:{_free_port()}", secrets.token_hex(16), folder)
    log = folder.with_name(folder.name + ".log")
    with log.open("wb") as sink:
        command = _command(server)
        running = dict(env) | {"JUPYTER_TOKEN": server.token}
        process = subprocess.Popen(command, env=running, cwd=folder, stdout=sink, stderr=subprocess.STDOUT)
        try:
            _wait_until_up(server, process, log)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(server: LabServer) -> list[str]:
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": server.url.rpartition(":")[2],
        "ServerApp.port_retries": "0",
        "ServerApp.open_browser": "False",
        "ServerApp.allow_root": "True",
        "ServerApp.root_dir": str(server.folder),
        "LabApp.expose_app_in_browser": "True",
        "LabApp.news_url": "",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]


def _write_settings(config: Path) -> None:
    for plugin, values in _SETTINGS.items():
        file = config / "lab" / "user-settings" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), "utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(server: LabServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + _START_S
    # A proxy of the machine has no business with loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            opener.open(f"{server.url}/api/status?token={server.token}", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("JupyterLab did not start:\n" + log.read_text("utf-8", "replace")[-3000:])


def write_notebook(file: Path, cells: list[str]) -> None:
    """Write a notebook of code cells for the Python kernel, without outputs."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, file)


class NotebookPage:
    """One notebook, open in JupyterLab in a browser.

    Attributes
    ----------
    page : playwright.sync_api.Page
        The page itself, for whatever the methods below do not do.
    file : Path
        The notebook on disk.
    console_errors : list of str
        Errors of the page and on its console, less what JupyterLab always writes.
    """

    def __init__(self, page: Page, server: LabServer, file: Path) -> None:
        self.page = page
        self.file = file
        self.console_errors: list[str] = []
        self._server = server
        page.set_default_timeout(_ACT_S * 1000)
        page.on("console", self._on_console)
        page.on("pageerror", self._on_page_error)
        page.on("dialog", lambda dialog: dialog.accept())

    def open(self, theme: Theme = "light") -> None:
        """Open the notebook, hide the side bar, choose the theme, and wait for every cell and the kernel."""
        self.page.goto(self._server.address(self.file.name))
        self._wait_drawn()
        name = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[theme]
        self.command("apputils:change-theme", {"theme": name})
        self.page.wait_for_function(f"document.body.dataset.jpThemeName === {name!r}")
        self.page.evaluate("window.jupyterapp.shell.collapseLeft()")
        self.wait_idle()

    def command(self, name: str, args: Mapping[str, Any] | None = None) -> None:
        """Run a command of JupyterLab and wait for its end."""
        call = "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }"
        self.page.evaluate(call, [name, dict(args or {})])

    def start_cell(self, index: int) -> None:
        """Run one cell and return at once."""
        self.page.evaluate(_RUN, [index, "notebook:run-cell"])

    def run_cell(self, index: int) -> None:
        """Run one cell and wait for its last output."""
        self.start_cell(index)
        self.wait_idle()

    def run_all(self, timeout_s: float = _ACT_S) -> None:
        """Run every cell and wait for the last output."""
        self.page.evaluate(_RUN, [0, "notebook:run-all-cells"])
        self.wait_idle(timeout_s)

    def wait_idle(self, timeout_s: float = _ACT_S) -> None:
        """Wait until no cell runs and the kernel has answered a question asked after them."""
        limit_ms = timeout_s * 1000
        self.page.wait_for_function("!window.testsRunning", timeout=limit_ms)
        for _ in range(_QUESTIONS):
            self.page.evaluate(_ASK_KERNEL)
            self.page.wait_for_function("window.testsIdle !== 'asked'", timeout=limit_ms)
            if self.page.evaluate("window.testsIdle") == "yes":
                return
        raise TimeoutError(f"the kernel's connection dropped {_QUESTIONS} questions")

    def wait_text(self, index: int, text: str, timeout_s: float = _ACT_S) -> None:
        """Wait until the drawn output of a cell holds `text`."""
        output = self.page.locator(".jp-CodeCell").nth(index).locator(".jp-OutputArea")
        output.filter(has_text=text).first.wait_for(timeout=timeout_s * 1000)

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Return a cell's outputs as the notebook's model holds them (nbformat JSON)."""
        outputs: list[dict[str, Any]] = self.page.evaluate(_OUTPUTS, index)
        return outputs

    def output_text(self, index: int) -> str:
        """Return the text a person sees below a cell, without white space around it."""
        area = self.page.locator(".jp-CodeCell").nth(index).locator(".jp-Cell-outputArea")
        return area.inner_text().strip() if area.count() else ""

    def interrupt(self) -> None:
        """Press the stop button."""
        self.command("notebook:interrupt-kernel")

    def reload(self) -> None:
        """Reload the page, as a person would in mid-stream, and wait for every cell; the kernel goes on."""
        self.page.reload()
        self._wait_drawn()

    def save(self) -> None:
        """Save the notebook."""
        self.command("docmanager:save")

    def saved(self) -> nbformat.NotebookNode:
        """Return the notebook as it stands on disk."""
        notebook: nbformat.NotebookNode = nbformat.read(self.file, as_version=4)
        return notebook

    def screenshot(self, name: str) -> Path:
        """Draw what the browser shows into ``shots/NAME.png`` and return the file."""
        SHOTS.mkdir(exist_ok=True)
        file = SHOTS / f"{name}.png"
        self.page.screenshot(path=file)
        return file

    def close(self) -> None:
        """Shut the kernel down and leave the page."""
        try:
            self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        except Error as error:
            self.console_errors.append(f"shutting the kernel down: {error}")
        self.page.context.close()

    def _wait_drawn(self) -> None:
        self.page.wait_for_function(_READY)
        self.page.wait_for_function(_DRAW)

    def _on_console(self, message: ConsoleMessage) -> None:
        text = f"{message.text} {message.location.get('url', '')}".strip()
        if message.type == "error" and not any(pattern.search(text) for pattern in _HARMLESS):
            self.console_errors.append(text)

    def _on_page_error(self, error: Error) -> None:
        self.console_errors.append(str(error))


def lab_environment(root: Path, folder: Path) -> dict[str, str]:
    """Return the environment of a server whose kernels import cometnb and answer from the simulator."""
    settings = {"COMETNB_BACKEND": "simulator", "COMETNB_LEDGER": str(folder.parent / "lab-ledger.sqlite")}
    return os.environ | {"PYTHONPATH": str(root)} | settings
