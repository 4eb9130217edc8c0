"""`respond_frame` in a real kernel: what stays in the notebook of its bar."""

from __future__ import annotations

from tests.kernel.kernel_session import KernelSession

_ASK = """
import os; os.environ["COMETNB_BACKEND"] = "simulator"
import cometnb, pandas as pd
frame = cometnb.respond_frame(pd.DataFrame({"t": ["a", None, "b"]}), "Say {{t}}", reasoning={"effort": "none"})
"""
_LEFT = "from ipywidgets.widgets.widget import _instances; print(len(_instances))"


def test_of_the_bar_its_last_line_stays(kernel: KernelSession) -> None:
    """A saved notebook shows what came of it, and holds no widget; nor does the kernel."""
    run = kernel.run(_ASK)
    (bar,) = run.displays
    assert "application/vnd.jupyter.widget-view+json" in bar.content["data"]
    last = run.updates[-1].content
    assert last["transient"] == bar.content["transient"]
    assert set(last["data"]) == {"text/plain"}
    assert "100%" in last["data"]["text/plain"]
    assert "3/3" in last["data"]["text/plain"]
    assert "1 failed" in last["data"]["text/plain"]
    (left,) = kernel.run(_LEFT).of("stream")
    assert left.content["text"].strip() == "0"
