"""``%%respond`` in a real kernel: the messages it sends, and what an interrupt leaves."""

from __future__ import annotations

import json

from tests.kernel.kernel_session import KernelSession

_START = """%load_ext cometnb
%comet simulator
from cometnb.defaults import shared
simulator = shared.simulator
"""
_DRAWN = ("display_data", "update_display_data", "clear_output", "execute_result")


def _ready(kernel: KernelSession, text: str | None = None, tokens_per_s: float | None = 200) -> None:
    run = kernel.run(
        f"{_START}\nsimulator.text, simulator.tokens_per_s, simulator.first_token_s = {text!r}, {tokens_per_s}, 0.0"
    )
    assert run.errors == []


def test_an_answer_streams_into_its_cell(kernel: KernelSession) -> None:
    """Displays and updates while it comes, then one display in place of all; the Response is not shown again."""
    _ready(kernel)
    run = kernel.run("%%respond -e none\nHello", metadata={"cellId": "one"})
    kinds = [message.type for message in run.of(*_DRAWN)]
    assert kinds[0] == "display_data"
    assert "update_display_data" in kinds
    assert kinds[-2:] == ["clear_output", "display_data"]
    assert run.of("clear_output")[0].content == {"wait": True}
    assert run.result is None
    final = run.displays[-1].content
    assert set(final["data"]) == {"text/markdown", "text/plain"}
    assert final["metadata"]["cometnb"]["status"] == "completed"
    assert kernel.value("_.status") == "completed"
    assert kernel.value("Out[max(Out)] is _") == "True"


def test_the_row_knows_its_cell(kernel: KernelSession) -> None:
    """The front end's cell id and the tag are in the usage frame."""
    _ready(kernel)
    kernel.run("%%respond -e none --tag mine\nHello", metadata={"cellId": "cell-7"})
    row = json.loads(
        kernel.value(
            "__import__('cometnb').usage().iloc[-1][['cell_id', 'tag', 'status', 'backend']].to_json()"
        )
    )
    assert row == {"cell_id": "cell-7", "tag": "mine", "status": "completed", "backend": "simulator"}


def test_traffic_is_linear_in_the_text(kernel: KernelSession) -> None:
    """Two answers, one four times the other: what is drawn grows with the text, not with its square."""
    paragraph = "Words and **more** words of an answer, with `code` in it.\n\n"
    sizes = []
    for repeat in (100, 400):
        _ready(kernel, paragraph * repeat, tokens_per_s=4000)
        sizes.append(kernel.run("%%respond -e none\nHello").display_bytes)
    assert sizes[1] < 5 * sizes[0]
    # The text travels once in blocks, at most a few times as the tail, and twice in the final display.
    assert sizes[1] < 8 * len(paragraph) * 400


def test_updates_are_few_however_many_deltas(kernel: KernelSession) -> None:
    """At 1,000 deltas a second the messages follow the clock: about ten a second, not one a delta."""
    _ready(kernel, "word " * 3000, tokens_per_s=1000)
    run = kernel.run("%%respond -e none\nHello")
    assert kernel.value("_.usage.output_tokens > 2000") == "True"
    assert len(run.of(*_DRAWN)) < 200


def test_without_a_live_front_end_there_is_one_display(kernel: KernelSession) -> None:
    """nbclient, nbval and papermill ask for no input: they get one display, without times, and nothing else."""
    _ready(kernel, tokens_per_s=None)
    runs = [kernel.run("%%respond -e none\nHello", allow_stdin=False) for _ in range(2)]
    drawn = [[(message.type, message.content["data"]) for message in run.of(*_DRAWN)] for run in runs]
    assert [kind for kind, _ in drawn[0]] == ["display_data"]
    assert drawn[0] == drawn[1]


def test_live_can_be_turned_off(kernel: KernelSession) -> None:
    """``%config CometMagics.live = 'off'`` gives one display to a live front end, too."""
    _ready(kernel)
    kernel.run("%config CometMagics.live = 'off'")
    run = kernel.run("%%respond -e none\nHello")
    kernel.run("%config CometMagics.live = None")
    assert [message.type for message in run.of(*_DRAWN)] == ["display_data"]


def test_an_interrupt_keeps_and_marks_the_text(kernel: KernelSession) -> None:
    """The cell ends in an error of one line; text, binding and row are there."""
    _ready(kernel, "word " * 5000, tokens_per_s=100)
    run = kernel.start("%%respond -e none --out cut\nHello")
    kernel.wait_for(run, "update_display_data", count=3)
    kernel.interrupt()
    kernel.wait(run)
    (error,) = run.errors
    assert error.content["ename"] == "KeyboardInterrupt"
    assert len(error.content["traceback"]) == 1
    assert "Interrupted" in run.displays[-1].content["data"]["text/markdown"]
    assert run.displays[-1].content["data"]["text/markdown"].startswith("word word")
    assert kernel.value("cut.status") == kernel.value("_.status") == "interrupted"
    assert kernel.value("__import__('cometnb').usage().iloc[-1].status") == "interrupted"


def test_a_failing_cell_stops_a_run_of_all_cells(kernel: KernelSession) -> None:
    """The reply is an error, so the front end does not run the cells that follow."""
    _ready(kernel)
    run = kernel.run("%%respond --temperature 3\nHello")
    assert run.reply is not None
    assert run.reply["status"] == "error"
    assert run.errors[0].content["traceback"] == [
        "ParamError: temperature=3 is above its maximum 2.",
        "Give temperature a number from 0 to 2.",
    ]


def test_a_key_pasted_into_a_line_is_masked(kernel: KernelSession) -> None:
    """An error that quotes the line does not quote the key in it."""
    _ready(kernel)
    run = kernel.run("%%respond sk-canary1234567\nHello")
    assert "canary" not in json.dumps(run.errors[0].content)


def test_loading_the_extension_loads_nothing_heavy(kernel: KernelSession) -> None:
    """No pandas, matplotlib, SQLAlchemy, pydantic, genai-prices, httpx or widgets before the first call."""
    code = """import subprocess, sys
check = '''
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.run_line_magic("load_ext", "cometnb")
heavy = ("pandas", "matplotlib", "sqlalchemy", "pydantic", "genai_prices", "httpx", "ipywidgets", "markdown_it")
print([name for name in heavy if name in set(sys.modules) - before])
'''
print(subprocess.run([sys.executable, "-c", check], capture_output=True, text=True).stdout.strip(), end="")"""
    assert kernel.run(code).stream_text == "[]"
