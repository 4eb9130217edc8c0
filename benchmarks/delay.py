"""Row 5: how long a delta waits in the kernel before it leaves for the front end."""

from __future__ import annotations

import json
from statistics import median, quantiles

from benchmarks.kernel import ask, fresh_kernel, run_cell
from benchmarks.plan import Plan
from benchmarks.rounds import Samples
from benchmarks.tables import Section, Target
from tests.kernel.kernel_session import CellRun, KernelSession

__all__ = ["delay"]

_FIRST = "first delta"
_FIRST_LIMIT_MS, _PERIOD_MS = 30.0, 100.0
_CAUSE = "The view waits out its period, and what comes on top is the kernel's own loop and the machine's other work"
# Slow enough that each delta could be drawn alone, and as fast as services are. At the slow pace the view is
# often idle when a delta comes; at the fast one the first delta follows right after the events that announce it.
_PACES = (20, 200)

# The clock is the machine's, the same in every process.
_STAMPED = """
import time
from cometnb.client.stream import AsyncResponseStream
stamps, __anext = [], AsyncResponseStream.__anext__
async def stamped(stream):
    event = await __anext(stream)
    if event.type == "response.output_text.delta":
        stamps.append(time.monotonic())
    return event
AsyncResponseStream.__anext__ = stamped
"""


def delay(plan: Plan) -> Section:
    """Measure the time from a delta's arrival in the kernel to the message that first holds its text."""
    n_first, stream_s = plan.rounds(5), plan.size(1, 5)
    samples: Samples = {}
    for name, is_lab in (("cometnb, live view", True), ("cometnb, display handles", False)):
        with fresh_kernel(is_lab=is_lab) as kernel:
            run_cell(kernel, _STAMPED)
            for pace in plan.size(_PACES[1:], _PACES):
                print(f"  {name} at {pace}/s", flush=True)
                first = [_delays_ms(kernel, 10, pace)[0] for _ in range(n_first)]
                samples[f"{name}: {_FIRST} at {pace}/s"] = first
                samples[f"{name}: later deltas at {pace}/s"] = _delays_ms(kernel, pace * stream_s, pace)[1:]
    return Section(
        title="Delay from a delta to its iopub message",
        note=(
            f"Milliseconds from a delta's arrival in the kernel to the arrival, in another process, of the first"
            f" message that holds its text: the first deltas of {n_first} answers, and the later ones of an answer of"
            f" {stream_s} s. The view is drawn at most every {_PERIOD_MS:.0f} ms."
        ),
        columns=("way and deltas", "median ms", "95 % within ms", "longest ms"),
        rows=[(name, median(taken), _within_95(taken), max(taken)) for name, taken in samples.items()],
        samples=samples,
        targets=[_target(name, taken) for name, taken in samples.items()],
    )


def _target(name: str, delays_ms: list[float]) -> Target:
    if _FIRST in name:
        return Target(f"the median of {name}", median(delays_ms), _FIRST_LIMIT_MS, unit="ms", cause=_CAUSE)
    # The longest of so many would show the machine's worst moment.
    return Target(f"95 % of {name}", _within_95(delays_ms), _PERIOD_MS, unit="ms", cause=_CAUSE)


def _within_95(delays_ms: list[float]) -> float:
    return quantiles(delays_ms, n=20, method="inclusive")[-1] if len(delays_ms) > 1 else delays_ms[0]


def _delays_ms(kernel: KernelSession, n_deltas: int, deltas_per_s: float) -> list[float]:
    """Return the delay of every delta of one answer, in order."""
    words = [_word(number) for number in range(n_deltas)]
    run = ask(kernel, "".join(words), deltas_per_s)
    stamps_s: list[float] = json.loads(kernel.value(f"stamps[-{n_deltas}:]"))
    arrivals_s = _arrivals_s(run, words)
    return [(there - here) * 1000 for here, there in zip(stamps_s, arrivals_s, strict=True)]


def _word(number: int) -> str:
    """Return a word that is one delta and stands in the answer once."""
    letters = "".join(chr(ord("a") + number // 26**place % 26) for place in (2, 1, 0))
    return f"q{letters}q" if number == 0 else f" q{letters}q"


def _arrivals_s(run: CellRun, words: list[str]) -> list[float]:
    """Return when each word first came, on the clock that stamps it in the kernel."""
    drawn = run.of("display_data", "update_display_data", "comm_msg")
    shown = [(run.sent_at_s + message.arrived_s, json.dumps(message.content)) for message in drawn]
    return [next(at_s for at_s, content in shown if word.strip() in content) for word in words]
