"""``sweep``: one prompt over a grid of parameters, streamed side by side, as one tidy frame."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cometnb.defaults import Shared, shared
from cometnb.panel.sweep_running import Settings, run_grid, show_grid
from cometnb.panel.swept import Sweep
from cometnb.session.structured import schema_of
from cometnb.session.sweep import MOST_RUNS, Grid, grid_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sweep"]


class _Sweeper:
    """Ask one prompt, or several, with every combination of parameters, side by side.

    Attributes
    ----------
    last : Sweep or None
        The sweep that ended last, with its Response objects, also one that was interrupted.
    """

    last: Sweep | None = None

    def __call__(
        self,
        prompt: Any = None,
        /,
        *,
        repeat: int = 1,
        max_concurrency: int = 4,
        checkpoint: str | os.PathLike[str] | None = None,
        budget: Any = None,
        tag: str = "",
        dry_run: bool = False,
        fresh: bool = False,
        max_runs: int = MOST_RUNS,
        schema: Any = None,
        **params: Any,
    ) -> pd.DataFrame:
        """Run a grid and return its frame.

        Parameters
        ----------
        prompt : str, list or dict
            ``{{ }}`` in it is filled in from where this is called, as in a cell. Several (a list, or a dict of names
            to prompts) are an axis.
        repeat : int
            Separate calls for every combination.
        max_concurrency : int
            Most calls at once.
        checkpoint : str or path, optional
            A file where answers are kept as they come: the same sweep, or a larger one, then asks only what is
            missing, also in another kernel.
        budget : float or Budget, optional
            Most US dollars for this sweep, beside the kernel's own budget; what is done when it is used up is kept.
        tag : str
            Of the rows in the usage frame.
        dry_run : bool
            Say what would be asked and what it is expected to cost; nothing is sent, and the frame holds what each
            run is expected to cost.
        fresh : bool
            Ask all of it anew. Else a sweep that was cut short in this kernel goes on with what is missing when it is
            run again; so does a `checkpoint`, whatever this says.
        max_runs : int
            Most calls.
        schema : object, optional
            What structured answers shall be, as for `cometnb.respond`; their fields are columns then.
        **params
            Any parameter of the API. A list is an axis, and so is a dict of names to values where the parameter is no
            object; for ``tools`` and ``include``, a list of lists. ``effort`` and ``verbosity`` for short; a field
            inside a parameter as ``reasoning={"summary": [...]}`` or ``**{"reasoning.summary": [...]}``. A name that
            stands in braces in the prompt may be given, too. None in a list is "not set".

        Returns
        -------
        DataFrame
            One row per run, the axes first; see `cometnb.session.sweep_frame.frame_of`. The Response objects are in
            ``cometnb.sweep.last``.

        Raises
        ------
        ParamError
            Before anything is asked: a parameter, an axis or a value that cannot be used, or too many runs.
        CellError
            A prompt that cannot be filled in.
        BatchError
            A checkpoint that cannot be used.
        KeyboardInterrupt
            The kernel was interrupted; what was done is in ``cometnb.sweep.last``, and running it again goes on.

        Examples
        --------
        >>> import os, cometnb
        >>> os.environ["COMETNB_BACKEND"] = "simulator"
        >>> frame = cometnb.sweep("Say hello.", model=["gpt-5.4", "gpt-5.4-mini"], effort=["none", "low"], repeat=2)
        >>> frame.groupby("model")["cost_usd"].sum()  # doctest: +SKIP
        """
        if prompt is None and not isinstance(params.get("prompt"), Mapping | None):
            # By name, where the API's own prompt (a stored template) is a dict.
            prompt = params.pop("prompt")
        caller = sys._getframe(1)
        namespace = {**caller.f_globals, **caller.f_locals}
        grid = grid_of(
            prompt,
            params,
            model=shared.session.model,
            namespace=namespace,
            repeat=repeat,
            schema=None if schema is None else schema_of(schema, namespace),
            max_runs=max_runs,
        )
        settings = Settings(max_concurrency, checkpoint, budget, tag, fresh)
        if dry_run:
            return show_grid(shared, grid)
        return self.run(shared, grid, settings, namespace).frame

    def run(
        self,
        shared: Shared,
        grid: Grid,
        settings: Settings,
        namespace: Mapping[str, Any],
        labels: Mapping[str, str] | None = None,
    ) -> Sweep:
        """Run a grid that has been made, as a cell does; see `run_grid`."""

        def keep(done: Sweep) -> None:
            self.last = done

        return run_grid(shared, grid, settings, namespace, ended=keep, labels=labels)


sweep = _Sweeper()
