"""The kernel harness itself: messages in order, replies, interrupts, metadata."""

from __future__ import annotations

from tests.kernel.kernel_session import KernelSession


def test_displays_updates_and_the_result_arrive_in_order(kernel: KernelSession) -> None:
    """A display, its update, what was printed and the value are all there, with sizes."""
    run = kernel.run(
        "from IPython.display import display\n"
        "handle = display('one', display_id=True)\nhandle.update('two')\nprint('three')\n4"
    )
    assert run.reply is not None
    assert run.reply["status"] == "ok"
    assert [message.content["data"]["text/plain"] for message in run.displays + run.updates] == [
        "'one'",
        "'two'",
    ]
    assert run.stream_text == "three\n"
    assert run.result == {"text/plain": "4"}
    assert all(message.size_bytes > 100 for message in run.messages)
    assert run.display_bytes == sum(
        m.size_bytes for m in [*run.displays, *run.updates, *run.of("execute_result")]
    )


def test_an_error_is_a_message_and_a_reply(kernel: KernelSession) -> None:
    """The next cell runs all the same."""
    run = kernel.run("1 / 0")
    assert [message.content["ename"] for message in run.errors] == ["ZeroDivisionError"]
    assert run.reply is not None
    assert run.reply["status"] == "error"
    assert kernel.value("1 + 1") == "2"


def test_a_running_cell_can_be_interrupted(kernel: KernelSession) -> None:
    """What it printed before stays."""
    run = kernel.start("import time\nprint('started', flush=True)\ntime.sleep(60)")
    kernel.wait_for(run, "stream")
    kernel.interrupt()
    kernel.wait(run)
    assert [message.content["ename"] for message in run.errors] == ["KeyboardInterrupt"]
    assert "started" in run.stream_text


def test_metadata_and_stdin_reach_the_kernel(kernel: KernelSession) -> None:
    """A cell can see the id of its cell, and whether the front end answers questions."""
    ask = (
        "request = get_ipython().kernel.get_parent('shell')\n"
        "print(request['metadata'].get('cellId'), request['content']['allow_stdin'])"
    )
    assert kernel.run(ask, metadata={"cellId": "c1"}).stream_text == "c1 True\n"
    assert kernel.run(ask, allow_stdin=False).stream_text == "None False\n"


def test_a_cell_outside_the_history_has_no_number(kernel: KernelSession) -> None:
    """Looking into the kernel does not move the counter of its cells."""
    before = kernel.run("0").reply
    kernel.run("0", store_history=False)
    after = kernel.run("0").reply
    assert before is not None
    assert after is not None
    assert after["execution_count"] == before["execution_count"] + 1
