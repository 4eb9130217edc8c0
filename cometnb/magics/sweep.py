"""``%%respond --sweep``: a cell's prompt over a grid of parameters; the cell's result is the frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.display import display

from cometnb.errors import CellError
from cometnb.magics.kernel import Kernel
from cometnb.panel.sweep import sweep
from cometnb.panel.sweep_running import Settings, show_grid
from cometnb.session.cell_line import Arguments
from cometnb.session.interrupts import HeldInterrupts
from cometnb.session.origin import cell_of
from cometnb.session.prompt import prompt_of
from cometnb.session.structured import schema_of
from cometnb.session.sweep import MOST_RUNS, Grid, grid_of
from cometnb.session.sweep_line import typed_axes

__all__ = ["grid_of_cell", "sweep_cell"]

# Options that make no sense for many calls at once: whether one is given, and what to do instead.
_REFUSED = (
    ("chat", "--chat", "A conversation goes on with one answer: sweep first, then ask with what is best."),
    ("after", "--from", "Write --previous-response-id to ask every run after the same response."),
    ("form", "--as", "Write --dry-run to see what is asked; %comet code shows one call."),
    ("is_code", "--code", "Take the code out of an answer: cometnb.sweep.last.responses."),
    ("confirms", "--confirm", "Leave it out, or offer no functions."),
    ("frame", "--df", "The cell's result is the frame; write --out NAME."),
    ("max_rounds", "--max-rounds", "Leave it out."),
)


def sweep_cell(kernel: Kernel, arguments: Arguments, body: str, bind: Callable[[Any], None]) -> None:
    """Run a cell that sweeps.

    Parameters
    ----------
    kernel : Kernel
    arguments : Arguments
        Read without filling in ``{{ }}``, as each run may fill it in differently.
    body : str
        The prompt.
    bind : callable
        Makes the frame the cell's result; also that of a sweep that was cut short.

    Raises
    ------
    CellError
        Options that do not go with a sweep, or a prompt that cannot be filled in.
    CometError, KeyboardInterrupt
        As `run_grid` does; what was done is bound, and in ``cometnb.sweep.last``.
    """
    shell, shared = kernel.shell, kernel.shared
    grid, settings = grid_of_cell(kernel, arguments, body)
    if arguments.is_dry_run:
        frame = show_grid(shared, grid)
        display(frame)
        bind(frame)
        return
    how = Settings(tag=arguments.tag, fresh=arguments.is_new, is_quiet=arguments.is_quiet, **settings)
    labels = cell_of(shell).labels(arguments.tag)
    before = sweep.last
    try:
        sweep.run(shared, grid, how, shell.user_ns, labels)
    finally:
        if sweep.last is not None and sweep.last is not before:
            with HeldInterrupts():
                bind(sweep.last.frame)


def grid_of_cell(kernel: Kernel, arguments: Arguments, body: str) -> tuple[Grid, dict[str, Any]]:
    """Return what a cell sweeps, and how.

    Raises
    ------
    CellError
        As `sweep_cell` does.
    """
    _check(arguments)
    namespace = kernel.shell.user_ns
    axes, settings = typed_axes(arguments.sweep, namespace, is_raw=arguments.is_raw)
    params = {**arguments.params, **({"tools": arguments.tools} if arguments.tools else {})}
    twice = [name for name in axes if name in params]
    if twice:
        raise CellError(
            f"{twice[0]} is an axis of the sweep, and given besides.",
            f"Leave {twice[0]} out of one of the two.",
        )
    prompt = axes.pop("prompt", None)
    if prompt is not None and body.strip():
        raise CellError("The cell has a prompt, and --sweep prompt= has others.", "Leave one of them out.")
    max_runs = settings.pop("max_runs", MOST_RUNS)

    def ask(text: str, words: Any) -> Any:
        found = prompt_of(
            text,
            {**namespace, **words},
            images=arguments.images,
            files=arguments.files,
            is_raw=arguments.is_raw,
            detail=arguments.detail,
        )
        return found.input.strip("\n") if isinstance(found.input, str) else found.input

    grid = grid_of(
        body if prompt is None else prompt,
        params | axes,
        model=kernel.shared.session.model,
        namespace=namespace,
        repeat=arguments.repeat or 1,
        schema=schema_of(arguments.schema, namespace) if arguments.schema else None,
        max_runs=max_runs,
        ask=ask,
        is_raw=arguments.is_raw,
    )
    return grid, settings


def _check(arguments: Arguments) -> None:
    for name, flag, step in _REFUSED:
        if getattr(arguments, name):
            raise CellError(f"{flag} does not go with a sweep.", step)
    if arguments.params.get("background"):
        raise CellError(
            "--background does not go with a sweep.", "Leave it out: a sweep waits for its answers."
        )
    if arguments.params.get("stream") is False:
        raise CellError("--no-stream does not go with a sweep.", "Leave it out: a sweep streams its answers.")
