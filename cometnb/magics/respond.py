"""``%%respond``: from a cell to a shown and bound Response."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cometnb.defaults import Shared
from cometnb.errors import CellError, CometError
from cometnb.magics.arguments import Arguments, parsed
from cometnb.magics.origin import Watching, cell_of, watching
from cometnb.protocol.request import prepare
from cometnb.protocol.response import Response
from cometnb.session.running import Running
from cometnb.session.template import filled
from cometnb.view.live import Answer, LiveAnswer, SilentAnswer, StillAnswer, TerminalAnswer
from cometnb.view.publish import publish

__all__ = ["bind", "dry_run", "respond"]

_FLUSH_S = 2.0


def respond(shared: Shared, shell: Any, line: str, body: str) -> None:
    """Run a ``%%respond`` cell.

    Raises
    ------
    CometError
        After what came of an answer has been shown and bound.
    KeyboardInterrupt
        The same, with one line instead of a traceback; a run of all cells stops.
    """
    arguments = parsed(line, shell.user_ns)
    prompt = body if arguments.is_raw else filled(body, shell.user_ns)
    if not prompt.strip() and not {"prompt", "conversation", "previous_response_id"} & set(arguments.params):
        raise CellError("The cell has no prompt.", "Write it in the lines below %%respond.")
    params = {"input": prompt.strip("\n")} | arguments.params
    if arguments.is_dry_run:
        dry_run({"model": shared.options.model, "stream": True} | params)
        return
    watcher: Watching = "nobody" if shared.options.live == "off" else watching(shell)
    if watcher == "nobody":
        shared.hurry()
    session = shared.session
    running = session.start(params.pop("input"), labels=cell_of(shell).labels(arguments.tag), **params)
    answer = _answer(watcher, arguments, str(params.get("model") or session.model))
    cell = _Showing(shared, shell, arguments, answer, session.notes)
    try:
        cell.follow(running)
    except KeyboardInterrupt:
        cell.end(running.stop())
        raise _interrupted() from None
    cell.end(running.response, running.error)
    running.result()


def _answer(watcher: Watching, arguments: Arguments, model: str) -> Answer:
    if arguments.is_quiet:
        return SilentAnswer()
    if watcher == "front end":
        return LiveAnswer(model)
    return TerminalAnswer() if watcher == "terminal" else StillAnswer()


@dataclass(frozen=True, slots=True)
class _Showing:
    """One call's way into its cell: followed, shown, bound, recorded."""

    shared: Shared
    shell: Any
    arguments: Arguments
    answer: Answer
    notes: tuple[str, ...]

    def follow(self, running: Running) -> None:
        for events in running.batches(self.answer.period_s, self.answer.idle_s):
            self.answer.update(events, running.waiting)

    def end(self, response: Response, error: CometError | None = None) -> None:
        """Show and bind what came, before any error is raised."""
        if error is None or response.output:
            self.answer.finish(response, self.notes)
            bind(self.shell, response, self.arguments.out)
        self.shared.ledger.flush(_FLUSH_S)


def bind(shell: Any, response: Response, out: str = "") -> None:
    """Make `response` the cell's result: ``Out[n]``, ``_`` and `out`, without a second display of it."""
    hook = shell.displayhook
    hook.update_user_ns(response)
    hook.fill_exec_result(response)
    if out:
        shell.user_ns[out] = response


def dry_run(params: dict[str, Any]) -> None:
    """Show the request that a cell would send."""
    prepared = prepare(params)
    shown = json.dumps(prepared.body, indent=2, ensure_ascii=False)
    size = len(json.dumps(prepared.body, ensure_ascii=False).encode("utf-8", "replace"))
    head = f"POST /responses · {size:,} bytes · nothing was sent"
    fence = "`" * max(3, 1 + max((len(run) for run in shown.split() if set(run) == {"`"}), default=0))
    notes = "".join(f"\n\n*{note}*" for note in prepared.notes)
    publish(
        {
            "text/markdown": f"{head}\n\n{fence}json\n{shown}\n{fence}{notes}",
            "text/plain": "\n".join([head, shown, *prepared.notes]),
        }
    )


def _interrupted() -> KeyboardInterrupt:
    error = KeyboardInterrupt("The answer was interrupted; the text so far is kept in _ and Out[n].")
    # IPython calls this instead of printing where in our loop the signal came.
    error._render_traceback_ = lambda: [f"KeyboardInterrupt: {error}"]  # type: ignore[attr-defined]
    return error
