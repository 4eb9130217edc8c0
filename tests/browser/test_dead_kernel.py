"""A kernel that dies, of want of memory as a rule: JupyterLab starts another, and says so."""

from __future__ import annotations

import os
import signal

from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.watch import LIVE, LONG, simulated, value


def test_what_is_shown_of_a_dead_kernel_says_so(notebook: OpenNotebook) -> None:
    """The words stay, nothing counts on, and no button is left that nobody would hear."""
    page = notebook(
        [
            simulated(LONG, tokens_per_s=40),
            "import cometnb; cometnb.panel()",
            "%comet usage --live",
            "__import__('os').getpid()",
            "%%respond -e none\nHello",
        ]
    )
    for index in range(3):
        page.run_cell(index)
    kernel = int(value(page, 3))
    page.start_cell(4)
    view = page.page.locator(".jp-CodeCell").nth(4).locator(LIVE)
    expect(view).to_contain_text("an answer. Some words", timeout=30_000)
    os.kill(kernel, signal.SIGKILL)
    expect(view).to_contain_text("The kernel has ended.", timeout=30_000)
    expect(view).to_contain_text("an answer. Some words")
    expect(view.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.page.locator(".cometnb-deck")).to_contain_text("has ended; run its cell again")
    expect(page.page.locator(".cometnb-spending.cometnb-ended")).to_be_visible()
    page.screenshot("dead-kernel")
    page.page.get_by_role("button", name="Ok").click()
    page.wait_idle()
    page.run_cell(0)
    assert page.console_errors == []
