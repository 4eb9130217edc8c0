"""The audit of notebooks as one result: their calls, the leaked keys, and what could not be read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from cometnb.errors import ParamError
from cometnb.ledger.audit.keys import secrets_of
from cometnb.ledger.audit.leaks import Leak, leaks_of
from cometnb.ledger.audit.notebook import Notebook, notebook_files, read_notebook
from cometnb.ledger.audit.report import text_report
from cometnb.ledger.audit.saved import SavedCall, saved_calls
from cometnb.ledger.audit.totals import totals_of
from cometnb.ledger.prices import Prices, default_prices
from cometnb.ledger.rows import COLUMNS, Kind
from cometnb.protocol.keyless import keyless

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Audit", "audit"]

# What only a notebook has.
_OWN_COLUMNS = {
    "cell": "Int64",
    "execution_count": "Int64",
    "tool_fees_usd": "float64",
    "is_priced_now": "bool",
    "is_repeat": "bool",
}


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in notebooks. `print()` it for the report.

    Attributes
    ----------
    notebooks : tuple of str
        The files that were read, in order.
    saved : tuple of SavedCall
        Every call, repeats included.
    leaks : tuple of Leak
        Every place where a key stands.
    errors : Mapping of str to str
        Paths that lead to no file, and files that are no notebooks, with the reason.
    secrets : Mapping of str to str
        Keys of the environment, for hiding them.
    """

    notebooks: tuple[str, ...]
    saved: tuple[SavedCall, ...]
    leaks: tuple[Leak, ...]
    errors: Mapping[str, str]
    secrets: Mapping[str, str]

    @property
    def exit_status(self) -> int:
        """1 if a key leaked, else 2 if a path or file was no notebook, else 0."""
        return 1 if self.leaks else 2 if self.errors else 0

    @property
    def calls(self) -> pd.DataFrame:
        """The calls as a table.

        Returns
        -------
        DataFrame
            One row per answer that stands in a notebook, in order: the columns of the usage frame (what is saved
            in no notebook is missing), so that `by_model` and its like take it, then `cell` and `execution_count`
            (Int64), `tool_fees_usd` (float64), `is_priced_now` and `is_repeat` (bool). Leave out the rows with
            `is_repeat` before summing: each was paid once.
        """
        import pandas as pd

        def column(name: str, dtype: Any) -> Any:
            values = [call.tokens.get(name, getattr(call, name, None)) for call in self.saved]
            if dtype is Kind.TIME:
                return pd.to_datetime(pd.Series(values, dtype="object"), utc=True).dt.as_unit("ns")
            return pd.array(values, dtype=dtype)

        text = pd.StringDtype("python")
        dtypes = {
            Kind.TEXT: text,
            Kind.ID: text,
            Kind.SOURCE: text,
            Kind.COUNT: "Int64",
            Kind.NUMBER: "float64",
            Kind.TIME: Kind.TIME,
        }
        columns = {shown.name: dtypes[shown.kind] for shown in COLUMNS if shown.shown} | _OWN_COLUMNS
        return pd.DataFrame({name: column(name, dtype) for name, dtype in columns.items()})

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values for `json.dumps`; keys are masked, what is not known is null."""
        found = {
            "totals": totals_of(self.saved).as_json(),
            "notebooks": [
                {
                    "path": path,
                    "error": self.errors.get(path),
                    "leaks": sum(leak.notebook == path for leak in self.leaks),
                    **totals_of(call for call in self.saved if call.notebook == path).as_json(),
                }
                for path in self.notebooks
            ],
            "calls": [_call_as_json(call) for call in self.saved],
            "leaks": [asdict(leak) for leak in self.leaks],
            "errors": dict(self.errors),
        }
        # A key may stand where a model's name or an id should.
        shown: dict[str, Any] = keyless(found, *self.secrets)
        return shown

    def __str__(self) -> str:
        return text_report(self)

    def __repr__(self) -> str:
        return f"<Audit: {len(self.notebooks)} notebooks, {len(self.saved)} calls, {len(self.leaks)} leaks>"


def audit(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    prices: Prices | None = None,
    environ: Mapping[str, str] | None = None,
) -> Audit:
    """Audit saved notebooks: what their cells cost, and which keys leaked into them. Nothing in them is run.

    Parameters
    ----------
    paths : path, or iterable of paths
        Files, folders (searched at any depth) and patterns such as ``reports/*.ipynb``.
    prices : Prices, optional
        What prices a call that was saved without a cost; the settings' prices if None.
    environ : Mapping of str to str, optional
        Where keys of one's own are taken from; `os.environ` if None.

    Returns
    -------
    Audit

    Raises
    ------
    ParamError
        If there is no path.

    Notes
    -----
    Only calls whose answers are shown in the notebook can be found there: not those of ``--quiet`` cells, of failed
    attempts, or of outputs that were cleared. The ledger has all of them.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not given:
        raise ParamError("No path is given.", 'Give one: audit("notebooks/").', param="paths")
    secrets = secrets_of(os.environ if environ is None else environ)
    price = (prices or default_prices()).cost
    saved: list[SavedCall] = []
    leaks: list[Leak] = []
    errors: dict[str, str] = {}
    names: list[str] = []
    seen: set[tuple[str, str]] = set()
    for wanted in notebook_files(given):
        notebook = Notebook(wanted.path, error=wanted.error) if wanted.error else read_notebook(wanted.path)
        if notebook.error:
            errors[wanted.path] = notebook.error
        if not wanted.error:
            names.append(wanted.path)
        saved += saved_calls(notebook, price, seen)
        leaks += leaks_of(notebook, secrets)
    return Audit(tuple(names), tuple(saved), tuple(leaks), errors, secrets)


def _call_as_json(call: SavedCall) -> dict[str, Any]:
    fields = asdict(call)
    plain = {**fields.pop("tokens"), **fields}
    plain["created_at"] = call.created_at.isoformat() if call.created_at else None
    return {
        name: None if isinstance(value, float) and isnan(value) else value for name, value in plain.items()
    }
