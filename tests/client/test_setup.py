"""Where a client's settings come from, and which are refused: before anything is sent, in two lines."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.client.client import AsyncClient, Client
from cometnb.client.simulator import Simulator
from cometnb.errors import CometWarning, ConfigError, ParamError
from tests.client.asking import Kind, both_kinds, called, responded
from tests.client.transports import KEY, Script, body_of, json_answer

_DEFAULT = "https://api.cometapi.com/v1"

both_clients = pytest.mark.parametrize("client_type", [Client, AsyncClient])
AnyClient = type[Client] | type[AsyncClient]


@both_clients
def test_defaults(client_type: AnyClient) -> None:
    """With a key alone, a client talks to CometAPI with its limits as documented."""
    client = client_type(KEY)
    assert (client.base_url, client.backend, client.setup.model) == (_DEFAULT, "api", "gpt-5.4")
    assert (client.setup.timeout_s, client.setup.idle_timeout_s) == (600, 120)
    assert client.setup.backoff.max_retries == 2
    assert repr(client) == f"<{client_type.__name__} api {_DEFAULT} model=gpt-5.4>"


@both_clients
def test_an_argument_goes_before_the_environment(
    client_type: AnyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Argument, then environment, then default."""
    monkeypatch.setenv("COMETAPI_BASE_URL", "https://env.example/v1")
    monkeypatch.setenv("COMETAPI_DEFAULT_MODEL", "env-model")
    from_env = client_type(KEY)
    given = client_type(KEY, "https://arg.example/v1", model="arg-model")
    assert (from_env.base_url, from_env.setup.model) == ("https://env.example/v1", "env-model")
    assert (given.base_url, given.setup.model) == ("https://arg.example/v1", "arg-model")


@pytest.mark.parametrize(
    ("base_url", "used"),
    [
        (f"{_DEFAULT}/", _DEFAULT),
        (f"  {_DEFAULT}//\n", _DEFAULT),
        ("https://gateway.example", "https://gateway.example"),
        ("https://gateway.example/a/b", "https://gateway.example/a/b"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://localhost/v1", "http://localhost/v1"),
    ],
)
def test_a_base_url_is_used_as_given(base_url: str, used: str) -> None:
    """White space and slashes at the end are dropped, and /responses is added once."""
    script = Script(json_answer(body_of()))
    with Client(KEY, base_url, transport=script) as client:
        client.respond("Hi")
    assert client.base_url == used
    assert str(script.requests[0].url) == f"{used}/responses"


@both_clients
@pytest.mark.parametrize(
    "base_url",
    [
        "",
        " ",
        "api.cometapi.com/v1",
        "ftp://api.cometapi.com/v1",
        "https://",
        "https:///v1",
        f"{_DEFAULT}/responses",
        "https://me:secret@gateway.example/v1",
        "https://[::1/v1",
        "https://gateway.example:99999/v1",
        "https://gateway.example:port/v1",
        "https://gateway.example/v1?key=1",
        "https://gateway.example/v1#here",
        "https://gate way.example/v1",
        "https://gateway.example/\x00",
    ],
)
def test_what_is_no_base_url_is_refused(client_type: AnyClient, base_url: str) -> None:
    """Two lines, and no password in them."""
    with pytest.raises(ConfigError) as caught:
        client_type(KEY, base_url)
    assert len(str(caught.value).splitlines()) == 2
    assert "secret" not in str(caught.value)


def test_a_base_url_in_the_clear_warns() -> None:
    """Anything but https and this machine."""
    with pytest.warns(CometWarning, match="not https"):
        Client(KEY, "http://gateway.example/v1")


@both_clients
@pytest.mark.parametrize("name", ["timeout_s", "idle_timeout_s"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), None, "5", True])
def test_what_is_no_limit_is_refused(client_type: AnyClient, name: str, value: Any) -> None:
    """Limits are positive numbers of seconds; the error names the setting and the value."""
    with pytest.raises(ParamError, match=rf"^{name}={value!r} ") as caught:
        client_type(KEY, **{name: value})
    assert caught.value.param == name
    assert len(str(caught.value).splitlines()) == 2


@both_clients
@pytest.mark.parametrize("value", [-1, 1.5, None, "2", True])
def test_what_is_no_number_of_retries_is_refused(client_type: AnyClient, value: Any) -> None:
    """A whole number from 0."""
    with pytest.raises(ParamError, match=rf"^max_retries={value!r} "):
        client_type(KEY, max_retries=value)


def test_limits_reach_the_wire() -> None:
    """The idle limit is the read timeout; the whole limit bounds both it and connecting."""
    usual = Client(KEY, idle_timeout_s=30).setup.http_options()["timeout"]
    assert (usual.read, usual.write, usual.connect, usual.pool) == (30, 30, 10, None)
    short = Client(KEY, timeout_s=3).setup.http_options()["timeout"]
    assert (short.read, short.connect) == (3, 3)


@both_clients
def test_the_environment_chooses_the_simulator(
    client_type: AnyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COMETNB_BACKEND=simulator needs no key; a transport that is given goes first."""
    monkeypatch.setenv("COMETNB_BACKEND", "simulator")
    assert isinstance(client_type().setup.transport, Simulator)
    assert client_type(KEY, transport=Script()).backend == "api"


@both_clients
def test_an_argument_chooses_the_backend(client_type: AnyClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """`backend` too may be given, and goes before the environment."""
    assert client_type(backend="simulator").backend == "simulator"
    monkeypatch.setenv("COMETNB_BACKEND", "simulator")
    assert client_type(KEY, backend="api").backend == "api"
    with pytest.raises(ConfigError, match="backend='other'"):
        client_type(KEY, backend="other")


@both_kinds
def test_a_wrong_parameter_sends_nothing(kind: Kind) -> None:
    """It is refused when the call is made, and no row is written: there was no attempt."""
    script, attempts = Script(json_answer(body_of())), list[Any]()
    with pytest.raises(ParamError, match=r"temperature=3 is above its maximum 2"):
        called(
            kind, "respond", "Hi", transport=script, setup={"observers": (attempts.append,)}, temperature=3
        )
    assert (script.requests, attempts) == ([], [])


@both_clients
def test_two_prompts_are_refused(client_type: AnyClient) -> None:
    """The prompt is given once, in its place or by its name."""
    client = client_type(KEY, transport=Script(json_answer(body_of())))
    with pytest.raises(ParamError, match="input is given twice"):
        client.stream("Hi", input="Ho")


@both_kinds
def test_a_call_may_name_another_model(kind: Kind) -> None:
    """The client's model is for calls that name none; None means not set."""
    script = Script(json_answer(body_of()))
    assert responded(kind, script, model="gpt-5.5").attempt.params["model"] == "gpt-5.5"
    assert responded(kind, script, model=None).attempt.params["model"] == "gpt-5.4"


@pytest.mark.parametrize("given", [False, True])
def test_proxies_of_the_environment_are_for_the_network(given: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with any httpx client: a proxy variable is honoured, and a transport that is given goes past it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    script = Script(json_answer(body_of()))
    with Client(KEY, transport=script if given else None, max_retries=0, timeout_s=5) as client:
        if given:
            assert client.respond("Hi").status == "completed"
        else:
            with pytest.raises(ConnectionError):
                client.respond("Hi")
