"""What a kernel asks its front end for: a key without echo, a new cell; and what an error shows there."""

from __future__ import annotations

import json

import pytest

from tests.kernel.kernel_session import KernelSession

_KEY = "sk-canary1234567"


@pytest.fixture(scope="module")
def ready(kernel: KernelSession) -> KernelSession:
    """A kernel with the extension on the simulator."""
    run = kernel.run("%load_ext cometnb\n%comet simulator\nfrom cometnb.defaults import shared")
    assert run.errors == []
    return kernel


def test_the_key_is_asked_for_without_echo(ready: KernelSession) -> None:
    """It is in force then, shown by its end alone, and stands in no message."""
    run = ready.start("%comet key")
    assert ready.answer(f" {_KEY}\n")["password"] is True
    ready.wait(run)
    assert "…4567" in run.stream_text
    assert "canary" not in json.dumps([dict(message.content) for message in run.messages])
    assert ready.value(f"shared.options.api_key == {_KEY!r}") == "True"
    status = ready.run("%comet\n%comet config").stream_text
    assert "set (given in this kernel)" in status
    assert "canary" not in status
    ready.run("shared.configure(api_key=None)")


@pytest.mark.parametrize(("typed", "named"), [("", "No key was typed"), ("sk canary 1234567", "no key has")])
def test_what_is_no_key_changes_nothing(ready: KernelSession, typed: str, named: str) -> None:
    """An empty answer or one with spaces in it is refused in two lines that do not repeat it."""
    run = ready.start("%comet key")
    ready.answer(typed)
    ready.wait(run)
    assert named in run.errors[0].content["evalue"]
    assert "canary" not in json.dumps(run.errors[0].content)
    assert ready.value("bool(shared.options.api_key)") == "False"


def test_nobody_is_asked_where_nobody_can_answer(ready: KernelSession) -> None:
    """Runners such as nbclient get an error with a way to go on."""
    run = ready.run("%comet key", allow_stdin=False)
    assert "COMETAPI_KEY" in run.errors[0].content["evalue"]


def test_code_comes_as_a_new_cell_below(ready: KernelSession) -> None:
    """One payload for the front end, and none when the same cell gives the same code again."""
    ready.run("shared.simulator.text = 'So:\\n\\n```python\\nx = 1\\n```'")
    first, second = (ready.run("%%respond --code\nHi", metadata={"cellId": "one"}) for _ in range(2))
    assert first.reply is not None
    assert second.reply is not None
    assert first.reply["payload"] == [{"source": "set_next_input", "text": "x = 1", "replace": False}]
    assert second.reply["payload"] == []
    assert "x = 1" in first.displays[-1].content["data"]["text/markdown"]


def test_an_error_of_the_api_names_the_line(ready: KernelSession) -> None:
    """Two lines, and where in the notebook."""
    run = ready.run("import cometnb\n\ncometnb.respond('Hi', temperature=5)")
    assert run.reply is not None
    number = run.reply["execution_count"]
    assert run.errors[0].content["traceback"] == [
        "ParamError: temperature=5 is above its maximum 2.",
        "Give temperature a number from 0 to 2.",
        f"In [{number}], line 3",
    ]


def test_whole_tracebacks_on_request(ready: KernelSession) -> None:
    """And two lines again afterwards."""
    ready.run("%config CometMagics.tracebacks = True")
    whole = ready.run("%%respond -t 5\nHi").errors[0].content["traceback"]
    ready.run("%config CometMagics.tracebacks = False")
    short = ready.run("%%respond -t 5\nHi").errors[0].content["traceback"]
    assert "Traceback" in "".join(whole)
    assert len(short) == 2
