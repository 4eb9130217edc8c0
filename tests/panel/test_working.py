"""A panel at work: runs, stops, errors, observers, and what the service refuses."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from typing import Any

import pytest

import cometnb
from cometnb.client.simulator import Simulator
from cometnb.defaults import shared
from cometnb.errors import BadRequestError, CellError, CometWarning, ConfigError, ServerError
from cometnb.panel.panel import Panel

_STALLS = {"simulate": "stall"}


def _stalled(prompt: str = "Write a long answer.") -> Panel:
    """A panel whose answer stands still in the middle of its text."""
    return Panel(prompt, params={"metadata": _STALLS})


def _until_text(panel: Panel) -> None:
    deadline_s = time.monotonic() + 20
    while not (panel.response and panel.response.output_text):
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_a_run_gives_the_response() -> None:
    """And every trait says so."""
    panel = Panel("Say hello.")
    response = panel.run()
    assert response.status == "completed"
    assert panel.response is response
    assert (panel.running, panel.error, len(panel.runs)) == (False, None, 1)
    assert panel.runs[0].request == panel.request


def test_start_returns_before_the_end() -> None:
    """The answer so far can be read while it comes."""
    panel = _stalled()
    run = panel.start()
    _until_text(panel)
    assert panel.running
    assert not run.is_done
    assert panel.response.status == "in_progress"
    panel.stop()
    assert panel.wait(10)


def test_stopping_closes_the_connection_and_keeps_the_text(simulator: Simulator) -> None:
    """From any thread; the run is interrupted, not failed."""
    panel = _stalled()
    run = panel.start()
    _until_text(panel)
    thread = threading.Thread(target=panel.stop)
    thread.start()
    thread.join()
    assert run.wait(10)
    assert simulator.open_streams == 0
    assert (run.status, panel.error, panel.running) == ("interrupted", None, False)
    assert run.text


def test_a_second_start_is_refused(simulator: Simulator) -> None:
    """In two lines, and the first goes on."""
    panel = _stalled()
    panel.add_column(temperature=0)
    panel.start()
    with pytest.raises(CellError, match="still on its way"):
        panel.start()
    with pytest.raises(CellError, match="still on its way"):
        panel.run_columns()
    assert panel.running
    panel.stop()
    panel.wait(10)
    panel.params = {}
    assert panel.run().status == "completed"


def test_two_panels_run_at_once(simulator: Simulator) -> None:
    """Neither waits for the other."""
    first, second = _stalled("One."), _stalled("Two.")
    first.start()
    second.start()
    _until_text(first)
    _until_text(second)
    assert simulator.open_streams == 2
    for panel in (first, second):
        panel.stop()
        assert panel.wait(10)


def test_an_interrupt_stops_the_run_and_keeps_the_text(simulator: Simulator) -> None:
    """As in a cell: Ctrl-C raises KeyboardInterrupt, and the text so far is there."""
    panel = _stalled()

    def interrupt() -> None:
        _until_text(panel)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt, match=r"panel\.response"):
        panel.run()
    assert panel.response.status == "interrupted"
    assert panel.response.output_text
    assert simulator.open_streams == 0


def test_arun_leaves_the_loop_free() -> None:
    """Another task of the loop goes on while the answer comes."""
    panel = Panel("Say hello.")

    async def both() -> tuple[str, int]:
        ticks = 0
        task = asyncio.create_task(panel.arun())
        while not task.done():
            await asyncio.sleep(0)
            ticks += 1
        return (await task).status, ticks

    status, ticks = asyncio.run(both())
    assert status == "completed"
    assert ticks > 10


def test_cancelling_arun_stops_the_run(simulator: Simulator) -> None:
    """And the panel is free when the task has ended."""
    panel = _stalled()

    async def cancelled() -> None:
        task = asyncio.create_task(panel.arun())
        while not (panel.response and panel.response.output_text):
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert not panel.running
    assert simulator.open_streams == 0
    assert panel.runs[-1].status == "interrupted"


def test_an_error_of_the_service_is_raised_and_kept(simulator: Simulator) -> None:
    """By run and by arun; a panel that was only started keeps it."""
    simulator.fault = "500:invalid_request"
    panel = Panel("Hi.")
    with pytest.raises(BadRequestError):
        panel.run()
    with pytest.raises(BadRequestError):
        asyncio.run(panel.arun())
    panel.start().wait(10)
    assert isinstance(panel.error, BadRequestError)
    assert [run.status for run in panel.runs] == ["error"] * 3


def test_what_came_before_an_error_is_kept(simulator: Simulator) -> None:
    """The answer of a stream that broke has its text."""
    panel = Panel("Hi.", params={"metadata": {"simulate": "failed"}})
    with pytest.raises(cometnb.CometError):
        panel.run()
    assert panel.response.output_text
    assert panel.response.status == "failed"


def test_what_is_never_sent_is_no_run() -> None:
    """The panel is free again at once."""
    shared.configure(backend="api")
    panel = Panel("Hi.")
    with pytest.raises(ConfigError):
        panel.run()
    assert "COMETAPI_KEY" in panel.problem
    shared.configure(backend="simulator")
    assert panel.run().status == "completed"
    assert panel.problem == ""
    assert len(panel.runs) == 1


def test_watchers_are_told_in_order() -> None:
    """Started, events until the last, ended; on the run's thread."""
    panel = Panel("Hi.")
    told: list[str] = []
    events: list[Any] = []
    threads = set()

    def watcher(kind: str, **details: Any) -> None:
        told.append(kind)
        events.extend(details.get("events", ()))
        threads.add(threading.current_thread().name)
        assert details["run"] is not None
        assert details["column"] is None

    end = panel.watch(watcher)
    panel.run()
    assert told[0] == "started"
    assert told[-1] == "ended"
    assert set(told[1:-1]) == {"events"}
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert threads == {"cometnb-panel"}
    end()
    end()
    n_told = len(told)
    panel.run()
    assert len(told) == n_told


