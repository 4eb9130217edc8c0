"""Questions about calls: opened, answered from another thread, and closed against what comes too late."""

from __future__ import annotations

import asyncio
import threading

from cometnb.protocol.response import FunctionCall, Response
from cometnb.session.permit import Questions, refuse_all


def _call(call_id: str) -> FunctionCall:
    item = {"type": "function_call", "name": "f", "call_id": call_id, "arguments": "{}"}
    (call,) = Response({"output": [item]}).function_calls
    return call


def test_an_answer_comes_from_another_thread() -> None:
    """The question is open as soon as it is asked; one thread waits, another answers."""

    async def asked() -> bool:
        questions = Questions()
        answer = questions(_call("a"))
        threading.Thread(target=questions.answer, args=("a", True)).start()
        return await answer

    assert asyncio.run(asked())


def test_a_second_press_answers_no_later_question() -> None:
    """Some services give the calls of every round the same ids; each of them is asked about."""

    async def asked() -> bool:
        questions = Questions()
        first = questions(_call("a"))
        for _ in range(2):
            questions.answer("a", True)
        await first
        second = questions(_call("a"))
        questions.answer("a", False)
        return await second

    assert not asyncio.run(asked())


def test_an_answer_without_a_question_is_dropped() -> None:
    """A page may send what it likes."""

    async def asked() -> bool:
        questions = Questions()
        questions.answer("a", True)
        answer = questions(_call("a"))
        await asyncio.sleep(0)
        return answer.done()

    assert not asyncio.run(asked())


def test_an_answer_after_an_interrupt_does_nothing() -> None:
    """The question has gone with its cell."""

    async def asked() -> bool:
        questions = Questions()
        answer = questions(_call("a"))
        answer.cancel()
        questions.answer("a", True)
        await asyncio.sleep(0)
        return answer.cancelled()

    assert asyncio.run(asked())


def test_where_nobody_can_be_asked_nothing_is_allowed() -> None:
    """At once."""

    async def asked() -> bool:
        return await refuse_all(_call("a"))

    assert not asyncio.run(asked())
