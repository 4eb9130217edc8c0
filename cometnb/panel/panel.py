"""The panel itself: everything that works without a front end, and the door to the board that shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from cometnb.defaults import shared
from cometnb.errors import CellError
from cometnb.panel.asking import FIELDS
from cometnb.panel.card import card
from cometnb.panel.comparing import Comparing
from cometnb.panel.difference import Difference, difference
from cometnb.panel.expecting import Later, expected_words
from cometnb.panel.history import Run, frame
from cometnb.panel.inserting import place_below
from cometnb.panel.packing import packed
from cometnb.panel.presets import Presets
from cometnb.session.origin import shell_now
from cometnb.session.settings import Settings
from cometnb.session.sweep_axes import SHORT_NAMES
from cometnb.view.choose import shows_widgets

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Panel", "panel"]

_QUIET_S = 0.3


class Panel(Comparing):
    """One prompt with every parameter of the API, run as often as one likes, in code or in the board that shows it.

    Parameters
    ----------
    prompt : str
        With ``{{expression}}``, as the body of ``%%respond``.
    namespace : Mapping, optional
        Where ``{{expressions}}``, functions, schemas and attachments are looked up; the notebook if None.
    params, tools, schema, images, files, detail, is_raw, confirms
        What the attributes of these names begin with.

    Attributes
    ----------
    prompt : str
        With ``{{expression}}``, as the body of ``%%respond``.
    params : dict
        Parameters by the API's names, objects nested; what is not in it is not sent. Assign a new dict, or use `set`
        and `unset`: a change inside it is not noticed.
    tools : list
        Names of functions of the notebook or of the service's own tools, and entries as dicts.
    schema : str
        What a structured answer is asked for with; empty for text.
    images : list of str
        What is attached to be looked at: names of the notebook, paths, URLs.
    files : list of str
        What is attached to be read, likewise.
    detail : str or None
        How closely images are looked at.
    is_raw : bool
        Leave ``{{ }}`` in the prompt as typed.
    confirms : bool
        Ask before each function of the notebook runs; `permit` answers.
    request : dict
        Read-only: the request's body as it would be sent, with expressions and attachments as they are named.
    problem : str
        Read-only: why it cannot be sent, in two lines; empty if nothing is known to be wrong.
    expected : str
        Read-only: what the next run is expected to cost, with the source of the price. It is worked out on a thread of
        its own a moment after a change, where its observers are called; empty until then, and without a prompt.
    running : bool
        Read-only: whether a run, or a comparison, is on its way.
    response : Response or None
        Read-only: of the last run; while one is on its way, its answer so far. Observers are told at the end.
    error : Exception or None
        Read-only: why the last run ended badly.
    notes : tuple of str
        Read-only: what was settled for the last run before sending.
    runs : tuple of Run
        Read-only: the runs that have ended, oldest first, `KEPT_RUNS` at most; those of columns are among them.
    spent : str
        Read-only: what this panel's runs have cost; simulated ones apart, and what is not known is said.
    refused : dict
        Read-only: parameter to the words in which the service refused it, until it is changed or dropped.
    comparing : bool
        Whether columns are shown instead of the single answer; for whoever shows the panel.
    columns : tuple of Column
        Read-only: settings side by side; a new tuple at every change.
    presets : Presets
        Of this user, and the shipped ones.

    Notes
    -----
    Observers of what is asked, of `request` and `problem`, and of `running` as it becomes True are called on the
    thread that made the change. Those of `running` as it becomes False, and of `response`, `error`, `notes`, `runs`,
    `spent` and `refused`, are called on the run's own thread, where neither pyplot nor a running ``asyncio`` loop is.
    What they raise there becomes a warning.
    """

    __signature__: ClassVar[Signature]

    expected = traitlets.Unicode(read_only=True)

    def __init__(
        self, prompt: str = "", /, namespace: Mapping[str, Any] | None = None, **fields: Any
    ) -> None:
        self._board: Any = None
        self._later = Later(self._expect, _QUIET_S)
        super().__init__(namespace, prompt=prompt, **fields)
        self.observe(self._ask_cost, ["request", "runs"])
        self._later.ask()

    # Presets.

    @cached_property
    def presets(self) -> Presets:
        """The presets of this user, and the shipped ones."""
        return Presets()

    def save_preset(self, name: str, *, replace: bool = False) -> None:
        """Keep the settings under a name; see `Presets.save`."""
        self.presets.save(name, self.settings, replace=replace)

    def load_preset(self, name: str) -> None:
        """Take over a preset; the panel keeps its prompt if the preset has none.

        Raises
        ------
        CellError
            There is none of this name.
        """
        self._take(self.presets.find(name))

    def share(self) -> str:
        """Return the settings as one string for somebody else, whose `load` takes it; keys in it are masked."""
        return packed(self.settings)

    def load(self, text: str) -> None:
        """Take over the settings of a cell, of code in any of the forms, or of a shared string.

        The panel keeps its prompt if a shared string has none. Nothing is evaluated before a run: look at the prompt
        of a string from somebody else first, for its ``{{expressions}}`` are Python.

        Raises
        ------
        CometError
            It is none of them; the panel stays as it is.
        """
        self._take(self._read(text))

    # Runs.

    def history(self) -> pd.DataFrame:
        """Return the runs that are kept as a table, one row per run, oldest first.

        Returns
        -------
        DataFrame
            ``number`` int64; ``label`` string (the column of a comparison, <NA> for the panel itself); ``started_at``
            datetime64[ns, UTC]; ``status``, ``model`` string; ``input_tokens``, ``cached_tokens``, ``output_tokens``,
            ``reasoning_tokens`` Int64, <NA> is "not reported"; ``cost_usd`` float64, NaN is "not known";
            ``price_source``, ``backend`` string; ``ttft_s``, ``duration_s`` float64; ``error``, ``prompt``, ``answer``
            string; and one column ``param.PATH`` for every parameter that is set in some run.
        """
        return frame(self.runs)

    def diff(self, before: int = -2, after: int = -1) -> Difference:
        """Return what is different between two runs: their settings, and their answers word by word.

        Parameters
        ----------
        before, after : int
            Places among `runs`; the last two unless told.

        Raises
        ------
        CellError
            There are no such runs.
        """
        return difference(self._run_at(before), self._run_at(after))

    def insert_cell(self) -> str | None:
        """Put the panel as a ``%%respond`` cell below the cell that runs.

        Returns
        -------
        str or None
            None if the cell is there. Where no cell runs (a button was pressed), or nobody can be asked for one, the
            text of the cell.
        """
        text = self.code("cell")
        return None if place_below(shell_now(), text) else text

    # Life.

    def close(self) -> None:
        """Stop what is on its way, take the board away, and let go of everybody who watches.

        Settings, runs and the last answer can still be read; a run can no longer be started.
        """
        self._later.close()
        super().close()
        board, self._board = self._board, None
        if board is not None:
            board.close()

    def __repr__(self) -> str:
        return card(self)["text/plain"]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        shown: dict[str, Any] = dict(card(self))
        shell = shell_now()
        names = shell.user_ns if shell is not None else {}
        if not self.is_closed and shows_widgets(names) and shared.options.live != "off":
            # anywidget takes a moment to load, and a panel works without it.
            from cometnb.panel.board import Board

            if self._board is None:
                self._board = Board(self)
            shown |= self._board.bundle()
        return shown

    def _take(self, settings: Settings) -> None:
        prompt = settings.prompt or self.prompt
        self.settings = settings
        self.prompt = prompt

    def _run_at(self, place: int) -> Run:
        try:
            run: Run = self.runs[place]
        except IndexError:
            hint = "Count from 0, or from the end with -1." if self.runs else "Run the panel: panel.run()"
            raise CellError(f"There is no run {place}; {len(self.runs)} are kept.", hint) from None
        return run

    def _ask_cost(self, change: Any) -> None:
        self._later.ask()

    def _expect(self) -> None:
        self._put(expected=expected_words(self.request, self.settings) if self.prompt.strip() else "")


def _signature() -> Signature:
    traits = Panel.class_traits()
    own = [name for name in (*FIELDS, "confirms") if name != "prompt"]
    return Signature(
        [
            Parameter("prompt", Parameter.POSITIONAL_ONLY, default=""),
            Parameter("namespace", Parameter.POSITIONAL_OR_KEYWORD, default=None),
            *(Parameter(name, Parameter.KEYWORD_ONLY, default=traits[name].default()) for name in own),
        ]
    )


# Whoever reads the signature of a class with traits finds (*args, **kwargs) otherwise.
Panel.__signature__ = _signature()


def panel(prompt: str = "", /, **params: Any) -> Panel:
    """Return a panel: one prompt with every parameter of the API as a control, live answers, runs and presets.

    As the last line of a cell it is shown. Everything it can do works in code, too.

    Parameters
    ----------
    prompt : str
        With ``{{expression}}``, as the body of ``%%respond``.
    **params
        Parameters of the API (``temperature=0.2``, ``effort="low"``, ``text={"verbosity": "low"}``), and the panel's
        own: ``tools`` (names, functions, dicts), ``schema`` (a class, a JSON Schema, or fields in one line),
        ``images``, ``files``, ``detail``, ``is_raw``, ``confirms``.

    Raises
    ------
    CellError
        A tool or a schema that has no name, or a value of the wrong type.

    Examples
    --------
    >>> import os, cometnb
    >>> os.environ["COMETNB_BACKEND"] = "simulator"
    >>> panel = cometnb.panel("Say hello.", temperature=0.2)
    >>> panel.run().status
    'completed'
    >>> panel.set("effort", "low")
    >>> again = panel.run()
    >>> panel.diff().settings
    (Change(path='reasoning.effort', before=None, after='low'),)
    >>> panel.close()
    """
    own = {name: params.pop(name) for name in (*FIELDS, "confirms") if name in params and name != "prompt"}
    objects: dict[str, Any] = {}
    own["tools"] = [_named(one, objects, "tool") for one in _listed(own.get("tools"))]
    if "schema" in own:
        own["schema"] = _named(own["schema"], objects, "schema")
    given = own.pop("params", {})
    if not isinstance(given, Mapping):
        raise CellError(
            f"params is {type(given).__name__}, not a dict.",
            "Give parameters by name: cometnb.panel(…, temperature=0.2)",
        )
    settings = Settings(params=given)
    # A short name is a field of an object that may be given, too.
    for name, value in sorted(params.items(), key=lambda one: one[0] in SHORT_NAMES):
        settings = settings.with_value(SHORT_NAMES.get(name, name), value)
    made = Panel(prompt, params=dict(settings.params), **own)
    made.add_names(objects)
    return made


_BY_NAME = {"tool": "tools=['NAME']", "schema": "schema='NAME'"}


def _listed(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _named(value: Any, objects: dict[str, Any], what: str) -> Any:
    """Return what a panel holds for an object: its name, under which it is found from then on."""
    if isinstance(value, Mapping):
        return json.dumps(value) if what == "schema" else value
    if isinstance(value, str):
        return value
    name = getattr(value, "name", None) or getattr(value, "__name__", None)
    if what == "schema" and not isinstance(value, type):
        name = None  # `list[Person]` says it is a list
    if not isinstance(name, str) or not name.isidentifier():
        raise CellError(
            f"The {what} {type(value).__name__} has no name.",
            f"Put it into a variable, and name it: {_BY_NAME[what]}",
        )
    objects[name] = value
    return name
