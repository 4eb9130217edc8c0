"""The live view's messages in a real kernel: what travels while it streams, and that it is linear in the text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from cometnb.client.simulator.tokens import split_tokens
from tests.kernel.kernel_session import CellRun, KernelSession, running_kernel
from tests.needs import ROOT

_COMMS = ("comm_open", "comm_msg", "comm_close")
_DRAWN = ("display_data", "update_display_data", "clear_output", "execute_result", *_COMMS)
_PARAGRAPH = "Words and **more** words of an answer, with `code` in it.\n\n"


class _Traffic(NamedTuple):
    """What one answer sent: messages, bytes of all of them, and of those that open the widget."""

    n_messages: int
    n_bytes: int
    opening_bytes: int


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory, _home: object) -> Iterator[KernelSession]:
    """A kernel as Jupyter Server starts it: told the name of its session, so that it shows the live view."""
    folder = tmp_path_factory.mktemp("jupyter")
    env = {
        "PYTHONPATH": str(ROOT),
        "COMETNB_LEDGER": str(folder / "ledger.sqlite"),
        "JPY_SESSION_NAME": str(folder / "notebook.ipynb"),
    }
    with running_kernel(folder, os.environ | env) as session:
        run = session.run(
            "%load_ext cometnb\n%comet simulator\nfrom cometnb.defaults import shared\nsimulator = shared.simulator"
        )
        assert run.errors == []
        _answer(session, 10, None)  # loads the widget's code, which is no part of what is counted
        yield session


def _answer(kernel: KernelSession, n_deltas: int, tokens_per_s: float | None) -> CellRun:
    """Stream an answer of `n_deltas` deltas and return its messages."""
    tokens = split_tokens(_PARAGRAPH * (n_deltas // 10 + 1))
    text = "".join(tokens[:n_deltas])
    kernel.run(f"simulator.text, simulator.tokens_per_s = {text!r}, {tokens_per_s}")
    return kernel.run("%%respond -e none\nHello", metadata={"cellId": "live"})


def _traffic(run: CellRun) -> _Traffic:
    drawn = run.of(*_DRAWN)
    opening = run.of("comm_open")
    n_bytes = sum(message.size_bytes for message in drawn)
    return _Traffic(len(drawn), n_bytes, sum(message.size_bytes for message in opening))


def test_the_live_view_gives_way_to_one_display(jupyter: KernelSession) -> None:
    """A widget opens and is told what is new; one plain display takes its place, and copies of the view hear the end."""
    run = _answer(jupyter, 500, 400)
    assert run.errors == []
    kinds = [message.type for message in run.of(*_DRAWN)]
    assert {"comm_open", "comm_msg"} <= set(kinds)
    assert kinds[-3:] == ["clear_output", "display_data", "comm_msg"]
    assert set(run.displays[-1].content["data"]) == {"text/markdown", "text/plain"}
    assert "update_display_data" not in kinds


def test_messages_follow_the_clock(jupyter: KernelSession) -> None:
    """500 deltas in 1.25 s: about ten messages a second beside those that open and end the view."""
    traffic = _traffic(_answer(jupyter, 500, 400))
    print(f"500 deltas at 400/s: {traffic}")  # noqa: T201  # shown with -s
    assert traffic.n_messages < 60


def test_traffic_is_linear_in_the_text(jupyter: KernelSession) -> None:
    """As fast as possible, five times the deltas are about five times the bytes."""
    small, large = (_traffic(_answer(jupyter, n_deltas, None)) for n_deltas in (2_000, 10_000))
    print(f"as fast as possible, 2,000 deltas: {small}; 10,000: {large}")  # noqa: T201  # shown with -s
    assert large.n_bytes - large.opening_bytes < 6.5 * (small.n_bytes - small.opening_bytes)
    assert large.n_messages < 200


def test_two_thousand_deltas_stay_within_the_bound(jupyter: KernelSession) -> None:
    """At 200 a second: at most 200 messages and 0.18 MB, the widget's own code included."""
    traffic = _traffic(_answer(jupyter, 2_000, 200))
    print(f"2,000 deltas at 200/s: {traffic}")  # noqa: T201  # shown with -s
    assert traffic.n_messages <= 200
    assert traffic.n_bytes <= 180_000


def test_the_state_is_not_sent_by_itself(jupyter: KernelSession) -> None:
    """What was shown so far stays in the kernel until a page asks for it: no update of the widget's state."""
    run = _answer(jupyter, 500, 400)
    methods = {message.content["data"].get("method") for message in run.of("comm_msg")}
    assert methods == {"custom"}
