"""What is seen of one tool in its kernel, question by question; nothing here knows what would be a good answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.comparison.kernels import bare_kernel
from benchmarks.comparison.left import answer_in, kinds, left_behind, size_bytes, trouble
from benchmarks.comparison.shapes import SHAPES
from benchmarks.comparison.tools import MODEL, UNKNOWN_MODEL, Tool
from benchmarks.prose import markdown
from cometnb.client.server import LocalServer
from tests.kernel.kernel_session import CellRun, KernelSession

__all__ = ["FACTS", "Bench"]

_LONG_S = 240.0
_ANSWER = "The tide turns twice a day, and so does the harbour. " * 4
_CELL = {"cellId": "0f1e2d3c-compared"}
_LOADS = 3
_DRAWN = (
    "display_data",
    "update_display_data",
    "clear_output",
    "execute_result",
    "comm_open",
    "comm_msg",
    "comm_close",
)


@dataclass(slots=True)
class Bench:
    """One tool, ready to be asked.

    Attributes
    ----------
    tool : Tool
    folder : Path
        Of the environments.
    kernel : KernelSession
        Set up and connected to `server`.
    server : LocalServer
        The simulator; its engine is told what to answer.
    shapes_url : str
        Where the bent answers are.
    """

    tool: Tool
    folder: Path
    kernel: KernelSession
    server: LocalServer
    shapes_url: str

    def connect(self, base_url: str = "", model: str = MODEL) -> None:
        """Begin anew: no conversation, this address, this model."""
        code = self.tool.cell(self.tool.connect, base_url or self.server.base_url, model)
        if code:
            assert not self.kernel.run(code).errors

    def forget(self) -> None:
        """Put something else where the last answer was, so that it is not taken for the next one's."""
        self.kernel.run("text = response = None\n'nothing yet'")

    def ask(self, *, model: str = MODEL, code: str = "", is_watched: bool = True) -> CellRun:
        """Run the cell that asks and shows; where nobody watches, as a test of notebooks runs it."""
        cell = self.tool.cell(code or self.tool.ask, self.server.base_url, model)
        run = self.kernel.run(cell, timeout_s=_LONG_S, metadata=_CELL, allow_stdin=is_watched)
        self.kernel.settle()
        return run

    def value(self, expression: str) -> str:
        """Return what an expression is, or the error it ends in."""
        if not expression:
            return "no such thing"
        run = self.kernel.run(f"print({expression})", store_history=False)
        return trouble(run) if run.errors else " ".join(run.stream_text.split())

    def requests_of(self, code: str = "", *, is_watched: bool = True) -> tuple[CellRun, list[dict[str, Any]]]:
        """Ask, and return the cell's run and the requests that the server got for it."""
        before = len(self.server.requests)
        run = self.ask(code=code, is_watched=is_watched)
        return run, self.server.requests[before:]


def _reset(
    bench: Bench, *, text: str | None = _ANSWER, tokens_per_s: float | None = None, fault: str | None = None
) -> None:
    engine = bench.server.engine
    engine.text, engine.tokens_per_s, engine.fault = text, tokens_per_s, fault
    bench.connect()


def _plain(bench: Bench) -> str:
    """An answer: what stays in the file, and what is known of its usage and cost."""
    _reset(bench)
    run = bench.ask()
    outputs = left_behind(run)
    return (
        f"outputs {', '.join(kinds(outputs))}; {size_bytes(outputs)} B for {len(_ANSWER)} B of text;"
        f" the text is there: {_ANSWER.strip() in answer_in(outputs)}; usage {bench.value(bench.tool.usage)};"
        f" cost {bench.value(bench.tool.cost)}"
    )


def _interrupt(bench: Bench) -> str:
    """The stop button in mid-stream: text, usage and record."""
    _reset(bench, text=_ANSWER * 12, tokens_per_s=60)
    tool, kernel = bench.tool, bench.kernel
    bench.forget()
    run = kernel.start(tool.cell(tool.ask, bench.server.base_url), metadata=_CELL)
    deadline_s = time.monotonic() + 20
    while not bench.server.open_streams and time.monotonic() < deadline_s:
        time.sleep(0.05)
    time.sleep(4)
    kernel.interrupt()
    kernel.wait(run, timeout_s=_LONG_S)
    kernel.settle()
    shown = answer_in(left_behind(run))
    return (
        f"shown and left: {shown.count('harbour')} sentences; in hand: {bench.value(tool.text).count('harbour')};"
        f" usage {bench.value(tool.usage)}; cost {bench.value(tool.cost)}; records {bench.value(tool.records)};"
        f" told: {trouble(run)}"
    )


def _attempts(bench: Bench) -> str:
    """A 503 and then an answer; then a 400: requests made, and what is recorded of them."""
    _reset(bench, fault="503:times=1")
    _, sent = bench.requests_of()
    first = f"503 then 200: {len(sent)} requests, records {bench.value(bench.tool.records)}"
    _reset(bench, fault="400")
    run, sent = bench.requests_of()
    told = f"400: {len(sent)} requests, told: {trouble(run)}, lines {_lines(run)}"
    return f"{first}; {told}; records {bench.value(bench.tool.records)}"


def _lines(run: CellRun) -> int:
    return sum(len("\n".join(error.content["traceback"]).splitlines()) for error in run.errors)


