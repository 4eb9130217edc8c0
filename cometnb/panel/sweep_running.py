"""Runs a sweep: says what it is expected to cost, follows it, shows it, and keeps what is done when it is cut short."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cometnb.defaults import Shared
from cometnb.errors import CometError, printable
from cometnb.panel.sweep_cost import Expected, expected
from cometnb.panel.swept import Sweep
from cometnb.protocol.counted import counted
from cometnb.protocol.response import Response
from cometnb.session.batch.checkpoint import Checkpoint
from cometnb.session.batch.limits import Limits
from cometnb.session.interrupts import HeldInterrupts
from cometnb.session.origin import cell_of, shell_now, watching
from cometnb.session.sweep import Grid
from cometnb.session.sweep_run import SweepRun
from cometnb.view.multiples_live import Multiples, SilentMultiples, multiples_for

if TYPE_CHECKING:
    import pandas as pd

    from cometnb.ledger.purse.till import Till

__all__ = ["Settings", "run_grid", "show_grid"]

_FLUSH_S = 2.0
# Sweeps that were cut short; running one of them again goes on with what is missing.
_MOST_UNFINISHED = 4
_unfinished: OrderedDict[str, dict[str, Response]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sweep is run.

    Attributes
    ----------
    max_concurrency : int
        Most calls at once.
    checkpoint : str or path, optional
        A file where answers are kept.
    budget : float or Budget, optional
        Most US dollars for this sweep, or a budget of one's own.
    tag : str
        Of the rows in the usage frame.
    fresh : bool
        Ask everything anew, also what is left from a sweep that was cut short.
    is_quiet : bool
        Show nothing.
    """

    max_concurrency: int = 4
    checkpoint: str | os.PathLike[str] | None = None
    budget: Any = None
    tag: str = ""
    fresh: bool = False
    is_quiet: bool = False


def show_grid(shared: Shared, grid: Grid) -> pd.DataFrame:
    """Say what a grid would ask and cost, and return what each run is expected to cost; nothing is sent."""
    found = expected(grid.runs, shared)
    print(printable("\n".join([*_head(grid, found), "Nothing was sent."])))  # noqa: T201  # what was asked for
    return found.frame(grid)


def run_grid(
    shared: Shared,
    grid: Grid,
    settings: Settings,
    namespace: Mapping[str, Any],
    *,
    ended: Callable[[Sweep], None],
    labels: Mapping[str, str] | None = None,
) -> Sweep:
    """Run a grid, show it while it comes, and return what came of it.

    Parameters
    ----------
    shared : Shared
    grid : Grid
    settings : Settings
    namespace : Mapping
        The notebook's names.
    ended : callable
        Handed what came of it, whatever its end, before that is shown or raised.
    labels : Mapping of str to str, optional
        Handed to the observers; the running cell's if not given.

    Raises
    ------
    BatchError
        A checkpoint that cannot be used.
    CometError
        Why there is no answer at all, such as a wrong key or no connection.
    KeyboardInterrupt
        The kernel was interrupted; the rest is as for any other end.
    """
    shell = shell_now()
    watcher = "nobody" if shell is None or shared.options.live == "off" else watching(shell)
    if watcher == "nobody":
        shared.hurry()
    shared.expect_costs()
    limits = Limits(settings.max_concurrency)
    till = _till(shared, settings.budget)
    whole = Checkpoint(settings.checkpoint) if settings.checkpoint is not None else nullcontext()
    with whole as checkpoint:
        key = _key(shared, grid)
        kept = {} if settings.fresh or checkpoint is not None else _unfinished.get(key, {})
        marks = labels if labels is not None else _labels(shell, settings.tag)
        run = SweepRun(
            shared.session,
            grid,
            limits=limits,
            kept=kept,
            checkpoint=checkpoint,
            labels=marks,
            till=till,
        )
        # Those that are kept cost nothing.
        head = _head(grid, expected(_to_ask(run), shared), run.n_kept, settings.max_concurrency)
        shows: Multiples = SilentMultiples()
        if not settings.is_quiet:
            shows = multiples_for(watcher, grid, head, run.ask_to_stop, namespace)
        done, failure = _followed(shared, run, grid, shows)
        with HeldInterrupts() as held:
            _remember(key, run, done)
            ended(done)
            shows.finish(done.results, done.notes)
            shared.ledger.flush(_FLUSH_S)
        if held.was_pressed or isinstance(failure, KeyboardInterrupt):
            raise _interrupted(done)
        if failure is not None:
            raise failure
        if (why := _nothing_came(run)) is not None:
            raise why
        return done


