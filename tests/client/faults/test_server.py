"""The fault server itself: the same faults for the same seed, named in the answer, and only those asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import httpx
import pytest

from cometnb.client.faults.plan import Plan
from cometnb.client.faults.server import Met, running_fault_server
from cometnb.client.faults.troubles import TROUBLES
from cometnb.errors import ConfigError

_BODY = {"model": "gpt-5.4", "input": "Hello.", "stream": True}
_MILD = ("none", "length", "until-close", "page", "429-storm")


def _asked(seed: int, names: Sequence[str], n: int = 12) -> list[tuple[int, str, bytes]]:
    """Send the same request again and again; status, fault and length of each answer."""
    with running_fault_server(seed, names) as server, httpx.Client(base_url=server.base_url) as http:
        answers = [http.post("/responses", json=_BODY) for _ in range(n)]
    return [(one.status_code, one.headers["x-cometnb-fault"], one.content[:20]) for one in answers]


def test_the_same_seed_gives_the_same_faults() -> None:
    """In the same order; another seed gives another order; every answer names its fault, of those asked for."""
    assert _asked(7, _MILD) == _asked(7, _MILD) != _asked(8, _MILD)
    assert {name for _, name, _ in _asked(7, _MILD)} <= set(_MILD)


def test_a_line_has_an_order_of_its_own() -> None:
    """Requests that name one meet the same faults, whatever others were sent between."""
    met: list[Met] = []
    with (
        running_fault_server(3, _MILD, on_request=met.append) as server,
        httpx.Client(base_url=server.base_url) as http,
    ):
        for line in ("a", "b", "a", "a", "b"):
            http.post("/responses", json={**_BODY, "metadata": {"fault_line": line}})
    alone = Plan("3/a", _MILD)
    assert [one.trouble for one in met if one.line == "a"] == [alone.next().name for _ in range(3)]


def test_a_storm_lasts_for_several_requests() -> None:
    """Up to as many as its row says, and then it is over."""
    plan = Plan("1/", ("429-storm", "none"))
    names = [plan.next().name for _ in range(200)]
    assert "429-storm 429-storm 429-storm" in " ".join(names)
    assert "none" in names


def test_it_gets_well_when_it_is_told() -> None:
    """From then on nothing goes wrong any more."""
    with running_fault_server(1, ["page"]) as server, httpx.Client(base_url=server.base_url) as http:
        assert "html" in http.post("/responses", json=_BODY).headers["content-type"]
        server.is_well = True
        assert "event-stream" in http.post("/responses", json=_BODY).headers["content-type"]


def test_a_body_where_there_is_none_is_marked() -> None:
    """A 304 has no body: what follows one belongs to no answer, and spoils the next on its connection."""
    met: list[Met] = []
    with (
        running_fault_server(3, ["odd-status"], on_request=met.append) as server,
        httpx.Client(base_url=server.base_url) as http,
        pytest.raises(httpx.RemoteProtocolError, match="illegal status line"),
    ):
        for _ in range(200):
            http.get("/models")
    assert b" 304 " in met[-2].sent[:20]
    assert [one.is_behind_garbage for one in met] == [False] * (len(met) - 1) + [True]


def test_a_chunked_request_is_read() -> None:
    """As clients send one whose length they do not know."""
    with running_fault_server(1, ["none"]) as server:
        answer = httpx.post(
            f"{server.base_url}/responses", content=iter([b'{"model":"gpt-5.4",', b'"input":"Hello."}'])
        )
    assert answer.json()["status"] == "completed"


def test_what_cannot_be_is_refused() -> None:
    """An unknown fault, and a place that others can reach."""
    with pytest.raises(ConfigError, match="no fault 'what'"), running_fault_server(1, ["what"]):
        pass
    with pytest.raises(ConfigError, match="loopback"), running_fault_server(1, host="0.0.0.0"):
        pass


def test_the_command_names_every_fault_and_serves_them() -> None:
    """``--help`` lists them all; a request is answered, and a line on standard error says what it met."""
    serve = [sys.executable, "-m", "cometnb", "serve"]
    shown = subprocess.run([*serve, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(f"    {name} " in shown and row.doc in shown for name, row in TROUBLES.items())
    with subprocess.Popen(
        [*serve, "--port", "0", "--faults", "5", "page"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        base_url = server.stdout.readline().split()[-1]
        assert httpx.post(f"{base_url}/responses", json=_BODY).headers["x-cometnb-fault"] == "page"
        server.send_signal(2)
        assert server.wait(timeout=30) == 0
        assert server.stderr.read() == "1: POST /v1/responses: page\n"
