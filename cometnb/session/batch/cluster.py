"""A batch whose requests are sent from the workers of a Dask cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cometnb.client.client import AsyncClient
from cometnb.client.on_workers import LOSSES, WorkerTransport
from cometnb.client.setup import Setup
from cometnb.errors import CometError
from cometnb.protocol.response import Response
from cometnb.session.batch.asking import Asking, Runner

__all__ = ["Cluster"]

# A request that takes down one worker after the other is not asked for ever.
_MOST_LOSSES = 3


class Cluster:
    """The workers of a Dask cluster as a batch uses them; `open` and `close` are for the session's loop.

    Parameters
    ----------
    executor : distributed.Client
    setup : Setup
        Of the session's client.

    Raises
    ------
    CometError
        As `WorkerTransport`.
    """

    def __init__(self, executor: Any, setup: Setup) -> None:
        self._transport = WorkerTransport(executor, setup.transport, setup.timeout_s + 5.0)
        self._client: AsyncClient | None = None

    async def open(self) -> None:
        """Connect to the scheduler."""
        await self._transport.open()

    async def close(self) -> None:
        """Disconnect; the cluster goes on."""
        if self._client is not None:
            await self._client.close()
        else:
            await self._transport.aclose()

    def runner(self, runner: Runner) -> Runner:
        """Return a runner that asks as another does, by way of the workers.

        What was lost with a worker is asked again, a few times; the ledger has a row for the lost request, too.
        """

        async def run(asking: Asking) -> Response:
            if self._client is None:
                self._client = asking.client.through(self._transport)
            moved = replace(asking, client=self._client)
            losses: list[str] = []
            token = LOSSES.set(losses)
            try:
                while True:
                    n_lost = len(losses)
                    try:
                        return await runner(moved)
                    except CometError:
                        if len(losses) == n_lost or len(losses) > _MOST_LOSSES:
                            raise
            finally:
                LOSSES.reset(token)

        return run
