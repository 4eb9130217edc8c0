"""Jobs and runs in one line, for the tests of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from cometnb.client.client import AsyncClient
from cometnb.session.batch.engine import BatchRun
from cometnb.session.batch.job import Job, Outcome

__all__ = ["jobs", "run"]


def jobs(*prompts: str, **params: Any) -> list[Job]:
    """Return one job per prompt; the prompt is its key, too."""
    return [Job(prompt, {"input": prompt, **params}, place=place) for place, prompt in enumerate(prompts)]


def run(transport: Any, work: Iterable[Job], **settings: Any) -> tuple[dict[int, Outcome], BatchRun]:
    """Run a batch to its end; return its outcomes by place, and the run."""
    outcomes: dict[int, Outcome] = {}
    gates = settings.pop("gates", ())
    observers = settings.pop("observers", ())

    def take(outcome: Outcome) -> None:
        assert outcome.job.place not in outcomes
        outcomes[outcome.job.place] = outcome

    async def running() -> BatchRun:
        async with AsyncClient(transport=transport, gates=gates, observers=observers) as client:
            batch = BatchRun(client, work, **{"on_outcome": take, **settings})
            await batch.run()
            return batch

    return outcomes, asyncio.run(running())
