"""The doctor: settings, what is free, the order of its calls, and that nothing ends it but an interrupt."""

from __future__ import annotations

import json

import httpx
import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.simulator import Simulator
from cometnb.errors import ConfigError
from cometnb.session.doctor import COSTS, examine, without_session
from cometnb.session.session import Session
from tests.client.transports import (
    KEY,
    SSE,
    Answer,
    Clock,
    json_answer,
)
from tests.session.doctor_gateway import (
    NOT_FOUND,
    Gateway,
    found_at,
    not_ok,
    pieces_of_stream,
)


def test_everything_is_fine() -> None:
    """A service that can do everything gets an ok for everything, and nothing is left stored there."""
    clock = Clock()
    gateway = Gateway(clock=clock)
    found = found_at(gateway, clock=clock)
    assert not_ok(found) == {}
    assert gateway.kinds()[:4] == ["models", "body", "stream", "second"]
    deleted = [request.url.path for request in gateway.requests if request.method == "DELETE"]
    assert deleted == [f"/v1/responses/resp_{number}" for number in (1, 3, 2)]


def test_the_simulator_is_fine() -> None:
    """It can do everything, and needs no key."""
    found = found_at(Simulator(), api_key=None)
    assert not_ok(found) == {}
    assert "needs no key" in found["key"].fact


def test_what_is_free_comes_without_what_costs() -> None:
    """One request, no model asked, and a word on how to find out the rest."""
    gateway = Gateway()
    found = found_at(gateway, spend=False)
    assert gateway.kinds() == ["models"]
    assert [name for name, finding in found.items() if finding.state == "ok"] == ["key", "base URL", "models"]
    assert "cost" in found["stream"].fact
    assert "200 tokens" in COSTS


def test_calls_are_small_and_labelled() -> None:
    """Every attempt says that the doctor made it, and has a limit of tokens."""
    attempts: list[Attempt] = []
    found_at(Gateway(), observers=[attempts.append])
    assert [attempt.labels for attempt in attempts] == [{"tag": "doctor"}] * 3
    assert [attempt.params["max_output_tokens"] for attempt in attempts] == [16, 64, 16]


def test_each_step_is_announced() -> None:
    """Before it is made."""
    gateway = Gateway()
    session = Session(api_key=KEY, transport=gateway)
    told: list[tuple[str, int]] = []
    examine(
        session, spend=True, model="gpt-5.5", progress=lambda line: told.append((line, len(gateway.requests)))
    )
    session.close()
    assert [count for _, count in told] == [0, 1, 2, 3, 4]
    assert "gpt-5.5" in told[1][0]
    assert {json.loads(request.content)["model"] for request in gateway.requests[1:4]} == {"gpt-5.5"}


def test_a_session_without_a_key() -> None:
    """It is missing, and the rest is looked at all the same: a gateway may need none."""
    found = found_at(Gateway(), api_key=None, spend=False)
    assert (found["key"].state, found["models"].state) == ("missing", "ok")
    assert "no API key" in found["key"].fact


def test_no_session_could_be_made() -> None:
    """The reason is a finding, and so is every other subject."""
    with pytest.raises(ConfigError) as caught:
        Session()
    found = {finding.subject: finding for finding in without_session(caught.value)}
    assert found["key"].state == "missing"
    assert "COMETAPI_KEY" in found["key"].consequence
    assert {finding.state for name, finding in found.items() if name != "key"} == {"skipped"}
    assert len(found) == len(found_at(Gateway(), spend=False))


def test_another_setting_is_not_called_the_key() -> None:
    """A base URL that is none stands under settings."""
    with pytest.raises(ConfigError) as caught:
        Session(api_key=KEY, base_url="gateway")
    assert without_session(caught.value)[0].subject == "settings"


def test_the_key_is_shown_by_its_last_four_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """With where it came from; a service that quotes it does not get it shown."""
    monkeypatch.setenv("COMETAPI_KEY", KEY)
    quoted = json_answer({"error": {"message": f"no: {KEY}"}}, 400)
    found = found_at(Gateway({"models": quoted, "body": quoted, "stream": quoted}), api_key=None)
    assert f"…{KEY[-4:]}, from COMETAPI_KEY" in found["key"].fact
    assert KEY[:-4] not in str(found)


