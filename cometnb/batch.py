"""A prompt over the rows of a DataFrame with the kernel's shared session: `respond_frame` and ``df.comet.respond``."""

from __future__ import annotations

import inspect
import os
import sys
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from cometnb import defaults
from cometnb.defaults import Shared
from cometnb.errors import CellError
from cometnb.ledger.batch_forecast import BatchForecast, batch_forecast
from cometnb.ledger.budget import Budget
from cometnb.ledger.forecast import Forecaster
from cometnb.ledger.prices import default_prices
from cometnb.ledger.purse.till import Till, batch_budget
from cometnb.protocol.response import Response
from cometnb.session.batch.asking import Asking as JobAsking
from cometnb.session.batch.asking import Runner, ask
from cometnb.session.batch.checkpoint import ANSWERED, Checkpoint, place_of
from cometnb.session.batch.cluster import Cluster
from cometnb.session.batch.frame import FrameBatch
from cometnb.session.batch.limits import Limits
from cometnb.session.batch.rows import Asking
from cometnb.session.batch.tables import Back, pandas_of
from cometnb.session.batch.turns import turns
from cometnb.session.origin import shell_now, watching
from cometnb.session.rounds import DEFAULT_MAX_ROUNDS
from cometnb.session.session import Session
from cometnb.session.structured import schema_of
from cometnb.session.tools import Toolbox

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comet", "last_frame", "respond_frame"]

_last: list[Any] = []
_pacing, _paces = threading.Lock(), list[tuple[float | None, float]]()


def respond_frame(
    df: Any,
    prompt: str,
    /,
    *,
    schema: Any = None,
    tools: Sequence[Any] = (),
    images: Hashable | Sequence[Hashable] = (),
    files: Hashable | Sequence[Hashable] = (),
    detail: str | None = None,
    row_options: Mapping[str, Hashable] | None = None,
    missing: str | None = None,
    max_concurrency: int = 16,
    rpm: float | None = None,
    tpm: float | None = None,
    budget: float | None = None,
    allow_unpriced: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    retry_failed: bool = True,
    stop_after_errors: int | None = None,
    dry_run: bool = False,
    executor: Any = None,
    progress: bool = True,
    keep_columns: bool = False,
    max_rounds: int = DEFAULT_MAX_ROUNDS,
    tag: str = "",
    session: Session | None = None,
    namespace: Mapping[str, Any] | None = None,
    **params: Any,
) -> Any:
    """Ask the same of every row of a table, and return what came of each, in the table's order and with its index.

    Parameters
    ----------
    df : DataFrame
        Of pandas; a Series, a polars DataFrame, a pyarrow Table and what offers Arrow or the DataFrame interchange
        are taken, too.
    prompt : str
        ``{{column}}`` stands for the row's value, ``{{expression}}`` for any Python over the columns; nothing else in
        the text is touched, and a backslash keeps a pair of braces. A column goes before a variable of its name, and
        a named index is like a column. ``row`` is the row: ``{{row["Review text"]}}``; ``{{Review text}}`` does the
        same. What is missing (NaN, None, <NA>) is None in an expression.
    schema : object, optional
        What each answer shall be, as for `cometnb.respond`; its fields become columns of its dtypes.
    tools : sequence
        Functions, which are run on this machine and answered, and tools of the service.
    images, files : column or list of columns
        Each cell a path, URL, id, bytes, figure or image, or a list of them, to be attached.
    detail : str, optional
        How closely images are looked at.
    row_options : dict, optional
        A parameter's path to the column with each row's own value:
        ``{"model": "model", "reasoning.effort": "effort"}``. Where it is missing the row has what all have.
    missing : str, optional
        Stands where a column's value is missing. Without it such a row is not sent, and its error says so.
    max_concurrency : int
        Most requests at once; fewer as soon as the service says that it is too many.
    rpm, tpm : float, optional
        Most requests and tokens a minute.
    budget : float, optional
        US dollars that this run may cost, besides the kernel's own budget. Rows wait for one another so that none is
        cut short; with a ``max_output_tokens`` more of them fit at once.
    allow_unpriced : bool
        With a budget: ask models whose price is not known.
    checkpoint : str or path, optional
        A file that keeps every answer as it comes. With the same file a second run asks only what is missing,
        whatever ended the first. Rows may be added; another prompt, schema, model or service is refused.
    retry_failed : bool
        With a checkpoint: ask rows again that failed in an earlier run.
    stop_after_errors : int, optional
        End when so many requests have failed.
    dry_run : bool
        Send nothing and return a `BatchForecast`: requests, tokens, cost.
    executor : distributed.Client, optional
        Send the requests from the workers of a Dask cluster; everything else stays the same.
    progress : bool
        Show a bar where somebody watches.
    keep_columns : bool
        Put the table's own columns in front of the result's.
    max_rounds : int
        Most calls of the service for a row while functions are run.
    tag : str
        For the ledger.
    session : Session, optional
        Another one than the kernel's: with a key, service, transport, ledger and budget of its own.
    namespace : Mapping, optional
        Names for the expressions; the caller's variables if not given.
    **params
        Any other parameter of the API, the same for all rows; ``instructions`` may hold ``{{column}}``, too.

    Returns
    -------
    DataFrame
        The schema's columns, then ``answer`` (the text), ``error``, ``status``, ``source``, ``model`` string,
        ``input_tokens``, ``cached_tokens``, ``output_tokens``, ``reasoning_tokens`` Int64, ``cost_usd`` (NaN is "not
        known") and ``duration_s`` float64, ``response_id`` string. A field of the schema that has one of these names
        is ``answer_NAME``; with `keep_columns` a column of the result that the table has, too, is ``comet_NAME``. A
        schema of several rows gives one column ``rows`` of lists.

        ``status`` is the answer's, or ``error``, ``not_sent`` (the row itself is at fault), ``refused_by_budget``,
        ``not_answered``. ``source`` is ``asked``, ``checkpoint``, or ``duplicate``: another row asked the same and has
        the tokens and the cost, so that sums are right. polars and pyarrow get their own kind back.

    Raises
    ------
    BatchInterruptedError
        The kernel was interrupted; its ``frame``, and `last_frame`, hold what was done by then.
    CometError
        Before anything is sent: a column that is not there, a template, schema, parameter or checkpoint that cannot
        be used. Later: what would meet every row (the key, the budget, a service that cannot be reached); ``frame``
        and `last_frame` hold what was done. What goes wrong with one row is its ``error``.

    Examples
    --------
    >>> import os, cometnb, pandas as pd
    >>> os.environ["COMETNB_BACKEND"] = "simulator"
    >>> reviews = pd.DataFrame({"text": ["Lovely.", "Broken on arrival.", "Lovely."]})
    >>> labels = cometnb.respond_frame(reviews, "Judge: {{text}}", schema="mood good|bad", progress=False)
    >>> list(labels["source"])
    ['asked', 'asked', 'duplicate']
    """
    shared, names = _shared(), _names(namespace, inspect.currentframe())
    frame, back = pandas_of(df)
    asking = Asking(
        prompt, params, _listed(images, frame), _listed(files, frame), detail, row_options or {}, missing
    )
    batch = _batch_of(frame, asking, session or shared.session, names, schema=schema, tools=tools, tag=tag)
    if dry_run:
        return _forecast(shared, batch, checkpoint)
    own = batch_budget(budget, allows_unpriced=allow_unpriced)
    settings: dict[str, Any] = {
        "limits": Limits(max_concurrency, rpm, tpm),
        "stop_after_errors": stop_after_errors,
    }
    settings |= {"retries_failed": retry_failed, "checkpoint": checkpoint, "is_watched": progress}
    finish = partial(_finished, frame, back, keeps_columns=keep_columns)
    spread = _Spread(executor, turns(batch.toolbox, max_rounds) if len(batch.toolbox) else ask)
    return _run(None if session else shared, batch, own, spread, finish, **settings)


