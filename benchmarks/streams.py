"""Who reads many streams at once: each contender asks the same number of prompts, all open together.

``python -m benchmarks.streams CONTENDER URL STREAMS DELTAS`` reads them in a fresh process and prints CPU and wall
seconds as JSON. Each contender is what its own documentation shows.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from benchmarks.answer import text

if TYPE_CHECKING:
    from benchmarks.plan import Plan

__all__ = ["AIOHTTP", "COMETNB", "CONTENDERS", "ENVIRONMENTS", "HAND_LOOP", "OPENAI", "many_streams_s"]

COMETNB = "cometnb batch"
OPENAI = "AsyncOpenAI with a semaphore"
HAND_LOOP = "httpx hand loop"
AIOHTTP = "aiohttp hand loop"

_KEY, _MODEL = "made-up", "gpt-5.4"
_DELTA: Final = "response.output_text.delta"
_WARM_UP = 2
# A thousand connections at once take longer to open than the five seconds that the clients allow by themselves.
_PATIENCE_S = 120


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

    client = AsyncOpenAI(api_key=_KEY, base_url=base_url, timeout=_PATIENCE_S)
    room = asyncio.Semaphore(n_streams)

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

    async with httpx.AsyncClient(limits=limits, timeout=_PATIENCE_S) as client:
        return await asyncio.gather(*(ask(client, number) for number in range(n_streams)))


async def _aiohttp(base_url: str, n_streams: int) -> list[str]:
    import aiohttp  # type: ignore[import-not-found, unused-ignore]

    headers = {"Authorization": f"Bearer {_KEY}"}

    async def ask(client: aiohttp.ClientSession, number: int) -> str:
        body = {"model": _MODEL, "input": f"Row {number}.", "stream": True}
        pieces = []
        async with client.post(f"{base_url}/responses", json=body, headers=headers) as answer:
            async for line in answer.content:
                if line.startswith(b"data: "):
                    event = json.loads(line[6:])
                    if event["type"] == _DELTA:
                        pieces.append(event["delta"])
        return "".join(pieces)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=n_streams)) as client:
        return await asyncio.gather(*(ask(client, number) for number in range(n_streams)))


CONTENDERS: dict[str, Callable[[str, int], Coroutine[Any, Any, list[str]]]] = {
    COMETNB: _cometnb,
    HAND_LOOP: _hand_loop,
    AIOHTTP: _aiohttp,
    OPENAI: _openai,
}

ENVIRONMENTS: dict[str, str] = {HAND_LOOP: "httpx", AIOHTTP: "aiohttp", OPENAI: "openai"}
"""In whose environment a contender runs; the others run in this one."""


def many_streams_s(plan: Plan, contender: str, n_streams: int, n_deltas: int) -> float:
    """Return the CPU seconds of reading so many streams at once, in a fresh process."""
    work = ("-m", "benchmarks.streams", contender, plan.feed_url, str(n_streams), str(n_deltas))
    measured: dict[str, float] = plan.result_of(ENVIRONMENTS.get(contender, ""), *work)
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
