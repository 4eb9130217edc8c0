"""The process that the kill test starts and ends: ``python killed.py URL CHECKPOINT ROWS [background]``.

It prints the place of each outcome as soon as it has it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from cometnb.client.client import AsyncClient
from cometnb.session.batch.checkpoint import Checkpoint
from cometnb.session.batch.engine import BatchRun
from cometnb.session.batch.job import Job, Outcome
from cometnb.session.batch.limits import Limits

__all__: list[str] = []


def _tell(outcome: Outcome) -> None:
    assert outcome.response is not None, outcome.error
    os.write(1, f"{outcome.job.place}\n".encode())


async def _run(url: str, path: str, n_rows: int, params: dict[str, Any]) -> None:
    rows = (
        Job(f"{row}", {"input": f"Row {row}.", "max_output_tokens": 16, **params}, place=row)
        for row in range(n_rows)
    )
    with Checkpoint(path, batch="rows") as kept:
        async with AsyncClient(api_key="made-up", base_url=url) as client:
            batch = BatchRun(client, rows, limits=Limits(8), checkpoint=kept, on_outcome=_tell)
            await batch.run()
    assert batch.error is None, batch.error


if __name__ == "__main__":
    wanted = {"background": True} if "background" in sys.argv[4:] else {}
    asyncio.run(_run(sys.argv[1], sys.argv[2], int(sys.argv[3]), wanted))
