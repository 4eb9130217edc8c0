"""A session: its settings, its two clients, its notes, its end."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import pytest

from cometnb.client.attempt import Attempt
from cometnb.client.simulator import Simulator
from cometnb.errors import CometWarning, ConfigError, ParamError
from cometnb.session.session import Session
from tests.client.transports import KEY, Script, body_of, json_answer


def test_settings_are_checked_at_once() -> None:
    """A session that cannot work is not made."""
    with pytest.raises(ConfigError, match="no API key"):
        Session()
    with pytest.raises(ParamError, match="timeout_s=0"):
        Session(api_key=KEY, timeout_s=0)


def test_it_says_where_calls_go() -> None:
    """Backend, base URL and model, as the client has them."""
    session = Session(transport=Simulator(), base_url="https://gateway.example/v1", model="gpt-5.5")
    assert (session.backend, session.base_url) == ("simulator", "https://gateway.example/v1")
    assert session.model == session.start("Hi").wait().model == "gpt-5.5"
    session.close()


def test_both_clients_share_transport_and_observers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the session's thread stored can be retrieved with its sync client, also if only the environment chose."""
    monkeypatch.setenv("COMETNB_BACKEND", "simulator")
    attempts: list[Attempt] = []
    session = Session(observers=[attempts.append])
    response = session.start("Hi").wait()
    assert response.id is not None
    assert session.client.retrieve(response.id).output_text == response.output_text
    session.client.respond("Ho")
    assert len(attempts) == 2
    session.close()


def test_the_environment_can_be_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    """`backend` given goes before COMETNB_BACKEND, for both clients."""
    monkeypatch.setenv("COMETNB_BACKEND", "simulator")
    session = Session(api_key=KEY, backend="api")
    assert (session.backend, session.client.backend) == ("api", "api")
    session.close()


def test_a_wrong_parameter_is_refused_at_the_start() -> None:
    """It raises where the call is made, before anything is sent."""
    script = Script(json_answer(body_of()))
    session = Session(transport=script)
    with pytest.raises(ParamError, match="temperature=9"):
        session.start("Hi", temperature=9)
    assert script.requests == []
    session.close()


def test_notes_tell_what_was_settled_for_the_last_call() -> None:
    """Every time, also if the same was settled before, and instead of a warning."""
    session = Session(transport=Simulator())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            session.start("Hi", reasoning={"effort": "quite high"}).wait()
            assert len(session.notes) == 1
            assert "quite high" in session.notes[0]
        session.start("Hi").wait()
    assert session.notes == ()
    session.close()


def test_other_warnings_are_no_notes() -> None:
    """What is not the client's is left to whoever listens."""

    class Odd(dict[str, str]):
        def items(self) -> Any:
            warnings.warn("mine", DeprecationWarning, stacklevel=2)
            return super().items()

    session = Session(transport=Simulator())
    with pytest.warns(DeprecationWarning, match="mine"):
        session.start("Hi", metadata=Odd(a="b")).wait()
    assert session.notes == ()
    session.close()


def test_models_are_listed() -> None:
    """On the session's thread."""
    session = Session(transport=Simulator(models=["gpt-5.4", "gpt-5.5"]))
    assert session.models() == ["gpt-5.4", "gpt-5.5"]
    session.close()


def test_closing_ends_calls_that_still_run() -> None:
    """Nobody is left waiting: the call is interrupted, its row written, the thread gone."""
    attempts: list[Attempt] = []
    threads = set(threading.enumerate())
    session = Session(transport=Simulator(fault="stall"), observers=[attempts.append])
    running = session.start("What is a monad?")
    next(running.batches(0.0))
    session.close()
    assert running.is_done
    assert running.wait().status == "interrupted"
    assert running.response.output_text
    assert [attempt.status for attempt in attempts] == ["interrupted"]
    assert set(threading.enumerate()) <= threads


def test_closing_is_for_used_and_unused_sessions() -> None:
    """A session that made no call closes too, and so does one that is closed."""
    threads = set(threading.enumerate())
    session = Session(transport=Simulator())
    session.close()
    session.close()
    assert set(threading.enumerate()) <= threads


def test_no_warning_reaches_those_who_ask_for_none() -> None:
    """The client's own notes come once, as CometWarning, where no session gathers them."""
    session = Session(transport=Simulator())
    with pytest.warns(CometWarning, match="rather high"):
        session.client.respond("Hi", reasoning={"effort": "rather high"})
    session.close()
