"""Every way a call can end, in a real kernel: one row per attempt, which says how it ended and where its usage is from."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.kernel.kernel_session import CellRun, KernelSession, running_kernel
from tests.magics.gateway import running_gateway
from tests.needs import ROOT
from tests.protocol.streams import opening, terminal, text_delta, wire

_START = """%load_ext cometnb
%comet simulator
import json, cometnb
from cometnb.defaults import shared
simulator = shared.simulator
simulator.text, simulator.tokens_per_s, simulator.first_token_s = "word " * 200, None, 0.0
def rows(tag):
    frame = cometnb.usage(tag=tag)
    wanted = frame[["status", "error_code", "usage_source", "n_retries"]].astype(object)
    wanted["is_priced"] = frame["cost_usd"].notna()
    print(json.dumps(wanted.where(wanted.notna(), None).to_numpy().tolist()))
"""


class Row(NamedTuple):
    """What is asserted of an attempt."""

    status: str
    error_code: str | None
    usage_source: str
    n_retries: int = 0
    is_priced: bool = True


_BUSY = Row("error", "rate_limit_exceeded", "none", is_priced=False)
_OVERLOADED = Row("error", "service_unavailable", "none", is_priced=False)
_COMPLETED = Row("completed", None, "reported")

# Name: fault of the simulator, options of the cell, one row for each attempt.
_SIMULATED: dict[str, tuple[str | None, str, list[Row]]] = {
    "completed": (None, "", [_COMPLETED]),
    "completed at once": (None, "--no-stream", [_COMPLETED]),
    "incomplete": (None, "-n 20", [Row("incomplete", None, "reported")]),
    "failed": ("failed", "", [Row("failed", "server_error", "none", is_priced=False)]),
    "error event": ("error_event", "", [Row("failed", "server_error", "none", is_priced=False)]),
    "truncated": ("eof", "", [Row("truncated", "truncated", "estimated")]),
    "broken": ("cut", "", [Row("truncated", "broken", "estimated")]),
    "invalid": ("400", "", [Row("error", "invalid_request", "none", is_priced=False)]),
    "wrong key": ("401", "", [Row("error", "invalid_api_key", "none", is_priced=False)]),
    "no such model": ("404", "", [Row("error", "model_not_found", "none", is_priced=False)]),
    "a web page": ("html", "", [Row("error", "http_200", "none", is_priced=False)]),
    "invalid, said with 500": (
        "500:invalid_request",
        "",
        [Row("error", "invalid_request", "none", is_priced=False)],
    ),
    "retried, then completed": (
        "429:retry_after=0:times=1",
        "",
        [_BUSY, _COMPLETED._replace(n_retries=1)],
    ),
    "retried, then incomplete": (
        "503:retry_after=0:times=2",
        "-n 20",
        [_OVERLOADED, _OVERLOADED._replace(n_retries=1), Row("incomplete", None, "reported", 2)],
    ),
    "retried to the end": (
        "429:retry_after=0",
        "",
        [_BUSY, _BUSY._replace(n_retries=1), _BUSY._replace(n_retries=2)],
    ),
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory, _home: object) -> Iterator[KernelSession]:
    """A kernel on the simulator, which answers at once, with a made-up key for calls to a gateway."""
    folder = tmp_path_factory.mktemp("kernel")
    settings = {
        "PYTHONPATH": str(ROOT),
        "COMETNB_LEDGER": str(folder / "ledger.sqlite"),
        "COMETAPI_KEY": "made-up-key",
    }
    with running_kernel(folder, os.environ | settings) as session:
        assert session.run(_START).errors == []
        yield session


def _rows(kernel: KernelSession, tag: str) -> list[Row]:
    run = kernel.run(f"rows({tag!r})", store_history=False)
    assert run.errors == []
    return [Row(*row) for row in json.loads(run.stream_text)]


def _error(run: CellRun) -> str | None:
    return run.errors[0].content["ename"] if run.errors else None


@pytest.mark.parametrize("name", _SIMULATED)
def test_an_end_in_a_cell_is_one_row_per_attempt(kernel: KernelSession, name: str) -> None:
    """What the cell bound says the same as its last row; a cell that got no answer stops a run of all cells."""
    fault, options, expected = _SIMULATED[name]
    tag = name.replace(" ", "-").replace(",", "")
    kernel.run(f"simulator.fault = {fault!r}")
    run = kernel.run(f"%%respond -e none --tag {tag} {options}\nHello")
    assert _rows(kernel, tag) == expected
    assert (_error(run) is None) == (expected[-1].status in ("completed", "incomplete"))
    if expected[-1].usage_source != "none":
        assert kernel.value("_.status") == expected[-1].status


def test_an_interrupted_cell_is_a_row_with_an_estimate(kernel: KernelSession) -> None:
    """The text so far is priced, though the service had no time to say what it cost."""
    kernel.run("simulator.fault, simulator.tokens_per_s = None, 100")
    run = kernel.start("%%respond -e none --tag stop\nHello")
    kernel.wait_for(run, "update_display_data", count=2)
    kernel.interrupt()
    kernel.wait(run)
    kernel.run("simulator.tokens_per_s = None")
    assert _error(run) == "KeyboardInterrupt"
    assert _rows(kernel, "stop") == [Row("interrupted", None, "estimated")]


def test_an_interrupt_in_a_wait_before_a_retry_adds_no_row(kernel: KernelSession) -> None:
    """The attempt that failed is the only one there was."""
    kernel.run("simulator.fault = '503:retry_after=30'")
    run = kernel.start("%%respond -e none --tag waiting\nHello")
    for _ in range(100):
        if any("trying again" in str(message.content) for message in run.messages):
            break
        kernel.settle(quiet_s=0.1)
    kernel.interrupt()
    kernel.wait(run)
    kernel.run("simulator.fault = None")
    assert _error(run) == "KeyboardInterrupt"
    assert _rows(kernel, "waiting") == [_OVERLOADED]


@pytest.mark.parametrize(
    ("limit", "simulated", "code"),
    [
        ("idle_timeout_s=0.3", "fault='stall'", "idle_timeout"),
        ("timeout_s=0.5", "tokens_per_s=100, first_token_s=0", "total_timeout"),
    ],
)
def test_a_time_limit_is_a_row_with_an_estimate(
    kernel: KernelSession, limit: str, simulated: str, code: str
) -> None:
    """A part of the text had come, and is priced."""
    run = kernel.run(
        f"slow = cometnb.Simulator(text='word ' * 5000, {simulated})\n"
        f"session = cometnb.Session(transport=slow, {limit}, observers=[shared.ledger])\n"
        f"session.start('Hello', reasoning={{'effort': 'none'}}, labels={{'tag': {code!r}}}).wait()"
    )
    kernel.run("session.close()")
    assert _error(run) == "ResponseTimeoutError"
    assert _rows(kernel, code) == [Row("truncated", code, "estimated")]


@pytest.mark.parametrize(
    "expected",
    [Row("cancelled", None, "estimated"), Row("completed", None, "none", is_priced=False)],
    ids=lambda row: row.status,
)
def test_what_a_gateway_ends_without_usage_is_told(kernel: KernelSession, expected: Row) -> None:
    """A call that was cancelled elsewhere is estimated; a whole answer without usage is "not reported"."""
    events = [opening(), text_delta("Hello "), text_delta("there"), terminal(expected.status, usage=None)]
    tag = f"gateway-{expected.status}"
    with running_gateway(wire(events)) as base_url:
        kernel.run(f"shared.configure(backend='api', base_url={base_url!r})")
        kernel.run(f"%%respond -m gpt-5.4 --tag {tag}\nHello")
        kernel.run("shared.configure(backend='simulator', base_url=None)")
    assert kernel.value("_.status") == expected.status
    assert _rows(kernel, tag) == [expected]


def test_no_connection_is_a_row_for_each_attempt(kernel: KernelSession) -> None:
    """Nothing was sent, so each of them cost nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    kernel.run(f"shared.configure(backend='api', base_url='http://127.0.0.1:{port}/v1')")
    run = kernel.run("%%respond --tag nobody\nHello")
    kernel.run("shared.configure(backend='simulator', base_url=None)")
    assert _error(run) == "ConnectionFailedError"
    assert _rows(kernel, "nobody") == [Row("error", "connect", "none", number) for number in range(3)]
    assert kernel.value("cometnb.usage(tag='nobody').cost_usd.sum()") == "0.0"


