"""``%%respond``: from a cell to a shown and bound Response."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from IPython.core.error import StdinNotImplementedError

from cometnb.errors import CometError, printable
from cometnb.magics.code_cell import place_code
from cometnb.magics.in_background import start_in_background
from cometnb.magics.kernel import Kernel
from cometnb.magics.preview import show_code, show_request
from cometnb.magics.talk import chat_of, is_talk, owner_of, planned
from cometnb.protocol.events import Event
from cometnb.protocol.request import prepare
from cometnb.protocol.response import Response
from cometnb.session.cell_line import Arguments, parsed
from cometnb.session.cell_request import cell_request
from cometnb.session.interrupts import HeldInterrupts
from cometnb.session.named_tools import toolbox_of
from cometnb.session.origin import Watching, cell_of, watching
from cometnb.session.permit import Questions, refuse_all
from cometnb.session.prompt import Attached
from cometnb.session.rounds import DEFAULT_MAX_ROUNDS
from cometnb.session.running import Running
from cometnb.session.structured import Schema
from cometnb.session.turn_stream import ASKED
from cometnb.view.choose import answer_for
from cometnb.view.live import Answer, SilentAnswer
from cometnb.view.rows import ShownRows

__all__ = ["bind", "respond"]

_FLUSH_S = 2.0
_LONGEST_SHOWN = 300
# More hidden names than results there can be: the rest was flushed. A search each time would be for nothing.
_FLUSHED_AT_ONCE = 300


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
    cell = cell_of(shell)
    # Told from other cells before anything is filled in: each run of a sweep may fill it in differently.
    if "--sweep" in line or "--repeat" in line:
        as_typed = parsed(line, shell.user_ns, is_filled=False)
        if as_typed.sweep or as_typed.repeat is not None:
            # What a sweep needs (pandas) is heavy, and loaded by the first cell that sweeps.
            from cometnb.magics.sweep import sweep_cell

            sweep_cell(kernel, as_typed, body, partial(bind, shell, out=as_typed.out))
            return
    arguments = parsed(line, shell.user_ns)
    asked = cell_request(arguments, body, shell.user_ns)
    params, schema = asked.params, asked.schema
    owner = owner_of(cell, line, body, watching(shell))
    if arguments.form or arguments.is_dry_run:
        request = planned(shared, arguments, params, shell.user_ns, owner)
        _preview(kernel, arguments, request, asked.attached, schema)
        return
    shared.expect_costs()
    if params.get("background") is True:
        handle = start_in_background(kernel, arguments, params, cell.labels(arguments.tag))
        handle.schema = schema
        bind(shell, handle, arguments.out)
        return
    response = _answered(kernel, arguments, params, schema, owner)
    response.attached = asked.attached
    if arguments.frame:
        shell.user_ns[arguments.frame] = response.to_frame()
    if arguments.is_code:
        notice = place_code(shell, kernel.recent, response, cell.cell_id)
        if notice and not arguments.is_quiet:
            print(notice)  # noqa: T201  # a line below the answer


def _answered(
    kernel: Kernel, arguments: Arguments, params: dict[str, Any], schema: Schema | None, owner: str
) -> Response:
    """Make the call, or the turn of a conversation, and show it while it comes."""
    shared, shell = kernel.shared, kernel.shell
    watcher: Watching = "nobody" if shared.options.live == "off" else watching(shell)
    if watcher == "nobody":
        shared.hurry()
    questions = Questions() if arguments.confirms and watcher != "nobody" else None
    # An interrupt in between would leave a call that nobody waits for, and a view that nobody closes.
    with HeldInterrupts() as starting:
        running = _started(kernel, arguments, params, owner, questions)
        kernel.recent.base_url, kernel.recent.body = shared.session.base_url, dict(running.body)
        answer: Answer = SilentAnswer()
        if not arguments.is_quiet:
            model = str(params.get("model") or shared.session.model)
            answer = answer_for(
                watcher, model, running.ask_to_stop, shell.user_ns, questions.answer if questions else None
            )
        showing = _Showing(kernel, arguments, answer, questions, schema)
    is_stopped = starting.was_pressed
    try:
        if not is_stopped:
            showing.follow(running)
    except KeyboardInterrupt:
        is_stopped = True
    # Who interrupts often presses more than once; what came is shown and bound all the same.
    with HeldInterrupts() as held:
        response = running.stop() if is_stopped else running.response
        showing.end(response, running.notes, None if is_stopped else running.error)
    if is_stopped or held.was_pressed:
        raise _interrupted() from None
    return running.result()


def _started(
    kernel: Kernel, arguments: Arguments, params: dict[str, Any], owner: str, questions: Questions | None
) -> Running:
    """Start the call, or the turn of a conversation."""
    shared, namespace = kernel.shared, kernel.shell.user_ns
    labels = cell_of(kernel.shell).labels(arguments.tag)
    rest = {name: value for name, value in params.items() if name != "input"}
    toolbox = toolbox_of(arguments.tools, namespace)
    if not is_talk(arguments, toolbox):
        return shared.session.start(params["input"], labels=labels, **rest, **toolbox.offered())
    chat, after = chat_of(shared, arguments, namespace)
    if chat.name:
        # The one used last stands last.
        shared.chats.pop(chat.name, None)
        shared.chats[chat.name] = chat
    return shared.session.start_turn(
        chat,
        params["input"],
        toolbox=toolbox,
        max_rounds=arguments.max_rounds or DEFAULT_MAX_ROUNDS,
        permit=questions or (refuse_all if arguments.confirms else None),
        owner=owner,
        after=after,
        labels=labels,
        **rest,
    )


def _preview(
    kernel: Kernel,
    arguments: Arguments,
    request: dict[str, Any],
    attached: tuple[Attached, ...],
    schema: Schema | None,
) -> None:
    options = kernel.shared.options
    prepared = prepare(request)
    if arguments.form:
        show_code(prepared.body, arguments.form, options)
    else:
        notes = [*prepared.notes, *(schema.rewrites if schema is not None else ())]
        show_request(prepared.body, attached, notes, options, kernel.shared.ledger)


@dataclass(frozen=True, slots=True)
class _Showing:
    """One call's way into its cell: followed, shown, bound, recorded."""

    kernel: Kernel
    arguments: Arguments
    answer: Answer
    questions: Questions | None
    schema: Schema | None

    def follow(self, running: Running) -> None:
        rows = ShownRows(self.schema) if self.schema is not None else None
        for events in running.batches(self.answer.period_s, self.answer.idle_s):
            self.answer.update(events if rows is None else rows.shown(events), running.waiting)
            if self.questions is not None and not self.answer.asks:
                for event in events:
                    if event.type == ASKED:
                        self.questions.answer(event.raw["call_id"], _allows(event))

    def end(self, response: Response, notes: tuple[str, ...], error: CometError | None = None) -> None:
        """Show and bind what came, before any error is raised."""
        response.schema = self.schema
        if error is None or response.output:
            self.answer.finish(response, notes)
            bind(self.kernel.shell, response, self.arguments.out)
            self.kernel.recent.response = response
        else:
            self.answer.withdraw()
        self.kernel.shared.ledger.flush(_FLUSH_S)