def _followed(
    shared: Shared, run: SweepRun, grid: Grid, shows: Multiples
) -> tuple[Sweep, BaseException | None]:
    """Follow a sweep to its end, and return what came of it, and what broke it off, if anything did."""
    failure: BaseException | None = None
    end_watch = shared.watch(run.watch)
    try:
        for events, ended in run.batches(shows.period_s):
            shows.update(events, ended)
    except BaseException as error:  # noqa: BLE001  # raised again when what came is kept and shown
        failure = error
        with HeldInterrupts():
            run.stop()
    finally:
        end_watch()
    return Sweep(grid, tuple(run.results), tuple(_notes(run, grid, is_cut=failure is not None))), failure


def _nothing_came(run: SweepRun) -> CometError | None:
    """Return why there is no answer at all; None if there is one, or a person stopped it."""
    if run.is_stopped or any(result.response and result.response.output for result in run.results):
        return None
    return run.error or next((result.error for result in run.results if result.error is not None), None)


def _head(grid: Grid, found: Expected, n_kept: int = 0, max_concurrency: int = 0) -> list[str]:
    first = str(grid) + (f", {max_concurrency} at a time" if max_concurrency else "")
    kept = [f"{n_kept:,} of {len(grid.runs):,} are kept and not asked again."] if n_kept else []
    return [first, *kept, *found.lines(), *grid.notes]


def _notes(run: SweepRun, grid: Grid, *, is_cut: bool) -> list[str]:
    n_kept = sum(result.is_kept for result in run.results)
    n_missing = sum(not result.is_done for result in run.results)
    notes = [f"{n_kept:,} of {len(grid.runs):,} are kept from before."] if n_kept else []
    if run.error is not None:
        notes.append(f"Stopped: {run.error.fact}")
    elif run.is_stopped or is_cut:
        notes.append("Stopped.")
    if n_missing and n_missing < len(grid.runs):
        missing = counted(n_missing, "run has", "runs have")
        notes.append(
            f"{missing} no answer; the same sweep run again asks only {'it' if n_missing == 1 else 'them'}."
        )
    return [*notes, *grid.notes, *(note for note in run.notes if note not in grid.notes)]


def _to_ask(run: SweepRun) -> Sequence[Any]:
    return [result.run for result in run.results if not run.is_kept(result)]


def _remember(key: str, run: SweepRun, done: Sweep) -> None:
    """Keep what was answered of a sweep that was cut short; one that is complete is asked anew."""
    _unfinished.pop(key, None)
    if done.is_complete:
        return
    answered = {run.key_of(result.run): result.response for result in done.results if result.is_done}
    kept = {name: response for name, response in answered.items() if response is not None}
    if kept:
        _unfinished[key] = kept
    while len(_unfinished) > _MOST_UNFINISHED:
        _unfinished.popitem(last=False)


def _key(shared: Shared, grid: Grid) -> str:
    return " ".join([shared.session.backend, shared.session.base_url, *(run.key for run in grid.runs)])


def _till(shared: Shared, budget: Any) -> Till:
    """Return what the runs wait at until there is money for them, under the kernel's budget and the sweep's own."""
    from cometnb.ledger.budget import Budget
    from cometnb.ledger.purse.till import Till, batch_budget

    own = budget if isinstance(budget, Budget) else batch_budget(budget, allows_unpriced=False)
    session = shared.session
    return Till(own, lambda: shared.budget, backend=session.backend, base_url=session.base_url)


def _labels(shell: Any, tag: str) -> dict[str, str]:
    if shell is None:
        return {"tag": tag} if tag else {}
    return cell_of(shell).labels(tag)


def _interrupted(done: Sweep) -> KeyboardInterrupt:
    n_done = sum(result.is_done for result in done.results)
    error = KeyboardInterrupt(
        f"The sweep was interrupted; {n_done:,} of {counted(len(done.results), 'run')} are kept in"
        " cometnb.sweep.last. Run it again to go on."
    )
    # IPython calls this instead of printing where in our loop the signal came.
    error._render_traceback_ = lambda: [f"KeyboardInterrupt: {error}"]  # type: ignore[attr-defined]
    return error
