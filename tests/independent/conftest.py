"""The SDK pointed at the simulator, with all replies judged by the SDK's types; and the servers that others wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import openai
import pytest

from cometnb.client.server import LocalServer, running_server
from cometnb.ledger.store import Ledger
from tests.independent.judged import AsyncJudged, Judged, Reply
from tests.independent.others import KEY, NAMES, Theirs, running


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """One server for a file's tests; they leave its settings as they are."""
    with running_server(seed=9) as running:
        yield running


@pytest.fixture
def replies() -> Iterator[list[Reply]]:
    """Collect what the SDK was sent; afterwards each reply must fit the types that the SDK has for it."""
    kept: list[Reply] = []
    yield kept
    assert kept
    assert [line for reply in kept for line in reply.misfits()] == []


@pytest.fixture
def sdk(server: LocalServer, replies: list[Reply]) -> Iterator[openai.OpenAI]:
    """The SDK, sync; it does not retry."""
    http = httpx2.Client(transport=Judged(replies))
    with openai.OpenAI(api_key=KEY, base_url=server.base_url, max_retries=0, http_client=http) as client:
        yield client


@pytest.fixture
def async_sdk(server: LocalServer, replies: list[Reply]) -> Callable[[], openai.AsyncOpenAI]:
    """Return a function that makes the SDK's async client, inside the loop of the test."""

    def made() -> openai.AsyncOpenAI:
        http = httpx2.AsyncClient(transport=AsyncJudged(replies))
        return openai.AsyncOpenAI(api_key=KEY, base_url=server.base_url, max_retries=0, http_client=http)

    return made


@pytest.fixture(scope="module", params=NAMES)
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theirs]:
    """One server after the other."""
    with running(request.param, tmp_path_factory.mktemp("theirs")) as server:
        yield server


@pytest.fixture
def scripted(theirs: Theirs) -> Theirs:
    """A server whose words are known; the one that makes them up has no such answers to test."""
    if not theirs.is_scripted:
        pytest.skip(f"{theirs.name} makes up its words")
    return theirs


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger that is told of every attempt."""
    ledger = Ledger(tmp_path / "theirs.sqlite")
    yield ledger
    ledger.close()