def test_who_watches_badly_costs_no_answer() -> None:
    """A watcher or an observer that raises becomes a warning."""
    panel = Panel("Hi.")

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("watcher")

    panel.watch(fails)
    panel.observe(fails, "response")
    with pytest.warns(CometWarning, match="watcher"):
        assert panel.run().status == "completed"
    assert not panel.running


def test_running_becomes_false_last() -> None:
    """Who hears it finds the response, the runs and the sum, and may run again."""
    panel = Panel("Hi.")
    seen: list[tuple[bool, int, str]] = []
    panel.observe(lambda change: seen.append((change.new, len(panel.runs), str(panel.response))), "running")
    response = panel.run()
    assert seen == [(True, 0, "None"), (False, 1, str(response))]


def test_simulated_runs_are_kept_apart_in_the_sum() -> None:
    """Nobody pays for them, and the panel counts its own runs only."""
    first, second = Panel("Hi."), Panel("Hi.")
    first.run()
    first.run()
    second.run()
    assert first.spent.endswith("simulated")
    usd = [float(panel.spent.split()[0].removeprefix("$")) for panel in (first, second)]
    assert usd[0] == pytest.approx(sum(run.cost.usd for run in first.runs), abs=1e-4)
    assert usd[1] < usd[0]


def test_a_refused_parameter_is_marked_with_the_services_words(simulator: Simulator) -> None:
    """Until it is dropped, and then the same panel runs."""
    simulator.without = ["temperature"]
    panel = cometnb.panel("Hi.", temperature=0.2, top_p=0.5)
    with pytest.raises(BadRequestError):
        panel.run()
    assert list(panel.refused) == ["temperature"]
    assert (
        "Unsupported parameter: 'temperature' is not supported with this model."
        in panel.refused["temperature"]
    )
    panel.drop_refused("temperature")
    assert panel.params == {"top_p": 0.5}
    assert panel.refused == {}
    assert panel.run().status == "completed"


