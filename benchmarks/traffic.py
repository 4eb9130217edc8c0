"""Row 3: what an answer costs on iopub while it streams, in messages and in bytes on the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from benchmarks.comparison.kernels import tool_kernel
from benchmarks.comparison.left import answer_in, left_behind, trouble
from benchmarks.comparison.tools import MODEL, TOOLS
from benchmarks.growth import LINEAR, growth
from benchmarks.kernel import ask, fresh_kernel, run_cell, simulated
from benchmarks.plan import Plan, failing_is_unmeasured
from benchmarks.prose import markdown
from benchmarks.rounds import Rounds, Samples, run_rounds
from benchmarks.tables import Section, Target
from cometnb.client.server import running_server
from tests.kernel.kernel_session import CellRun

__all__ = ["full_text", "traffic", "traffic_growth"]

_LIVE = "cometnb, live view"
_HANDLES = "cometnb, display handles"
_TOOLS = {
    "chatlas": "chatlas",
    "lisette": "lisette",
    "`%%ai` of Jupyter AI 3, all at the end": "jupyter-ai-magic-commands",
    "`%%ai` of jupyter-ai-magics 2, all at the end": "jupyter-ai-magics",
}
_AT_THE_END = tuple(_TOOLS)[2:]
_TOOL_S = 240.0
_LIMIT_MB, _LIMIT_MESSAGES = 0.18, 200
_GROWTH_CAUSE = (
    "A block is sent anew while it grows, so a longer block costs more; a block that is done is not"
)
_CAUSE = "A message's frame alone is about 0.9 kB: ten a second for ten seconds are 0.09 MB before any text"

_DRAWN = ("display_data", "update_display_data", "clear_output", "execute_result")
_COMMS = ("comm_open", "comm_msg", "comm_close")

_EVERY_DELTA = """
import cometnb
from IPython.display import Markdown, display
text, handle = "", display(Markdown(""), display_id=True)
for delta in cometnb.stream("Hello", reasoning={"effort": "none"}).text_deltas():
    text += delta
    handle.update(Markdown(text))
"""

_APPENDED = """
import cometnb
from IPython.display import display
from ipywidgets import Output
text, output = "", Output()
display(output)
for delta in cometnb.stream("Hello", reasoning={"effort": "none"}).text_deltas():
    text += delta
    output.append_stdout(delta)
"""


def full_text(times_per_s: int) -> str:
    """Return a cell that asks and draws the whole text so often at most, as a user would write it."""
    return f"""
import time
import cometnb
from IPython.display import Markdown, display
text, drawn_s, handle = "", 0.0, display(Markdown(""), display_id=True)
for delta in cometnb.stream("Hello", reasoning={{"effort": "none"}}).text_deltas():
    text += delta
    if time.monotonic() - drawn_s >= 1 / {times_per_s}:
        handle.update(Markdown(text))
        drawn_s = time.monotonic()