def test_a_call_above_the_budget_is_a_row_that_cost_nothing(kernel: KernelSession) -> None:
    """It was never sent."""
    kernel.run("from cometnb.ledger.budget import Budget\nshared.set_budget(Budget(0.000_001))")
    run = kernel.run("%%respond --tag refused\nHello")
    kernel.run("shared.set_budget(None)")
    assert _error(run) == "BudgetExceededError"
    (row,) = _rows(kernel, "refused")
    assert (row.status, row.usage_source, row.n_retries) == ("refused_by_budget", "none", 0)
    assert kernel.value("cometnb.usage(tag='refused').cost_usd.tolist()") == "[0.0]"


def test_a_stream_that_the_budget_stops_is_a_row_with_an_estimate(kernel: KernelSession) -> None:
    """Other calls have used up the money while it ran; what came so far is kept and priced."""
    kernel.run("budget = Budget(1.0)\nshared.set_budget(budget)")
    run = kernel.run(
        "with shared.session.client.stream('Hello', reasoning={'effort': 'none'}, labels={'tag': 'over'}) as stream:\n"
        "    for number, event in enumerate(stream):\n"
        "        if number == 20:\n"
        "            budget.count_before(2.0, 'simulator')"
    )
    kernel.run("shared.set_budget(None)")
    assert _error(run) == "BudgetExceededError"
    assert _rows(kernel, "over") == [Row("interrupted", "budget", "estimated")]
    assert kernel.value("stream.response.output_text.startswith('word word')") == "True"