@pytest.mark.parametrize(
    ("path", "value"), [("temperature", 0.3), ("model", "gpt-4.1"), ("temperature", None)]
)
def test_a_mark_goes_with_what_it_was_about(simulator: Simulator, path: str, value: Any) -> None:
    """Another value, another model, or none: the service has not been asked about that."""
    simulator.without = ["temperature"]
    panel = cometnb.panel("Hi.", temperature=0.2)
    panel.start().wait(10)
    panel.set("top_p", 1)
    assert panel.refused
    panel.set(path, value)
    assert panel.refused == {}


def test_fields_inside_a_parameter_are_marked_by_themselves(simulator: Simulator) -> None:
    """Effort is refused, its neighbour stays."""
    simulator.without = ["effort"]
    panel = cometnb.panel("Hi.", reasoning={"effort": "low", "summary": "auto"})
    panel.start().wait(10)
    assert list(panel.refused) == ["reasoning.effort"]
    panel.drop_refused("reasoning.effort")
    assert panel.params == {"reasoning": {"summary": "auto"}}


def test_functions_of_the_notebook_are_run() -> None:
    """Their results go back to the model, and all rounds are one run."""

    def weather(city: str) -> str:
        """Tell the weather of a city."""
        return f"Rain in {city}."

    panel = cometnb.panel("What is the weather in Paris?", tools=[weather])
    response = panel.run()
    assert [result.name for result in response.tool_results] == ["weather"]
    assert len(panel.runs) == 1
    assert len(response.rounds) == 2


def test_a_function_waits_for_permission_where_it_is_asked_for() -> None:
    """A watcher answers, as a button would."""
    done = []

    def weather(city: str) -> str:
        """Tell the weather of a city."""
        done.append(city)
        return "Rain."

    panel = cometnb.panel("What is the weather in Paris?", tools=[weather], confirms=True)

    def answer(kind: str, **details: Any) -> None:
        for event in details.get("events", ()):
            if event.type == "cometnb.tool.asked":
                panel.permit(event.raw["call_id"], False)

    panel.watch(answer)
    response = panel.run()
    assert done == []
    assert response.tool_results[0].is_error


def test_a_structured_answer_is_parsed() -> None:
    """The response knows its schema."""
    panel = cometnb.panel("Two cities.", schema="[name, people int]")
    assert list(panel.run().to_frame().columns) == ["name", "people"]


def test_clearing_takes_the_answer_and_keeps_the_runs() -> None:
    """Not while one is on its way."""
    panel = Panel("Hi.")
    panel.run()
    panel.clear()
    assert (panel.response, panel.notes, panel.error, len(panel.runs)) == (None, (), None, 1)
    panel.params = {"metadata": _STALLS}
    panel.start()
    with pytest.raises(CellError):
        panel.clear()
    panel.stop()
    panel.wait(10)


def test_closing_stops_what_is_on_its_way(simulator: Simulator) -> None:
    """What came can be read, and nothing can be started."""
    panel = _stalled()
    panel.start()
    _until_text(panel)
    panel.close()
    assert simulator.open_streams == 0
    assert panel.runs[-1].text
    with pytest.raises(CellError, match="closed"):
        panel.start()
    panel.close()


def test_new_settings_of_the_kernel_end_the_run_and_serve_the_next(simulator: Simulator) -> None:
    """The text that had come is kept."""
    panel = _stalled()
    run = panel.start()
    _until_text(panel)
    shared.configure(model="gpt-5.4-nano")
    assert run.wait(10)
    assert (run.status, bool(run.text)) == ("interrupted", True)
    panel.params = {}
    assert panel.run().model_requested == "gpt-5.4-nano"


def test_a_server_error_marks_nothing(simulator: Simulator) -> None:
    """It is about the service and not about a setting."""
    simulator.fault = "502"
    shared.session._settings["max_retries"] = 0
    panel = cometnb.panel("Hi.", temperature=1)
    panel.start().wait(30)
    assert isinstance(panel.error, ServerError)
    assert panel.refused == {}