handle.update(Markdown(text))
"""


def traffic(plan: Plan) -> Section:
    """Measure what 2,000 deltas at 200 a second send to the front end."""
    n_deltas, deltas_per_s, n_rounds = plan.size(100, 2_000), plan.size(400, 200), plan.rounds(2)
    text = markdown(n_deltas)
    ways = _ways(plan, text, deltas_per_s)
    messages: Samples = {name: [] for name in ways}

    def sent_mb(name: str) -> float:
        mb, n_messages = _sent(ways[name]())
        messages[name].append(n_messages)
        return mb

    rounds = run_rounds({name: partial(sent_mb, name) for name in ways}, n_rounds)
    return Section(
        title=f"iopub traffic of {n_deltas:,} deltas at {deltas_per_s} a second",
        note=(
            f"{len(text.encode()):,} bytes of Markdown, streamed into a cell of a real kernel: displays, updates,"
            " clears and comm messages with all their frames, 1 MB being 1,000,000 bytes. Median of"
            f" {n_rounds} interleaved rounds, each in a fresh kernel. The cells of chatlas, lisette and the magics are"
            " those of their own documentation; those of no name are plain cells that read the same stream. The"
            " `%%ai` magics ask for no stream: they send one message, at the answer's end."
        ),
        columns=("way", "MB", "messages", "times the text", f"times {_LIVE}"),
        rows=rounds.rows(
            ways,
            lambda name: (
                rounds.median(name),
                f"{median(messages[name]):.0f}",
                rounds.median(name) * 1e6 / len(text.encode()),
                rounds.ratio(name, _LIVE),
            ),
        ),
        samples=rounds.samples
        | {f"messages: {name}": taken for name, taken in messages.items() if name in rounds.samples},
        targets=_targets(rounds, {name: median(taken) for name, taken in messages.items() if taken}),
        picture="traffic",
    )


def _targets(rounds: Rounds, n_messages: dict[str, float]) -> list[Target]:
    rivals = set(n_messages) - {_LIVE, _HANDLES, *_AT_THE_END}
    targets = []
    for name in (_LIVE, _HANDLES):
        sent = Target(f"the traffic of {name}", rounds.median(name), _LIMIT_MB, unit="MB", cause=_CAUSE)
        counted = Target(
            f"the messages of {name}", n_messages[name], _LIMIT_MESSAGES, unit="messages", cause=_CAUSE
        )
        targets += [sent.beside(rounds, name, rivals), counted]
    return targets


def _ways(plan: Plan, text: str, deltas_per_s: int) -> dict[str, Callable[[], CellRun]]:
    """Return who is measured, each as a function that streams the text into a cell of a fresh kernel."""
    by_hand = {
        "`update(Markdown(text))` at 15 Hz": full_text(15),
        "`update(Markdown(text))` for every delta": _EVERY_DELTA,
        "`Output.append_stdout(delta)`": _APPENDED,
    }
    return {
        _LIVE: lambda: _asked([text], deltas_per_s, is_lab=True)[0],
        _HANDLES: lambda: _asked([text], deltas_per_s, is_lab=False)[0],
        **{name: partial(_by_hand, cell, text, deltas_per_s) for name, cell in by_hand.items()},
        **{name: partial(_by_tool, plan, slug, text, deltas_per_s) for name, slug in _TOOLS.items()},
    }


def traffic_growth(plan: Plan) -> Section:
    """Measure how the traffic grows with the answer, as fast as the simulator streams."""
    sizes = plan.size((200, 1_000), (500, 2_000, 10_000, 50_000))
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
    grown = {name: growth(samples[name]) for name in kinds}
    return Section(
        title="Growth of the traffic with the length of the answer",
        note=(
            "Bytes on the wire for each delta, as fast as possible; growth is the most that a longer"
            " answer pays beyond a shorter one. Short answers pay more, for what is sent once, such as the widget."
        ),
        columns=("way", *(f"{size:,} deltas" for size in sizes), "growth"),
        rows=[(name, *samples[name], grown[name]) for name in kinds],
        samples=samples,
        targets=[
            Target(f"the growth of the traffic of {name}", grown[name], LINEAR, cause=_GROWTH_CAUSE)
            for name in kinds
        ],
        picture="traffic-growth",
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


def _by_hand(cell: str, text: str, deltas_per_s: float) -> CellRun:
    with fresh_kernel() as kernel:
        run_cell(kernel, simulated(text, deltas_per_s))
        run = run_cell(kernel, cell)
        assert kernel.value("text") == text
    return run


def _by_tool(plan: Plan, slug: str, text: str, deltas_per_s: float) -> CellRun:
    tool = next(tool for tool in TOOLS if tool.slug == slug)
    plan.python(slug)
    with failing_is_unmeasured(), running_server(models=(MODEL,)) as server:
        server.engine.text, server.engine.tokens_per_s = text, deltas_per_s
        with tool_kernel(tool, plan.environments, server.base_url) as kernel:
            run = kernel.run(tool.cell(tool.ask, server.base_url), timeout_s=_TOOL_S)
            kernel.settle()
        assert not run.errors, trouble(run)
        shown = "".join(answer_in(left_behind(run)).split())
        assert "".join(text.split()) in shown, "the answer is not what was streamed"
    return run


def _sent(run: CellRun) -> tuple[float, int]:
    """Return the megabytes and the messages of what a cell drew."""
    return run.display_bytes / 1e6, len(run.of(*_DRAWN, *_COMMS))
