"""The limit for a whole call holds whatever the server does, and one answer does not spoil the next."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from cometnb.client.cassette.network import Network
from cometnb.client.client import AsyncClient, Client
from cometnb.client.deadline import bound
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


@pytest.mark.filterwarnings("ignore:.*is not https")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_head_that_never_ends_is_left_behind_a_proxy(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be it that of the answer, or that of the tunnel to a server with TLS."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with running_fault_server(1, ["slow-head"]) as server:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", server.base_url.removesuffix("/v1"))
        _is_left(f"{scheme}://service.invalid/v1")


def test_a_head_that_never_ends_is_left_while_it_is_recorded() -> None:
    """The network below a cassette keeps the limit of the call above it."""
    network = Network()
    with (
        running_fault_server(1, ["slow-head"]) as server,
        Client("any-key", server.base_url, transport=network, **_LIMITS) as client,  # type: ignore[arg-type]
        pytest.raises(ResponseTimeoutError, match=r"longer than 0\.5 s"),
    ):
        client.respond("Hello.")


def test_a_head_that_never_ends_is_left_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection inside the encrypted one keeps the limit, too."""
    chain = _certificate(tmp_path / "chain.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    with _endless_over_tls(chain) as port:
        _is_left(f"https://127.0.0.1:{port}/v1")


def test_a_transport_that_keeps_no_deadlines_works() -> None:
    """One without a pool, or whose pool hides its backend, stays as it is."""

    class Hidden(httpx.MockTransport):
        _pool = object()

    for kind in (httpx.MockTransport, Hidden):
        with httpx.Client(transport=kind(lambda request: httpx.Response(200, text="Hello."))) as http:
            bound(http)
            assert http.get("http://service.invalid").text == "Hello."


def _is_left(base_url: str) -> None:
    with (
        Client("any-key", base_url, **_LIMITS) as client,  # type: ignore[arg-type]
        pytest.raises(ResponseTimeoutError, match=r"longer than 0\.5 s"),
    ):
        client.respond("Hello.")

    async def respond() -> None:
        async with AsyncClient("any-key", base_url, **_LIMITS) as client:  # type: ignore[arg-type]
            await client.respond("Hello.")

    with pytest.raises(ResponseTimeoutError, match=r"longer than 0\.5 s"):
        asyncio.run(respond())


@contextmanager
def _endless_over_tls(chain: Path) -> Iterator[int]:
    """Serve headers without end to every connection; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    is_over = threading.Event()

    def serve(connection: socket.socket) -> None:
        # However the client leaves, that is its right.
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as stream:
            stream.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not is_over.wait(0.02):
                stream.sendall(b"x")

    def listen() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=serve, args=(listening.accept()[0],)))
                threads[-1].start()

    listening = socket.create_server(("127.0.0.1", 0))
    threads = [threading.Thread(target=listen)]
    threads[0].start()
    try:
        yield listening.getsockname()[1]
    finally:
        is_over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for thread in threads:
            thread.join()


def _certificate(path: Path) -> Path:
    """Write a certificate for this machine, signed by itself, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
