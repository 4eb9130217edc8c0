"""The key goes into one header, and nowhere else."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import httpx
import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.client import AsyncClient, Client
from cometnb.client.simulator import Simulator
from cometnb.errors import CometError, ConfigError
from cometnb.options import resolve
from tests.client.asking import Kind, both_kinds, responded
from tests.client.transports import KEY, SSE, Answer, Script, body_of, json_answer, sse, stream_answer

# A gateway's keys need not look like the provider's.
_KEYS = [KEY, "gateway-canary-42"]


def _asked(kind: Kind, key: str, transport: Any, **params: Any) -> Any:
    """Ask with a key from the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMETAPI_KEY", key)
        patch.setattr("tests.client.asking.KEY", None)
        return responded(kind, transport, **params)


@both_kinds
@pytest.mark.parametrize("key", _KEYS)
def test_the_key_is_in_one_header_only(kind: Kind, key: str) -> None:
    """Not in the URL, the body or another header."""
    script = Script(stream_answer("Hi"))
    _asked(kind, key, script, stream=True)
    request = script.requests[0]
    assert request.headers["authorization"] == f"Bearer {key}"
    others = {name: value for name, value in request.headers.items() if name != "authorization"}
    assert key not in f"{request.url} {others} {request.content!r}"


@both_kinds
@pytest.mark.parametrize("key", _KEYS)
@pytest.mark.parametrize("shape", ["json", "text", "html", "error event", "wire"])
def test_a_service_that_repeats_the_key_does_not_leak_it(kind: Kind, key: str, shape: str) -> None:
    """Errors, their response and the attempts show a mask, whatever the service echoes."""
    answers: dict[str, Answer | Exception] = {
        "json": json_answer({"error": {"message": f"Incorrect key {key}", "code": "invalid_api_key"}}, 401),
        "text": Answer(401, {"content-type": "text/plain"}, [f"Bearer {key} is wrong".encode()]),
        "html": Answer(200, {"content-type": "text/html"}, [f"<p>{key}</p>".encode()]),
        "error event": Answer(200, SSE, [sse({"type": "error", "message": f"bad {key}", "code": "x"})]),
        "wire": httpx.LocalProtocolError(f"Illegal header value b'Bearer {key}'"),
    }
    asked = _asked(kind, key, Script(answers[shape]))
    assert asked.error is not None
    assert key not in f"{asked.error} {asked.error!r} {asked.error.args}"
    assert key not in f"{asked.attempt!r}"
    assert key not in f"{asked.response!r} {asked.attempt.response!r}"
    if shape != "error event":
        # What an event said stays as it was sent, with the response's JSON.
        assert key not in f"{asked.response.error} {asked.attempt.response.error}"


@pytest.mark.parametrize("client_type", [Client, AsyncClient])
def test_the_key_is_in_no_repr(client_type: type[Client | AsyncClient]) -> None:
    """Neither of the client nor of its setup, nor in the stream it makes."""
    client = client_type(KEY, transport=Script(json_answer(body_of())))
    stream = client.stream("Hi")
    assert KEY not in f"{client!r} {client} {client.setup!r} {stream!r} {stream.body}"


@pytest.mark.parametrize("bad", [f"{KEY}\nx-evil: 1", f"{KEY} {KEY}", "sk-ключ-ключ-ключ", f"{KEY}\x00"])
def test_a_key_that_cannot_be_a_header_is_refused(bad: str) -> None:
    """A line end inside would forge a header; the error does not show it."""
    with pytest.raises(ConfigError) as caught:
        Client(bad)
    assert "canary" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("around", [" {}", "{}\n", "\ufeff{}", "\t{}\r\n"])
def test_white_space_around_a_key_is_dropped(around: str) -> None:
    """Copying a key often takes a line end along."""
    script = Script(json_answer(body_of()))
    with Client(around.format(KEY), transport=script) as client:
        client.respond("Hi")
    assert script.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("client_type", [Client, AsyncClient])
def test_no_key_says_how_to_go_on_without(client_type: type[Client | AsyncClient]) -> None:
    """Two lines: what is missing, how to set it, and that there is a way without."""
    with pytest.raises(ConfigError) as caught:
        client_type()
    fact, step = str(caught.value).splitlines()
    assert fact == "There is no API key."
    assert "%comet key or COMETAPI_KEY" in step
    assert "COMETNB_BACKEND=simulator" in step


def test_a_transport_of_ones_own_needs_no_key() -> None:
    """Then no header is sent; with a key it is."""
    script = Script(json_answer(body_of()))
    with Client(transport=script) as client:
        assert client.respond("Hi").status == "completed"
    assert "authorization" not in script.requests[0].headers


def test_the_simulator_is_sent_no_key() -> None:
    """What stays in the process cannot leak it: it is not even in the setup."""
    client = Client(KEY, transport=Simulator())
    assert client.setup.api_key == ""
    assert "authorization" not in client.setup.http_options()["headers"]


def test_the_second_variable_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """COMETAPI_KEY goes first, then COMETAPI_API_KEY; an argument goes before both."""
    monkeypatch.setenv("COMETAPI_API_KEY", "second-key")
    assert Client().setup.api_key == "second-key"
    monkeypatch.setenv("COMETAPI_KEY", "first-key")
    assert Client().setup.api_key == "first-key"
    assert Client("given-key").setup.api_key == "given-key"


def test_a_warning_does_not_show_the_key() -> None:
    """A base URL in the clear warns, and says nothing of the key."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Client(KEY, "http://gateway.example/v1")
    assert [KEY in str(warning.message) for warning in caught] == [False]


def test_an_attempt_holds_no_key() -> None:
    """Whatever an observer stores of an attempt is free of it."""
    attempts: list[Attempt] = []
    with Client(KEY, transport=Script(json_answer(body_of())), observers=[attempts.append]) as client:
        client.respond("Hi")
    kept = {name: getattr(attempts[0], name) for name in Attempt.__slots__ if name != "response"}
    assert KEY.encode() not in pickle.dumps(kept) + pickle.dumps(attempts[0].response.raw)


def test_an_error_can_be_told_from_others() -> None:
    """`except CometError` catches what a missing key raises."""
    with pytest.raises(CometError):
        Client()


@both_kinds
@pytest.mark.parametrize("again", [pickle.dumps, copy.deepcopy])
def test_a_client_is_not_pickled_with_its_key(kind: Kind, again: Any) -> None:
    """A pickle is a file in the end; the client, its setup and the settings refuse, and do not name it."""
    client = (Client if kind == "sync" else AsyncClient)(_KEYS[1])
    for holder in (client, client.setup, resolve(api_key=_KEYS[1])):
        with pytest.raises((ConfigError, TypeError)) as caught:
            again(holder)
        assert _KEYS[1] not in str(caught.value)
    assert _KEYS[1] not in f"{vars(client)} {vars(client._http)}"


@both_kinds
@pytest.mark.parametrize(
    "environ",
    [
        {"HTTPS_PROXY": "nonsense://user:hidden-word@127.0.0.1"},
        {"HTTPS_PROXY": "http://user:hidden-word@127.0.0.1:port"},
        {"SSL_CERT_FILE": "/nowhere/at.all"},
    ],
)
def test_a_proxy_that_is_none_is_two_lines(
    kind: Kind, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting is named, and not the password in it."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="cannot be set up") as caught:
        (Client if kind == "sync" else AsyncClient)(_KEYS[1])
    assert len(str(caught.value).splitlines()) == 2
    assert "HTTPS_PROXY" in caught.value.next_step
    assert "hidden-word" not in str(caught.value)
