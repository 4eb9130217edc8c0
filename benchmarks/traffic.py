"""Row 3: what an answer costs on iopub while it streams, in messages and in bytes on the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.growth import LINEAR
from benchmarks.kernel import ask, fresh_kernel, run_cell, simulated
from benchmarks.prose import markdown
from benchmarks.rounds import Samples
from benchmarks.tables import Section, Target
from tests.kernel.kernel_session import CellRun

__all__ = ["EVERY_DELTA", "FULL_TEXT_10_HZ", "traffic", "traffic_growth"]

_LIVE = "cometnb, live view"
_HANDLES = "cometnb, display handles"
_LIMIT_MB, _LIMIT_MESSAGES = 0.18, 200

_DRAWN = ("display_data", "update_display_data", "clear_output", "execute_result")
_COMMS = ("comm_open", "comm_msg", "comm_close")

EVERY_DELTA = """
import cometnb
from IPython.display import Markdown, display
text, handle = "", display(Markdown(""), display_id=True)
for delta in cometnb.stream("Hello", reasoning={"effort": "none"}).text_deltas():
    text += delta
    handle.update(Markdown(text))
"""
"""A cell that asks and draws the whole text after every delta, as a user would write it."""

FULL_TEXT_10_HZ = """
import time
import cometnb
from IPython.display import Markdown, display
text, drawn_s, handle = "", 0.0, display(Markdown(""), display_id=True)
for delta in cometnb.stream("Hello", reasoning={"effort": "none"}).text_deltas():
    text += delta
    if time.monotonic() - drawn_s >= 0.1:
        handle.update(Markdown(text))
        drawn_s = time.monotonic()
handle.update(Markdown(text))
"""
"""The same, at most ten times a second."""


def traffic(*, is_quick: bool) -> Section:
    """Measure what 2,000 deltas at 200 a second send to the front end."""
    n_deltas, deltas_per_s = (200, 400) if is_quick else (2_000, 200)
    text = markdown(n_deltas)
    ways: dict[str, Callable[[], list[CellRun]]] = {
        _LIVE: partial(_asked, [text], deltas_per_s, is_lab=True),
        _HANDLES: partial(_asked, [text], deltas_per_s, is_lab=False),
        "`update(Markdown(text))` at 10 Hz": partial(_by_hand, FULL_TEXT_10_HZ, text, deltas_per_s),
        "`update(Markdown(text))` for every delta": partial(_by_hand, EVERY_DELTA, text, deltas_per_s),
    }
    sent = {name: _sent(run()[0]) for name, run in ways.items()}
    return Section(
        title=f"iopub traffic of {n_deltas:,} deltas at {deltas_per_s} a second",
        note=(
            f"{len(text.encode()):,} bytes of Markdown, streamed into a cell of a real kernel: displays, updates,"
            " clears and comm messages with all their frames, 1 MB being 1,000,000 bytes. The last two are plain"
            " cells that read the same stream."
        ),
        columns=("way", "MB", "messages", "times the text"),
        rows=[(name, mb, str(n), mb * 1e6 / len(text.encode())) for name, (mb, n) in sent.items()],
        samples={name: [mb, n] for name, (mb, n) in sent.items()},
        targets=[
            target
            for name in (_LIVE, _HANDLES)
            for target in (
                Target(f"the traffic of {name}", sent[name][0], _LIMIT_MB, unit="MB"),
                Target(f"the traffic of {name}", sent[name][1], _LIMIT_MESSAGES, unit="messages"),
            )
        ],
    )


def traffic_growth(*, is_quick: bool) -> Section:
    """Measure how the traffic grows with the answer, as fast as the simulator streams."""
    sizes = (200, 1_000) if is_quick else (500, 2_000, 10_000, 50_000)
    kinds = {_LIVE: True, _HANDLES: False}
    samples: Samples = {
        name: [
            _sent(run)[0] * 1e6 / size
            for size, run in zip(
                sizes, _asked([markdown(size) for size in sizes], None, is_lab=is_lab), strict=True
            )
        ]
        for name, is_lab in kinds.items()
    }
    # What a call sends once is shared among its deltas, so a delta of a short answer costs more. Only one that
    # costs more in a longer answer than in a shorter one is growth.
    growth = {name: _growth(samples[name]) for name in kinds}
    return Section(
        title="Growth of the traffic with the length of the answer",
        note=(
            "Bytes on the wire for each delta, as fast as possible; growth is the most that a longer"
            " answer pays beyond a shorter one. Short answers pay more, for what is sent once, such as the widget."
        ),
        columns=("way", *(f"{size:,} deltas" for size in sizes), "growth"),
        rows=[(name, *samples[name], growth[name]) for name in kinds],
        samples=samples,
        targets=[Target(f"the growth of the traffic of {name}", growth[name], LINEAR) for name in kinds],
    )


def _asked(texts: Sequence[str], deltas_per_s: float | None, *, is_lab: bool) -> list[CellRun]:
    """Have each text streamed into a cell of its own, all in one kernel."""
    runs = []
    with fresh_kernel(is_lab=is_lab) as kernel:
        for text in texts:
            runs.append(ask(kernel, text, deltas_per_s))
            # The widget's last message may come after the cell's end.
            kernel.settle()
    assert all(bool(run.of(*_COMMS)) == is_lab for run in runs)
    return runs


def _by_hand(cell: str, text: str, deltas_per_s: float) -> list[CellRun]:
    with fresh_kernel() as kernel:
        run_cell(kernel, simulated(text, deltas_per_s))
        run = run_cell(kernel, cell)
        assert kernel.value("text") == text
    return [run]


def _growth(costs: list[float]) -> float:
    return max(later / min(costs[: index + 1]) for index, later in enumerate(costs))


def _sent(run: CellRun) -> tuple[float, int]:
    """Return the megabytes and the messages of what a cell drew."""
    return run.display_bytes / 1e6, len(run.of(*_DRAWN, *_COMMS))