def test_a_gateways_key_without_a_form_is_hidden_too() -> None:
    """Also one that looks like no key at all, in whatever the service lists."""
    key = "canary-without-form"
    listed = json_answer({"data": [{"id": f"gpt-5.4-{key}"}]})
    found = found_at(Gateway({"models": listed}), api_key=key, model="gpt-5.4-canary")
    assert "close to it: gpt-5.4-" in found["models"].fact
    assert key not in str(found)


@pytest.mark.parametrize(("key", "state"), [("sk-1234567", "ok"), ("my-own", "degraded")])
def test_the_form_of_a_key_counts_at_cometapi(key: str, state: str) -> None:
    """Other gateways may have other keys."""
    at_cometapi = found_at(Gateway(), api_key=key, base_url=None, spend=False)
    assert at_cometapi["key"].state == state
    assert key not in at_cometapi["key"].fact
    assert found_at(Gateway(), api_key=key, spend=False)["key"].state == "ok"


def test_the_key_is_refused() -> None:
    """The key is at fault and not the URL, and no call is tried."""
    refused = json_answer({"error": {"message": "Invalid token"}}, 401)
    gateway = Gateway({"models": refused})
    found = found_at(gateway)
    assert (found["key"].state, found["base URL"].state, found["models"].state) == (
        "missing",
        "ok",
        "missing",
    )
    assert "Invalid token" in found["stream"].fact
    assert gateway.kinds() == ["models"]


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (200, {"content-type": "text/html"}, "web page"),
        (301, {"location": "https://elsewhere.example/"}, "redirect"),
    ],
)
def test_the_base_url_is_not_the_apis(status: int, headers: dict[str, str], words: str) -> None:
    """A page or a redirect is named as such, and no call is tried."""
    gateway = Gateway({"models": Answer(status, headers, [b"<html>Welcome</html>"])})
    found = found_at(gateway)
    assert found["base URL"].state == "missing"
    assert words in found["base URL"].fact
    assert gateway.kinds() == ["models"]


def test_nobody_answers() -> None:
    """No connection is a finding about the base URL."""
    found = found_at(Gateway({"models": httpx.ConnectError("refused")}))
    assert found["base URL"].state == "missing"
    assert found["call without stream"].state == "skipped"


def test_the_base_url_is_not_https() -> None:
    """It works, and the key travels in the clear."""
    with pytest.warns(UserWarning, match="not https"):
        found = found_at(Gateway(), base_url="http://gateway.example/v1", spend=False)
    assert found["base URL"].state == "degraded"
    assert "in the clear" in found["base URL"].fact


def test_models_are_not_listed() -> None:
    """The rest works all the same."""
    found = found_at(Gateway({"models": json_answer(NOT_FOUND, 404)}))
    assert not_ok(found) == {"models": "missing"}


def test_the_model_is_not_listed() -> None:
    """With what comes close."""
    found = found_at(Gateway(), model="gpt-5.44", spend=False)
    assert found["models"].state == "degraded"
    assert "gpt-5.4" in found["models"].fact.partition("close to it")[2]


@pytest.mark.parametrize("fault", [RuntimeError("odd"), httpx.ReadTimeout("late"), OSError("gone")])
@pytest.mark.parametrize("kind", ["models", "body", "stream", "second", "GET", "GET items", "DELETE"])
def test_no_failure_is_an_exception(kind: str, fault: Exception) -> None:
    """Whatever fails, there is a finding for every subject."""
    found = found_at(Gateway({kind: fault}))
    assert "missing" in not_ok(found).values()
    assert len(found) == 13


@pytest.mark.parametrize("kind", ["models", "body", "stream", "second", "GET"])
def test_an_interrupt_ends_it(kind: str) -> None:
    """What was found stays, the rest is skipped, and no more is sent."""
    gateway = Gateway({kind: KeyboardInterrupt()})
    found = found_at(gateway)
    assert gateway.kinds()[-1] == kind
    assert "interrupted" in found["deletion"].fact
    assert found["models"].state == ("skipped" if kind == "models" else "ok")


def test_an_interrupted_call_has_its_row() -> None:
    """The observers are told of it, as of every other."""
    attempts: list[Attempt] = []
    pieces = [*pieces_of_stream()[:5], KeyboardInterrupt()]
    found_at(Gateway({"stream": Answer(200, SSE, pieces)}), observers=[attempts.append])
    assert [attempt.status for attempt in attempts] == ["completed", "interrupted"]
