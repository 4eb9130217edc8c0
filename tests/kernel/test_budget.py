"""A budget in a real kernel: set, spent, refused, stopped, and everything else goes on."""

from __future__ import annotations

import json

import pytest

from tests.kernel.kernel_session import KernelSession

_ROW = (
    "__import__('cometnb').usage().iloc[-1][['status', 'error_code', 'usage_source', 'cost_usd', 'output_tokens']]"
    ".to_json()"
)


@pytest.fixture(scope="module")
def ready(kernel: KernelSession) -> KernelSession:
    """A kernel with the extension on a simulator that does not dawdle."""
    run = kernel.run(
        "%load_ext cometnb\n%comet simulator --tokens-per-s 0\nfrom cometnb.defaults import shared\n"
        "shared.simulator.first_token_s = 0.0\nshared.simulator.text = 'word ' * 400"
    )
    assert run.errors == []
    return kernel


def test_a_budget_from_its_setting_to_its_end(ready: KernelSession) -> None:
    """Set, spend, be refused in two lines with nothing sent; other cells go on, and a smaller call still fits."""
    assert "simulated $0.01 for this kernel" in ready.run("%comet budget 0.01").stream_text
    assert ready.run("%%respond -e none -n 600\nHello").errors == []
    assert "$0.00000 since" not in ready.run("%comet budget").stream_text
    n_requests = ready.value("len(shared.simulator.requests)")

    refused = ready.run("%%respond -e none -n 4000\nHello")
    trace = refused.errors[0].content["traceback"]
    assert len(trace) == 2
    assert trace[0].startswith("BudgetExceededError: Not sent: it could cost $0.0")
    assert "max_output_tokens=4000" in trace[0]
    assert trace[1].startswith("--max-output-tokens ")
    assert ready.value("len(shared.simulator.requests)") == n_requests
    row = json.loads(ready.value(_ROW))
    assert (row["status"], row["error_code"], row["cost_usd"]) == ("refused_by_budget", "budget", 0.0)

    assert ready.value("1 + 1") == "2"
    fitting = int(trace[1].split()[1])
    assert ready.run(f"%%respond -e none -n {fitting}\nHello").errors == []
    assert json.loads(ready.value(_ROW))["status"] in ("completed", "incomplete")


def test_the_line_of_a_refusal_raises_the_budget(ready: KernelSession) -> None:
    """It is copied as it stands, and the same cell is sent."""
    ready.run("%comet budget 0.02")
    cell = "%%respond -e none -n 9000\nHello"
    step = ready.run(cell).errors[0].content["traceback"][1]
    ready.run(step[step.index("%comet budget") :])
    assert ready.run(cell).errors == []


def test_a_cell_without_a_limit_is_capped_and_says_so(ready: KernelSession) -> None:
    """The note stands in the answer's display."""
    ready.run("%comet budget off\nshared.tally.clear()\n%comet budget 0.03")
    run = ready.run("%%respond -e none\nHello")
    assert run.errors == []
    cap = ready.value("shared.simulator.requests[-1]['max_output_tokens']")
    assert f"max_output_tokens={cap} was added" in run.displays[-1].content["data"]["text/plain"]


def test_an_interrupted_cell_gives_its_reservation_back(ready: KernelSession) -> None:
    """Its text was all there was to it: the estimate of it counts."""
    ready.run(
        "%comet budget off\nshared.tally.clear()\n%comet budget 0.50\n"
        "shared.simulator.tokens_per_s = 50\nshared.simulator.text = 'word ' * 4000"
    )
    run = ready.start("%%respond -e none -n 8000\nHello")
    ready.wait_for(run, "update_display_data", count=3)
    ready.interrupt()
    ready.wait(run)
    row = json.loads(ready.value(_ROW))
    assert (row["status"], row["usage_source"]) == ("interrupted", "estimated")
    assert ready.value("shared.budget.standing('simulator').n_running") == "0"
    spent_usd = float(ready.value("shared.budget.standing('simulator').spent_usd"))
    assert spent_usd == pytest.approx(row["cost_usd"], rel=0.2)
    assert 0 < spent_usd < 0.05


def test_a_stream_is_stopped_when_the_money_is_gone(ready: KernelSession) -> None:
    """Others have spent it meanwhile: the text stays, and the error comes after it."""
    ready.run(
        "%comet budget off\nshared.tally.clear()\n%comet budget 0.50\n"
        "shared.simulator.tokens_per_s = 2000\nshared.simulator.text = 'word ' * 20000"
    )
    assert ready.run(_OTHERS).errors == []
    run = ready.run("%%respond -e none -n 30000\nHello")
    trace = run.errors[0].content["traceback"]
    assert len(trace) == 2
    assert trace[0].startswith("BudgetExceededError: Stopped after about")
    assert "is used up" in trace[0]
    assert run.displays[-1].content["data"]["text/plain"].startswith("word word")
    assert ready.value("_.status") == "interrupted"
    assert ready.value("10 < len(_.output_text.split()) < 20000") == "True"
    row = json.loads(ready.value(_ROW))
    assert (row["status"], row["error_code"], row["usage_source"]) == ("interrupted", "budget", "estimated")


# As another kernel would, while a stream of this one runs.
_OTHERS = """
import threading, time
def spend():
    while not shared.budget.standing("simulator").n_running:
        time.sleep(0.01)
    time.sleep(0.5)
    shared.budget.count_before(0.499, "simulator")
threading.Thread(target=spend, daemon=True).start()
"""
