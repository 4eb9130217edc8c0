"""The browser harness itself: a notebook is drawn, read, interrupted and saved."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Theme

_CELLS = [
    "print('printed')",
    "from IPython.display import Markdown, display\ndisplay(Markdown('**bold** and `code`, $x^2$\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |'))",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.figure(figsize=(4, 2)).gca().plot([1, 3, 2]);",
]


@pytest.mark.parametrize("theme", get_args(Theme))
def test_a_notebook_is_drawn(notebook: OpenNotebook, theme: Theme) -> None:
    """Text, Markdown and a figure appear, and the browser has nothing to complain about."""
    page = notebook(_CELLS, theme=theme)
    page.run_all()
    page.screenshot(f"harness-{theme}")
    assert page.output_text(0) == "printed"
    assert "bold and code" in page.output_text(1)
    assert "image/png" in page.outputs(2)[-1]["data"]
    assert page.console_errors == []


def test_a_running_cell_is_interrupted_and_saved(notebook: OpenNotebook) -> None:
    """What it printed before stays, in the page and in the file."""
    page = notebook(["import time\nprint('started', flush=True)\ntime.sleep(60)"])
    page.start_cell(0)
    page.wait_text(0, "started")
    page.interrupt()
    page.wait_idle()
    page.save()
    outputs = page.saved().cells[0].outputs
    assert [output.output_type for output in outputs] == ["stream", "error"]
    assert outputs[0].text == "started\n"
    assert outputs[1].ename == "KeyboardInterrupt"