def _batch_of(
    frame: pd.DataFrame,
    asking: Asking,
    session: Session,
    names: Mapping[str, Any],
    *,
    schema: Any,
    tools: Sequence[Any],
    tag: str,
) -> FrameBatch:
    return FrameBatch(
        frame,
        asking,
        session=session,
        namespace=names,
        schema=None if schema is None else schema_of(schema, names),
        # One tool alone is no sequence of letters.
        toolbox=Toolbox([tools] if isinstance(tools, str) or callable(tools) else tools),
        labels={"tag": tag} if tag else None,
    )


def last_frame() -> Any:
    """Return what came of the last `respond_frame` of this kernel, also if it was interrupted or ended early.

    Raises
    ------
    CellError
        If there was none.
    """
    if not _last:
        raise CellError("No respond_frame has run in this kernel yet.", "Run one first.")
    return _last[0]


@dataclass(frozen=True, slots=True)
class _Spread:
    """Where the requests are sent from: here, or the workers of a cluster."""

    executor: Any
    asks: Runner

    @contextmanager
    def runner(self, session: Session) -> Iterator[Runner]:
        """Return what asks each row, for as long as a batch runs."""
        if self.executor is None:
            yield self.asks
            return
        cluster = Cluster(self.executor, session.setup)
        session.run(cluster.open())
        try:
            yield cluster.runner(self.asks)
        finally:
            session.run(cluster.close())


class Comet:
    """What a DataFrame or Series offers as ``.comet``.

    Parameters
    ----------
    data : DataFrame or Series
    """

    def __init__(self, data: Any) -> None:
        self._data = data

    def respond(self, prompt: str, /, **settings: Any) -> Any:
        """Ask the same of every row; see `respond_frame`, whose parameters these are."""
        settings.setdefault("namespace", _names(None, inspect.currentframe()))
        return respond_frame(self._data, prompt, **settings)


