"""Who reads many streams at once: each contender asks the same number of prompts, all open together.

``python -m benchmarks.streams CONTENDER URL STREAMS DELTAS`` reads them in a fresh process and prints CPU and wall
seconds as JSON. Each contender is what its own documentation shows.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from benchmarks.answer import text
from benchmarks.child import result_of

__all__ = ["COMETNB", "CONTENDERS", "HAND_LOOP", "OPENAI", "many_streams_s"]

COMETNB = "cometnb batch"
OPENAI = "AsyncOpenAI with a semaphore"
HAND_LOOP = "httpx hand loop"

_KEY, _MODEL = "made-up", "gpt-5.4"
_DELTA: Final = "response.output_text.delta"
_WARM_UP = 2


async def _cometnb(base_url: str, n_streams: int) -> list[str]:
    from cometnb import AsyncClient
    from cometnb.session.batch.engine import BatchRun
    from cometnb.session.batch.job import Job, Outcome
    from cometnb.session.batch.limits import Limits

    texts: list[str] = []

    def take(outcome: Outcome) -> None:
        assert outcome.response is not None, outcome.error
        texts.append(outcome.response.output_text)

    jobs = (
        Job(f"{number}", {"model": _MODEL, "input": f"Row {number}.", "stream": True})
        for number in range(n_streams)
    )
    async with AsyncClient(api_key=_KEY, base_url=base_url) as client:
        await BatchRun(client, jobs, limits=Limits(n_streams), on_outcome=take).run()
    return texts


async def _openai(base_url: str, n_streams: int) -> list[str]:
    from openai import AsyncOpenAI

    client, room = AsyncOpenAI(api_key=_KEY, base_url=base_url), asyncio.Semaphore(n_streams)

    async def ask(number: int) -> str:
        async with room:
            stream = await client.responses.create(model=_MODEL, input=f"Row {number}.", stream=True)
            return "".join([event.delta async for event in stream if event.type == _DELTA])

    async with client:
        return await asyncio.gather(*(ask(number) for number in range(n_streams)))


async def _hand_loop(base_url: str, n_streams: int) -> list[str]:
    import httpx

    limits = httpx.Limits(max_connections=None)
    headers = {"Authorization": f"Bearer {_KEY}"}
    room = asyncio.Semaphore(n_streams)

    async def ask(client: httpx.AsyncClient, number: int) -> str:
        body = {"model": _MODEL, "input": f"Row {number}.", "stream": True}
        pieces = []
        async with room, client.stream("POST", f"{base_url}/responses", json=body, headers=headers) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    event = json.loads(line[6:])
                    if event["type"] == _DELTA:
                        pieces.append(event["delta"])
        return "".join(pieces)

    async with httpx.AsyncClient(limits=limits, timeout=120) as client:
        return await asyncio.gather(*(ask(client, number) for number in range(n_streams)))


CONTENDERS: dict[str, Callable[[str, int], Awaitable[list[str]]]] = {
    COMETNB: _cometnb,
    HAND_LOOP: _hand_loop,
    OPENAI: _openai,
}


def many_streams_s(contender: str, feed_url: str, n_streams: int, n_deltas: int) -> float:
    """Return the CPU seconds of reading so many streams at once, in a fresh process."""
    measured: dict[str, float] = result_of(
        "-m", "benchmarks.streams", contender, feed_url, str(n_streams), str(n_deltas)
    )
    return measured["cpu_s"]


async def _measured(contender: str, feed_url: str, n_streams: int, n_deltas: int) -> dict[str, Any]:
    read = CONTENDERS[contender]
    # What is loaded late is loaded.
    await read(f"{feed_url}/{n_deltas}/in-turn", _WARM_UP)
    start_s, wall_s = time.process_time(), time.perf_counter()
    texts = await read(f"{feed_url}/{n_deltas}/in-turn", n_streams)
    cpu_s, wall_s = time.process_time() - start_s, time.perf_counter() - wall_s
    assert texts == [text(n_deltas)] * n_streams
    return {"cpu_s": cpu_s, "wall_s": wall_s}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measured(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))))
