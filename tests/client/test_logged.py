"""What httpx and httpcore log at DEBUG: as it is, less the keys that were sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import httpcore  # noqa: F401  # its loggers are looked at
import pytest

from cometnb.client.logged import hide_in_logs
from cometnb.client.on_workers import Errand, run_errand
from tests.client.asking import Kind, both_kinds, responded
from tests.loopback import served

# Of no form that anybody knows, and with what is escaped in the repr of a header.
_KEY = "gateway.Canary+4f9d\\27c6"


class _Repeating(BaseHTTPRequestHandler):
    """Refuses every key, and says it in the reason, a header and the length of a chunk."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        key = str(self.headers["authorization"]).removeprefix("Bearer ")
        self.send_response(401, f"No {key}")
        self.send_header("x-request-id", key)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(f"{key}\r\n".encode())
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def base_url() -> Iterator[str]:
    """Where a gateway repeats the key."""
    with served(_Repeating) as base_url:
        yield base_url


@both_kinds
def test_a_key_that_comes_back_is_not_logged(
    kind: Kind, base_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the reason phrase, a header nor an error of the wire; the rest is logged as ever."""
    monkeypatch.setenv("COMETAPI_KEY", _KEY)
    monkeypatch.setenv("COMETAPI_BASE_URL", base_url)
    monkeypatch.setattr("tests.client.asking.KEY", None)
    with caplog.at_level(logging.DEBUG):
        responded(kind, None, stream=True)
    logged = caplog.text
    assert "Canary" not in logged
    assert "No sk-***" in logged
    assert "(b'x-request-id', b'sk-***')" in logged or "(b'x-request-id', b\"sk-***\")" in logged


def test_a_worker_does_not_log_it(base_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """It sends with a client that many requests share, and a key from the request."""
    key = "worker.Canary-1234"
    headers = [(b"Authorization", b"Bearer " + key.encode())]
    with caplog.at_level(logging.DEBUG):
        asyncio.run(run_errand(Errand("id", "POST", f"{base_url}/responses", headers, b"{}", {"read": 5.0})))
    assert "x-request-id" in caplog.text
    assert "Canary" not in caplog.text


def test_records_without_the_key_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Others log there too: their words, arguments and mistakes stay theirs."""
    hide_in_logs(_KEY)
    logger = logging.getLogger("httpx")
    with caplog.at_level(logging.DEBUG):
        logger.info("%s of %d", "sk-anothers-own-key", 2)
    assert [(one.msg, one.args) for one in caplog.records] == [("%s of %d", ("sk-anothers-own-key", 2))]


def test_every_logger_of_theirs_is_held_once() -> None:
    """However many clients there are."""
    hide_in_logs(_KEY)
    hide_in_logs(_KEY)
    names = [
        name for name in logging.root.manager.loggerDict if name == "httpx" or name.startswith("httpcore.")
    ]
    assert len(names) > 2
    for name in names:
        held = logging.getLogger(name).filters
        assert [getattr(one, "__module__", "") for one in held].count("cometnb.client.logged") == 1, name


def test_a_short_key_is_a_word() -> None:
    """Masking "test" would spoil what is logged."""
    hide_in_logs("test")
    record = logging.LogRecord("httpx", logging.INFO, "", 0, "a test", (), None)
    assert logging.getLogger("httpx").filter(record)
    assert record.getMessage() == "a test"
