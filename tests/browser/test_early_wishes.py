"""Buttons pressed before JupyterLab has given the page's comms a thread in the kernel, or where it never does."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import NotebookPage
from tests.browser.watch import LIVE, LONG, ask, simulated, value

_STATUS = "__import__('cometnb').usage().iloc[-1].status"
_ASK = "%%respond -e none\nHello"
_SWEEP = "%%respond --sweep model=gpt-5.4,gpt-5.4-mini max_concurrency=1\nHello"
_FUNCTION = """
ran = []

def population(city: str) -> int:
    "People living in a city."
    ran.append(city)
    return 2_873_000
"""
_CONFIRM = "%%respond -e none --tools population --confirm\nWhat is the population of Rome?"
_SWEEP_LIVE = ".cometnb-multiples-live"


class _LateThread:
    """Keeps back what the kernel answers when the page asks for a thread of its own.

    Attributes
    ----------
    n_wishes : int
        Messages of buttons that the page has sent.
    """

    def __init__(self, page: NotebookPage) -> None:
        self.n_wishes = 0
        self._kept: list[Callable[[], None]] = []
        page.page.route_web_socket(re.compile("/channels"), self._pass)
        page.reload()

    def come(self) -> None:
        """Let the answer through."""
        assert self._kept
        for send in self._kept:
            send()

    def _pass(self, route: WebSocketRoute) -> None:
        kernel = route.connect_to_server()

        def to_page(message: str | bytes) -> None:
            if b"create_subshell_reply" in _raw(message):
                self._kept.append(lambda: route.send(message))
            else:
                route.send(message)

        def to_kernel(message: str | bytes) -> None:
            self.n_wishes += bool(re.search(rb'"op": ?"(stop|permit)"', _raw(message)))
            kernel.send(message)

        kernel.on_message(to_page)
        route.on_message(to_kernel)


def _raw(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else message


def test_stop_is_heard_though_it_was_pressed_early(notebook: OpenNotebook) -> None:
    """What waits behind the cell is sent again, and the thread hears it."""
    page = notebook([simulated(LONG, tokens_per_s=40), _ASK, _STATUS])
    thread = _LateThread(page)
    ask(page)
    page.wait_text(1, "an answer. Some words")
    page.page.locator(f"{LIVE} button").click()
    thread.come()
    page.wait_idle(timeout_s=20)
    assert value(page, 2) == "'interrupted'"
    assert page.console_errors == []


def test_a_sweep_s_stop_is_heard_though_it_was_pressed_early(notebook: OpenNotebook) -> None:
    """As that of one answer."""
    page = notebook([simulated(LONG, tokens_per_s=40), _SWEEP, _STATUS])
    thread = _LateThread(page)
    page.run_cell(0)
    page.start_cell(1)
    expect(page.page.locator(f"{_SWEEP_LIVE} td[data-state=running]")).to_have_count(1, timeout=30_000)
    page.page.locator(f"{_SWEEP_LIVE} button").click()
    thread.come()
    page.wait_idle(timeout_s=20)
    assert value(page, 2) == "'interrupted'"
    assert page.console_errors == []


def test_a_permission_is_heard_though_it_was_given_early(notebook: OpenNotebook) -> None:
    """Otherwise the cell would wait for a button that can be pressed no more."""
    page = notebook([simulated() + _FUNCTION, _CONFIRM, "ran"])
    thread = _LateThread(page)
    ask(page)
    page.page.locator(f"{LIVE} .cometnb-question button", has_text="Run").click()
    thread.come()
    page.wait_idle(timeout_s=20)
    assert value(page, 2) == "['Rome']"
    assert page.console_errors == []


def test_where_nobody_hears_it_the_reader_is_told_how_to_stop(notebook: OpenNotebook) -> None:
    """The button gives way to words, and what has waited behind the cell disturbs nothing."""
    page = notebook(
        [simulated(LONG, tokens_per_s=40), _ASK, _STATUS, "shared.simulator.text = None", _ASK, _STATUS]
    )
    thread = _LateThread(page)
    ask(page)
    page.page.locator(f"{LIVE} button").click()
    expect(page.page.locator(".cometnb-status span")).to_contain_text(
        "interrupt the kernel to stop", timeout=20_000
    )
    expect(page.page.locator(f"{LIVE} button")).to_have_count(1)
    expect(page.page.locator(f"{LIVE} button")).to_be_hidden()
    page.screenshot("live-unheard")
    assert thread.n_wishes > 1
    page.interrupt()
    page.wait_idle(timeout_s=20)
    assert value(page, 2) == "'interrupted'"
    page.run_cell(3)
    page.run_cell(4)
    assert value(page, 5) == "'completed'"
    assert page.console_errors == []


def test_where_no_permission_is_heard_the_reader_is_told_so(notebook: OpenNotebook) -> None:
    """JupyterLab can be set to give comms no thread: then an interrupt ends the wait, and nothing has run."""
    page = notebook([simulated() + _FUNCTION, _CONFIRM, "ran"])
    page.page.evaluate("window.jupyterapp.serviceManager.kernels.commsOverSubshells = 'disabled'")
    ask(page)
    question = page.page.locator(f"{LIVE} .cometnb-question")
    question.get_by_role("button", name="Run").click()
    expect(question).to_contain_text("interrupt the kernel to stop", timeout=20_000)
    page.interrupt()
    page.wait_idle(timeout_s=20)
    assert value(page, 2) == "[]"
    assert page.console_errors == []