def _run(
    shared: Shared | None,
    batch: FrameBatch,
    budget: Budget | None,
    spread: _Spread,
    finish: Callable[[pd.DataFrame], Any],
    **settings: Any,
) -> Any:
    """Ask all rows, within the batch's own budget, and return or raise what came of it in its final form.

    `shared` is None if the session is not the kernel's.
    """
    session = batch.session
    if shared is not None:
        # An interrupt ends many streams at once, each with a price: it must not wait for the prices to load.
        shared.expect_costs()
    till = Till(
        budget,
        lambda: shared.budget if shared is not None else None,
        backend=session.backend,
        base_url=session.base_url,
    )
    settings["is_watched"] = settings["is_watched"] and _is_watched()
    try:
        with _unpaced(shared), spread.runner(session) as runner:
            result = finish(batch.run(runner=_paid(till, runner), **settings))
    except BaseException as error:
        if getattr(error, "frame", None) is not None:
            _last[:] = [finish(error.frame)]  # type: ignore[attr-defined]
            error.frame = _last[0]  # type: ignore[attr-defined]
        raise
    _last[:] = [result]
    return result


def _paid(till: Till, runner: Runner) -> Runner:
    """Return a runner whose jobs wait until there is money for them."""

    async def run(asking: JobAsking) -> Response:
        row = asking.job.labels.get("row", "")
        await till.wait(row, asking.job.params)
        try:
            return await runner(replace(asking, client=asking.client.under(till)))
        finally:
            till.leave(row)

    return run


def _forecast(shared: Shared, batch: FrameBatch, checkpoint: str | os.PathLike[str] | None) -> BatchForecast:
    session = batch.session
    forecaster = Forecaster(
        base_url=session.base_url, backend=session.backend, prices=default_prices(), ledger=shared.ledger
    )
    with ExitStack() as stack:
        kept = None
        if checkpoint is not None and Path(place_of(checkpoint)).exists():
            kept = stack.enter_context(Checkpoint(checkpoint, batch=batch.identity, title=batch.title))

        def rows() -> Iterator[tuple[str, Mapping[str, Any], str | None, bool]]:
            for request in batch.requests():
                stored = kept.get(request.key) if kept is not None and request.error is None else None
                is_stored = stored is not None and stored.state == ANSWERED
                error = None if request.error is None else request.error.fact
                yield request.key, {**request.body, **batch.toolbox.offered()}, error, is_stored

        return batch_forecast(rows(), forecaster)


def _finished(frame: pd.DataFrame, back: Back, result: pd.DataFrame, *, keeps_columns: bool) -> Any:
    """Return a result as the caller wants it: beside the table's own columns or not, in the table's own kind."""
    if keeps_columns:
        import pandas as pd

        names = {}
        for name in result.columns:
            free = name
            while free in frame.columns or (free != name and free in result.columns):
                free = f"comet_{free}"
            names[name] = free
        result = pd.concat([frame, result.rename(columns=names)], axis=1)
    return back(result)


def _listed(named: Hashable | Sequence[Hashable], frame: pd.DataFrame) -> tuple[Hashable, ...]:
    """Return one column, or several; a tuple may be the name of one column."""
    if isinstance(named, list):
        return tuple(named)
    if isinstance(named, tuple):
        return (named,) if named and named in frame.columns else named
    return (named,)


def _shared() -> Shared:
    # Looked up each time: tests and restarts put another in its place.
    return defaults.shared


def _names(namespace: Mapping[str, Any] | None, frame: FrameType | None) -> Mapping[str, Any]:
    """Return the names that expressions may use: those given, else the variables of whoever called."""
    caller = frame.f_back if frame is not None else None
    if namespace is not None or caller is None:
        return namespace or {}
    return {**caller.f_globals, **caller.f_locals}


@contextmanager
def _unpaced(shared: Shared | None) -> Iterator[None]:
    """Let the simulator answer at once unless its pace was chosen: of many rows at once nobody watches one."""
    if shared is None or shared.session.backend != "simulator":
        yield
        return
    simulator = shared.simulator
    with _pacing:
        _paces.append((simulator.tokens_per_s, simulator.first_token_s))
        shared.hurry()
    try:
        yield
    finally:
        with _pacing:
            # Of batches on several threads the last to end brings back what the first had found.
            before = _paces.pop()
            if not _paces:
                simulator.tokens_per_s, simulator.first_token_s = before


def _is_watched() -> bool:
    """Tell whether somebody sees a bar move: a front end that could ask for input, or a terminal."""
    if _shared().options.live == "off":
        return False
    shell = shell_now()
    if getattr(shell, "kernel", None) is None:
        return sys.stderr.isatty()
    return watching(shell) == "front end"
