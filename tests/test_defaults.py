"""What a kernel's cells share: settings that change as a whole, one session, one ledger, one tally."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import cometnb
from cometnb import Budget, defaults
from cometnb.client.simulator import Simulator
from cometnb.defaults import Shared
from cometnb.errors import ConfigError


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shared]:
    """A kernel's shared things, as after a restart; `cometnb.respond` and its like use them too."""
    made = Shared()
    monkeypatch.setattr(defaults, "shared", made)
    yield made
    made.configure()
    made.ledger.close()


@pytest.fixture
def simulated(shared: Shared) -> Shared:
    """The same, on the simulator, which answers at once."""
    shared.configure(backend="simulator")
    shared.hurry()
    return shared


def test_without_a_key_it_says_how_to_go_on(shared: Shared) -> None:
    """At the first call and not before; the settings can still be looked at."""
    assert shared.options.backend == "api"
    with pytest.raises(ConfigError, match="no API key"):
        cometnb.respond("Hi")


def test_the_environment_is_read_at_the_first_call(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key or backend set in a later cell counts, also after a call that failed for want of it."""
    with pytest.raises(ConfigError):
        cometnb.respond("Hi")
    monkeypatch.setenv("COMETNB_BACKEND", "simulator")
    shared.hurry()
    assert cometnb.respond("Hi").status == "completed"


def test_settings_are_for_the_calls_to_come(simulated: Shared) -> None:
    """A new model is the next call's; None goes back to what was before."""
    assert cometnb.respond("Hi").model == "gpt-5.4"
    simulated.configure(model="gpt-5.5")
    assert cometnb.respond("Hi").model == "gpt-5.5"
    simulated.configure(model=None)
    assert cometnb.respond("Hi").model == "gpt-5.4"


@pytest.mark.parametrize(
    "bad", [{"backend": "other"}, {"base_url": "nowhere"}, {"live": "perhaps"}, {"model": " "}]
)
def test_a_bad_setting_changes_nothing(simulated: Shared, bad: dict[str, str]) -> None:
    """Not the settings given with it either, and the session stays."""
    session, options = simulated.session, simulated.options
    with pytest.raises(ConfigError):
        simulated.configure(**{"model": "gpt-5.5", **bad})
    assert simulated.options == options
    assert simulated.session is session


def test_settings_add_up(simulated: Shared) -> None:
    """One setting leaves the others as they are."""
    simulated.configure(model="gpt-5.5")
    simulated.configure(live="off")
    assert (simulated.options.backend, simulated.options.model, simulated.options.live) == (
        "simulator",
        "gpt-5.5",
        "off",
    )


def test_a_setting_goes_before_the_environment(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """`%comet simulator off` goes to the API, whatever COMETNB_BACKEND says."""
    monkeypatch.setenv("COMETNB_BACKEND", "simulator")
    monkeypatch.setenv("COMETAPI_KEY", "sk-made-up-key")
    assert shared.session.backend == "simulator"
    shared.configure(backend="api")
    assert (shared.session.backend, shared.session.client.backend) == ("api", "api")


def test_the_session_is_shared(simulated: Shared) -> None:
    """Two calls find what the service keeps; the simulator stays the same when settings change."""
    response = cometnb.respond("Hi")
    simulated.configure(model="gpt-5.5")
    again = cometnb.respond("And now?", previous_response_id=response.id)
    assert again.previous_response_id == response.id


def test_a_stream_is_the_shared_sessions(simulated: Shared) -> None:
    """`cometnb.stream` streams, and its row is in the ledger."""
    with cometnb.stream("Hi", labels={"tag": "t"}) as stream:
        text = "".join(stream.text_deltas())
    assert text == stream.response.output_text
    assert list(cometnb.usage()["tag"]) == ["t"]


def test_rows_appear_in_the_ledger(simulated: Shared) -> None:
    """One per attempt, newest last, and `usage` filters as the ledger does."""
    cometnb.respond("one")
    with cometnb.stream("two") as stream:
        next(stream)
    with pytest.raises(cometnb.CometError):
        cometnb.respond("three", metadata={"simulate": "400"})
    frame = cometnb.usage()
    assert list(frame["status"]) == ["completed", "interrupted", "error"]
    assert set(frame["backend"]) == {"simulator"}
    assert len(cometnb.usage("today", status="completed")) == 1
    assert simulated.tally.n_attempts == 3


def test_another_ledger_takes_the_rows_to_come(simulated: Shared, tmp_path: Path) -> None:
    """What was recorded before is written where it belongs, at once."""
    first, second = tmp_path / "first.sqlite", tmp_path / "second.sqlite"
    simulated.configure(ledger=str(first))
    cometnb.respond("one")
    simulated.configure(ledger=str(second))
    cometnb.respond("two")
    cometnb.respond("three")
    assert len(cometnb.usage()) == 2
    assert len(cometnb.Ledger(first).usage()) == 1


def test_a_call_that_runs_ends_when_settings_change(simulated: Shared) -> None:
    """It is interrupted and recorded, and nobody waits for it in vain."""
    simulated.simulator.fault = "stall"
    running = simulated.session.start("Hi")
    next(running.batches(0.0))
    simulated.configure(model="gpt-5.5")
    assert running.wait().status == "interrupted"
    assert list(cometnb.usage()["status"]) == ["interrupted"]


def test_hurrying_leaves_a_pace_that_was_chosen(shared: Shared) -> None:
    """Only the pace nobody chose is given up where nobody watches."""
    usual = Shared()
    usual.hurry()
    assert (usual.simulator.tokens_per_s, usual.simulator.first_token_s) == (None, 0.0)
    shared.simulator.tokens_per_s = 50.0
    shared.hurry()
    assert shared.simulator.tokens_per_s == 50.0


def test_only_the_budget_in_force_is_the_shared_one(shared: Shared) -> None:
    """A refusal by it names the magic's line, one by another what changes that."""
    first, second = Budget(0.25), Budget(0.50)
    shared.set_budget(first)
    shared.set_budget(second)
    assert (first.is_shared, second.is_shared) == (False, True)
    shared.set_budget(None)
    assert not second.is_shared


def test_a_client_of_ones_own_does_not_use_the_shared_ledger(simulated: Shared) -> None:
    """Only what the kernel's own session sends is recorded."""
    with cometnb.Client(transport=Simulator()) as client:
        client.respond("Hi")
    assert len(cometnb.usage()) == 0
    assert simulated.tally.n_attempts == 0


def test_functions_are_run_and_answered(simulated: Shared) -> None:
    """From Python as from a cell."""

    def population(city: str) -> int:
        """People living in a city."""
        return len(city)

    response = cometnb.respond(
        "What is the population of Rome?", tools=[population], reasoning={"effort": "none"}
    )
    assert [result.output for result in response.tool_results] == ["4"]
    assert "4" in response.output_text


def test_a_structured_answer_is_parsed(simulated: Shared) -> None:
    """With the dtypes of its schema."""
    response = cometnb.respond("Three people", schema="[name, age int]")
    assert {type(row["age"]) for row in response.parsed} == {int}
    assert list(response.to_frame().dtypes.astype(str)) == ["string", "Int64"]


def test_a_chat_goes_on_by_name_or_object(simulated: Shared) -> None:
    """The same one that cells continue; one's own is kept by nobody else."""
    first = cometnb.respond("One", chat="plan")
    second = cometnb.respond("Two", chat="plan")
    assert second.previous_response_id == first.id
    assert [turn.prompt for turn in simulated.chats["plan"].path] == ["One", "Two"]
    own = cometnb.Conversation("own")
    cometnb.respond("One", chat=own)
    assert len(own.path) == 1
    assert "own" not in simulated.chats


def test_the_services_own_tools_are_offered_by_name(simulated: Shared) -> None:
    """Without a loop: the service runs them."""
    cometnb.respond("Search the web for kites.", tools=["web_search_preview"])
    assert simulated.simulator.requests[-1]["tools"] == [{"type": "web_search_preview"}]


def test_a_key_that_was_given_is_in_no_repr_of_what_holds_it() -> None:
    """A debugger, and a traceback that shows variables, show these."""
    key = "gateway-canary-42"
    shared = Shared()
    shared.configure(api_key=key, base_url="http://127.0.0.1:9/v1")
    shared.session.client  # noqa: B018 - made at first use
    assert shared.options.api_key == key
    assert key not in f"{vars(shared)} {vars(shared.session)} {vars(shared.session.client)}"
    shared.session.close()