def _allows(event: Event) -> bool:
    """Ask whoever runs the cell whether a function may run; no answer is no."""
    call = f"{event.raw['name']}({' '.join(str(event.raw['arguments']).split())[:_LONGEST_SHOWN]})"
    try:
        return input(printable(f"Run {call}? [y/N] ")).strip().lower() in ("y", "yes")
    except (EOFError, StdinNotImplementedError):
        return False


def bind(shell: Any, result: Any, out: str = "") -> None:
    """Make `result` the cell's result: ``Out[n]``, ``_`` and `out`, without a second display of it."""
    hook = shell.displayhook
    hook.update_user_ns(result)
    hook.fill_exec_result(result)
    _forget_flushed(shell)
    if out:
        shell.user_ns[out] = result


def _forget_flushed(shell: Any) -> None:
    """Let go of results that IPython has flushed from its cache: it keeps them among its hidden names for good."""
    hidden = shell.user_ns_hidden
    if len(hidden) > shell.displayhook.cache_size + _FLUSHED_AT_ONCE:
        for name in [name for name in hidden if name[1:].isdecimal() and name not in shell.user_ns]:
            del hidden[name]


def _interrupted() -> KeyboardInterrupt:
    error = KeyboardInterrupt("The answer was interrupted; the text so far is kept in _ and Out[n].")
    # IPython calls this instead of printing where in our loop the signal came.
    error._render_traceback_ = lambda: [f"KeyboardInterrupt: {error}"]  # type: ignore[attr-defined]
    return error
