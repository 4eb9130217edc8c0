"""What aimock calls chaos: dropped requests, bodies that are no JSON, connections that end without a word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cometnb.client.client import Client
from cometnb.errors import CometError, ConnectionFailedError, ServerError, UnexpectedContentError
from cometnb.ledger.store import Ledger
from tests.independent.others import KEY, Theirs, running


class _Chaos(httpx.HTTPTransport):
    """Asks the server for one kind of chaos with every request."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._header = f"x-aimock-chaos-{kind}"

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        request.headers[self._header] = "1.0"
        return super().handle_request(request)


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theirs]:
    """The server, with the same fixtures as elsewhere."""
    with running("aimock", tmp_path_factory.mktemp("chaos")) as server:
        yield server


@pytest.mark.parametrize("streams", [False, True], ids=["body", "stream"])
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("drop", (ServerError, 3)),
        ("malformed", (UnexpectedContentError, 1)),
        ("disconnect", (ConnectionFailedError, 1)),
    ],
)
def test_chaos_is_an_error_with_a_row_for_each_attempt(
    aimock: Theirs, ledger: Ledger, kind: str, told: tuple[type[CometError], int], streams: bool
) -> None:
    """A dropped request is sent again; what may have been answered, and so paid for, is not."""
    error, n_attempts = told
    settings: dict[str, Any] = {"model": aimock.model, "observers": [ledger], "transport": _Chaos(kind)}
    with Client(KEY, aimock.base_url, **settings) as client, pytest.raises(error):
        client.respond("greet me", stream=streams)
    assert ledger.usage()["status"].tolist() == ["error"] * n_attempts
