"""The limit for a whole call holds whatever the server does, and one answer does not spoil the next."""

from __future__ import annotations

import asyncio

import pytest

from cometnb.client.client import AsyncClient, Client
from cometnb.client.faults.server import FaultServer, running_fault_server
from cometnb.errors import ResponseTimeoutError

_LIMITS = {"timeout_s": 0.5, "idle_timeout_s": 30.0, "max_retries": 0}


@pytest.mark.parametrize("trouble", ["slow-head", "hints-for-ever"])
def test_a_head_that_never_ends_is_left(trouble: str) -> None:
    """Something comes all the time, so that the idle limit never strikes; that for the whole call does."""
    with running_fault_server(1, [trouble]) as server:
        with Client("any-key", server.base_url, **_LIMITS) as client:  # type: ignore[arg-type]
            with pytest.raises(ResponseTimeoutError, match=r"longer than 0\.5 s"):
                client.respond("Hello.")
            with pytest.raises(ResponseTimeoutError, match=r"longer than 0\.5 s"):
                client.models()
        with pytest.raises(ResponseTimeoutError, match=r"longer than 0\.5 s"):
            asyncio.run(_respond(server))


async def _respond(server: FaultServer) -> None:
    async with AsyncClient("any-key", server.base_url, **_LIMITS) as client:  # type: ignore[arg-type]
        await client.respond("Hello.")


def test_a_cookie_is_not_kept() -> None:
    """One that is no ASCII would make every later request of the client impossible."""
    with running_fault_server(1, ["many-headers"]) as server, Client("any-key", server.base_url) as client:
        assert [client.respond("Hello.").status for _ in range(2)] == ["completed"] * 2
        assert not list(client._http.cookies.jar)
