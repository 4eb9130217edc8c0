"""Two hundred runs leave nothing behind but the runs that are kept, and a closed panel not even those."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import tracemalloc
import weakref
from contextlib import suppress
from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances

import cometnb
from cometnb.client.simulator import Simulator
from cometnb.defaults import shared
from cometnb.panel import history
from cometnb.panel.board import Board
from cometnb.panel.calling import Call
from cometnb.panel.history import Run
from cometnb.panel.panel import Panel
from cometnb.protocol.response import Response

_RUNS, _KEPT = 200, 20


def _threads(expected: set[threading.Thread]) -> set[threading.Thread]:
    """The threads that live; where some are expected, once the others have had the time to end."""
    deadline_s = time.monotonic() + 10
    while (alive := set(threading.enumerate())) - expected and expected and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return alive


def _tasks() -> int:
    async def count() -> int:
        return len(asyncio.all_tasks()) - 1

    return shared.session._background.run(count())


def _count(*kinds: type) -> int:
    # The kernel's own sum keeps what decides a call's cost until somebody asks for it.
    assert shared.tally.spent is not None
    gc.collect()
    return sum(isinstance(one, kinds) for one in gc.get_objects())


def test_two_hundred_runs_leave_nothing_behind(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an open board: no comm, widget, thread, task, watcher or connection; memory stands still."""
    monkeypatch.setattr(history, "KEPT_RUNS", _KEPT)
    simulator.text = "A short answer. " * 20
    cometnb.panel("Wake the session.").run()
    threads, widgets, n_before = _threads(set()), set(_instances), _count(Call, Run, Response)
    gone = _run_often()
    assert (_tasks(), simulator.open_streams, shared._watchers) == (0, 0, [])
    assert _threads(threads) <= threads
    assert set(_instances) == widgets
    assert _count(Call, Run, Response) <= n_before
    assert [one() for one in gone] == [None] * len(gone)


def _run_often() -> list[weakref.ref[Any]]:
    """Run a panel 200 times, watch what it holds meanwhile, close it, and let go of it, its board and the widgets."""
    panel = cometnb.panel("Say hello.", store=False)
    before = set(_instances)
    panel._board = board = Board(panel)
    told: list[str] = []
    panel.watch(lambda kind, **_: told.append(kind))
    for _ in range(_KEPT):
        panel.run()
    n_full, widgets = _count(Call, Run, Response), set(_instances)
    held = []
    tracemalloc.start()
    try:
        for n_runs in (2 * _KEPT, _RUNS - 3 * _KEPT):
            for _ in range(n_runs):
                panel.run()
            assert _count(Call, Run, Response) <= n_full
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    # A run that is kept holds about 20 kB, so those that were not let go would be millions of bytes.
    assert held[1] - held[0] < 700_000
    assert set(_instances) == widgets
    assert told.count("ended") == _RUNS
    numbers = [run.number for run in panel.runs]
    assert numbers == list(range(_RUNS - _KEPT + 1, _RUNS + 1))
    parts = [_instances[name] for name in widgets - before]
    panel.close()
    return [weakref.ref(one) for one in (panel, board, *parts)]


def test_a_panel_that_is_dropped_unclosed_goes() -> None:
    """Neither what waits to work out the cost nor a run that has ended holds it."""
    panel: Any = cometnb.panel("Hi.")
    panel.run()
    gone = weakref.ref(panel)
    panel.set("temperature", 1)
    del panel
    gc.collect()
    assert gone() is None


def test_stopped_and_failed_runs_leave_nothing_either(simulator: Simulator) -> None:
    """Nor do those that were never sent."""
    cometnb.panel("Wake the session.").run()
    threads = _threads(set())
    panel = Panel("Hi.", params={"store": False})
    panel.run()
    for simulate in ("stall", "400", "failed", "cut"):
        panel.set("metadata.simulate", simulate)
        run = panel.start()
        panel.stop()
        assert run.wait(10)
    panel.params = {"temperature": 9}
    for _ in range(3):
        with suppress(cometnb.CometError):
            panel.run()
    panel.close()
    assert _tasks() == 0
    assert simulator.open_streams == 0
    assert shared._watchers == []
    assert _threads(threads) <= threads