def _cost(bench: Bench) -> str:
    """A model that no table of prices has: what its answer is said to cost."""
    _reset(bench)
    bench.connect(model=UNKNOWN_MODEL)
    run = bench.ask(model=UNKNOWN_MODEL)
    return f"cost {bench.value(bench.tool.cost)}; told: {trouble(run)}; text in hand: {_ANSWER.strip() in bench.value(bench.tool.text)}"


def _traffic(bench: Bench) -> str:
    """2,000 deltas at 200 a second: messages and bytes on iopub, and how they grow from 1,000."""
    megabytes = []
    for n_deltas in (1_000, 2_000):
        _reset(bench, text=markdown(n_deltas), tokens_per_s=200)
        run = bench.ask()
        megabytes.append(run.display_bytes / 1e6)
    growth = megabytes[1] / megabytes[0]
    return f"{megabytes[1]:.2f} MB in {len(run.of(*_DRAWN))} messages; twice the text is {growth:.1f} times the bytes"


def _gateways(bench: Bench) -> str:
    """Answers bent as gateways bend them: whether the text is kept and a failure is told."""
    told = []
    for name, shape in SHAPES.items():
        if not (shape.content if bench.tool.streams else shape.unstreamed):
            continue
        bench.connect(f"{bench.shapes_url}/{name}")
        bench.forget()
        run = bench.ask()
        shown = answer_in(left_behind(run))
        words = " ".join(shape.kept.split())
        is_kept = words in " ".join(shown.split())
        in_hand = words in bench.value(bench.tool.text)
        kept = f"shown {is_kept}, in hand {in_hand}" if words else "no text to keep"
        told.append(
            f"{shape.what}: {kept}, told: {trouble(run)[:160] or 'nothing'}"
            + (f" in {_lines(run)} lines" if run.errors else "")
            + (f", usage {bench.value(bench.tool.usage)[:90]}" if name == "usage" else "")
        )
    bench.connect()
    return "\n    ".join(["", *told])


def _again(bench: Bench) -> str:
    """The same cell run twice in a conversation: how often the second request holds the question."""
    if not bench.tool.talk:
        return "keeps no conversation"
    _reset(bench)
    for _ in range(2):
        _, sent = bench.requests_of(bench.tool.talk)
    body = sent[-1]
    items = [body["input"]] if isinstance(body["input"], str) else body["input"]
    asked = sum(isinstance(item, str) or item.get("role") == "user" for item in items)
    return f"the second request holds the question {asked} times, previous_response_id {body.get('previous_response_id')}"


def _limit(bench: Bench) -> str:
    """A limit of a ten-millionth of a dollar, and two questions: the requests that were sent."""
    if not bench.tool.limit:
        return "has no limit to set"
    _reset(bench)
    assert not bench.kernel.run(bench.tool.limit).errors
    sent, told = [], []
    for _ in range(2):
        run, requests = bench.requests_of()
        sent.append(len(requests))
        told.append(trouble(run))
    bench.kernel.run(bench.tool.no_limit)
    return f"sent {sent}; told: {told}"


def _offline(bench: Bench) -> str:
    """What it answers without any service, twice: what is sent, and whether the output is the same."""
    if not bench.tool.offline:
        return "brings nothing for it"
    _reset(bench)
    runs = [bench.requests_of(bench.tool.offline, is_watched=False) for _ in range(2)]
    shown = [left_behind(run) for run, _ in runs]
    told = [trouble(run) for run, _ in runs]
    same = [output.get("data") for output in shown[0]] == [output.get("data") for output in shown[1]]
    return (
        f"requests {[len(sent) for _, sent in runs]}; the same output twice: {same};"
        f" {answer_in(shown[0])[:60]!r} … {answer_in(shown[0])[-90:]!r} {told}"
    )


def _providers(bench: Bench) -> str:
    """How many kinds of service it says it speaks to."""
    return bench.value(bench.tool.providers)


def _load(bench: Bench) -> str:
    """CPU of the import or ``%load_ext`` in a fresh kernel, and until the first answer is shown; medians of three."""
    _reset(bench)
    tool, base_url = bench.tool, bench.server.base_url
    load = f"import time\nstart_s = time.process_time()\n{tool.load}\nspent_s = time.process_time() - start_s"
    loads_s, answers_s = [], []
    for _ in range(_LOADS):
        with bare_kernel(tool, bench.folder, base_url) as kernel:
            for cell in (load, tool.cell(tool.connect, base_url), tool.cell(tool.ask, base_url)):
                assert not kernel.run(cell, timeout_s=_LONG_S).errors
            loads_s.append(float(kernel.value("spent_s")))
            answers_s.append(float(kernel.value("time.process_time() - start_s")))
    return (
        f"{median(loads_s):.2f} s for `{tool.load.splitlines()[-1]}`, {median(answers_s):.2f} s until the first answer"
        f" is shown ({_LOADS} fresh kernels)"
    )


FACTS = {
    "plain": _plain,
    "interrupt": _interrupt,
    "attempts": _attempts,
    "cost": _cost,
    "traffic": _traffic,
    "gateways": _gateways,
    "again": _again,
    "limit": _limit,
    "offline": _offline,
    "providers": _providers,
    "load": _load,
}
"""Name -> what is done and seen; the first line of each docstring says it."""
