"""The README's pictures of a streamed answer, taken from a real JupyterLab: ``python -m tests.browser.pictures``."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.lab import (
    BROWSER_FLAGS,
    NotebookPage,
    lab_environment,
    running_lab,
    write_notebook,
)
from tests.browser.watch import LIVE
from tests.needs import ROOT, chromium

__all__: list[str] = []

_IMAGES = ROOT / "docs" / "images"
_CELLS = [
    "%load_ext cometnb\n%comet simulator --tokens-per-s 60\nn = 12",
    "%%respond --effort low --tag readme\nExplain the mean of a sample for n = {{n}} in a few lines, with a formula.",
    "%comet usage",
]
_VIEWPORT = {"width": 1120, "height": 1010}
_FRAME_MS, _LAST_FRAME_MS = 120, 2500
_MOST_FRAMES = 60


def _main() -> int:
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "notebooks")
        folder.mkdir()
        # Neither a key nor a ledger of whoever takes the pictures is in them.
        jupyter = {
            f"JUPYTER_{kind}_DIR": str(Path(home, kind.lower())) for kind in ("CONFIG", "DATA", "RUNTIME")
        }
        own = {"HOME": home, "IPYTHONDIR": home, "COMETNB_LEDGER": str(Path(home, "ledger.sqlite"))}
        os.environ |= {**jupyter, **own, "COMETNB_BACKEND": "simulator"}
        with running_lab(folder, lab_environment(ROOT, folder)) as lab, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(BROWSER_FLAGS))
            file = folder / "readme.ipynb"
            write_notebook(file, _CELLS)
            context = browser.new_context(viewport=_VIEWPORT, color_scheme="light")  # type: ignore[arg-type]
            page = NotebookPage(context.new_page(), lab, file)
            page.open("light")
            page.run_cell(0)
            frames = _streamed(page)
            page.run_cell(2)
            _shot(page).quantize(128).save(_IMAGES / "respond.png", optimize=True)
            page.close()
            browser.close()
    small = [frame.quantize(64, dither=Image.Dither.NONE) for frame in frames]
    durations = [3 * _FRAME_MS] * (len(small) - 1) + [_LAST_FRAME_MS]
    small[0].save(
        _IMAGES / "respond.gif",
        save_all=True,
        append_images=small[1:],
        duration=durations,
        loop=0,
        optimize=True,
    )
    return 0


def _streamed(page: NotebookPage) -> list[Image.Image]:
    """Run the prompt, and return what the notebook looked like while its answer came, and at the end."""
    page.start_cell(1)
    live = page.page.locator(LIVE)
    live.first.wait_for()
    frames: list[Image.Image] = []
    while len(frames) < _MOST_FRAMES and live.count():
        frames.append(_shot(page))
        page.page.wait_for_timeout(_FRAME_MS)
    page.wait_idle()
    return [*frames, _shot(page)]


def _shot(page: NotebookPage) -> Image.Image:
    """Return a picture of the open notebook alone."""
    raw = page.page.locator(".jp-NotebookPanel-notebook").first.screenshot()
    return Image.open(io.BytesIO(raw)).convert("RGB")


if __name__ == "__main__":
    sys.exit(_main())
