"""``%%respond``: from a cell to a shown and bound Response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cometnb.errors import CellError, CometError
from cometnb.magics.arguments import Arguments, parsed
from cometnb.magics.code_cell import place_code
from cometnb.magics.kernel import Kernel
from cometnb.magics.origin import Watching, cell_of, watching
from cometnb.magics.preview import show_code, show_request
from cometnb.protocol.request import prepare
from cometnb.protocol.response import Response
from cometnb.session.prompt import Attached, prompt_of
from cometnb.session.running import Running
from cometnb.view.choose import answer_for
from cometnb.view.live import Answer, SilentAnswer

__all__ = ["bind", "respond"]

_FLUSH_S = 2.0

# With one of these a call may go without a prompt of its own.
_INSTEAD_OF_PROMPT = frozenset({"prompt", "conversation", "previous_response_id"})


def respond(kernel: Kernel, line: str, body: str) -> None:
    """Run a ``%%respond`` cell.

    Raises
    ------
    CometError
        After what came of an answer has been shown and bound.
    KeyboardInterrupt
        The same, with one line instead of a traceback; a run of all cells stops.
    """
    shared, shell = kernel.shared, kernel.shell
    arguments = parsed(line, shell.user_ns)
    prompt = prompt_of(
        body, shell.user_ns, images=arguments.images, files=arguments.files, is_raw=arguments.is_raw
    )
    params = {"input": _checked(prompt.input, arguments)} | arguments.params
    if arguments.form or arguments.is_dry_run:
        _preview(kernel, arguments, params, prompt.attached)
        return
    watcher: Watching = "nobody" if shared.options.live == "off" else watching(shell)
    if watcher == "nobody":
        shared.hurry()
    session, cell = shared.session, cell_of(shell)
    kernel.recent.base_url = session.base_url
    kernel.recent.body = prepare({"model": session.model, "stream": True} | params).body
    shared.expect_costs()
    running = session.start(params.pop("input"), labels=cell.labels(arguments.tag), **params)
    answer: Answer = SilentAnswer()
    if not arguments.is_quiet:
        model = str(params.get("model") or session.model)
        answer = answer_for(watcher, model, running.ask_to_stop, shell.user_ns)
    showing = _Showing(kernel, arguments, answer)
    try:
        showing.follow(running)
    except KeyboardInterrupt:
        showing.end(running.stop(), running.notes)
        raise _interrupted() from None
    showing.end(running.response, running.notes, running.error)
    response = running.result()
    if arguments.is_code:
        notice = place_code(shell, kernel.recent, response, cell.cell_id)
        if notice and not arguments.is_quiet:
            print(notice)  # noqa: T201  # a line below the answer


def _checked(prompt: str | list[dict[str, Any]], arguments: Arguments) -> str | list[dict[str, Any]]:
    if not isinstance(prompt, str):
        return prompt
    if not prompt.strip() and not _INSTEAD_OF_PROMPT & set(arguments.params):
        raise CellError("The cell has no prompt.", "Write it in the lines below %%respond.")
    return prompt.strip("\n")


def _preview(
    kernel: Kernel, arguments: Arguments, params: dict[str, Any], attached: tuple[Attached, ...]
) -> None:
    options = kernel.shared.options
    prepared = prepare({"model": options.model, "stream": True} | params)
    if arguments.form:
        show_code(prepared.body, arguments.form, options)
    else:
        show_request(prepared.body, attached, prepared.notes, options, kernel.shared.ledger)


@dataclass(frozen=True, slots=True)
class _Showing:
    """One call's way into its cell: followed, shown, bound, recorded."""

    kernel: Kernel
    arguments: Arguments
    answer: Answer

    def follow(self, running: Running) -> None:
        for events in running.batches(self.answer.period_s, self.answer.idle_s):
            self.answer.update(events, running.waiting)

    def end(self, response: Response, notes: tuple[str, ...], error: CometError | None = None) -> None:
        """Show and bind what came, before any error is raised."""
        if error is None or response.output:
            self.answer.finish(response, notes)
            bind(self.kernel.shell, response, self.arguments.out)
            self.kernel.recent.response = response
        self.kernel.shared.ledger.flush(_FLUSH_S)


def bind(shell: Any, response: Response, out: str = "") -> None:
    """Make `response` the cell's result: ``Out[n]``, ``_`` and `out`, without a second display of it."""
    hook = shell.displayhook
    hook.update_user_ns(response)
    hook.fill_exec_result(response)
    if out:
        shell.user_ns[out] = response


def _interrupted() -> KeyboardInterrupt:
    error = KeyboardInterrupt("The answer was interrupted; the text so far is kept in _ and Out[n].")
    # IPython calls this instead of printing where in our loop the signal came.
    error._render_traceback_ = lambda: [f"KeyboardInterrupt: {error}"]  # type: ignore[attr-defined]
    return error
