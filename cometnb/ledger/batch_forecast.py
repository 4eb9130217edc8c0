"""What a batch will cost, said before anything is sent: the forecasts of its rows, added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isinf, isnan
from typing import TYPE_CHECKING, Any

from cometnb.ledger.forecast import Forecast, Forecaster
from cometnb.protocol.cost import dollars
from cometnb.protocol.counted import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BatchForecast", "Group", "batch_forecast"]

_MOST_ERRORS = 3


@dataclass(slots=True)
class Group:
    """The rows that ask one model, each question once.

    Attributes
    ----------
    n_requests : int
    input_tokens, output_low : int
        Sums; estimated.
    output_high : int or None
        None if nothing bounds it.
    cost_low_usd, cost_high_usd : float
        NaN without a price, infinite where nothing bounds it.
    price_source : str
    """

    n_requests: int = 0
    input_tokens: int = 0
    output_low: int = 0
    output_high: int | None = 0
    cost_low_usd: float = 0.0
    cost_high_usd: float = 0.0
    price_source: str = ""

    def add(self, one: Forecast) -> None:
        """Add a row."""
        self.n_requests += 1
        self.input_tokens += one.input_tokens
        self.output_low += one.output_low
        self.output_high = (
            None
            if None in (self.output_high, one.output_high)
            else (self.output_high or 0) + (one.output_high or 0)
        )
        self.cost_low_usd += one.cost_low_usd
        self.cost_high_usd += one.cost_high_usd
        self.price_source = one.price_source


@dataclass(frozen=True, slots=True)
class BatchForecast:
    """What ``dry_run=True`` returns: how many requests a batch makes, and what they are expected to cost.

    Attributes
    ----------
    n_rows : int
        Of the frame.
    n_requests : int
        To be sent: rows that ask the same count once, rows that cannot be sent and rows whose answer is in the
        checkpoint not at all.
    n_duplicates, n_stored, n_unsent : int
        Those other rows.
    errors : tuple of str
        Why rows cannot be sent; the first few, each said once.
    groups : dict of str to Group
        By model.
    notes : tuple of str
        What is not in these figures.
    """

    n_rows: int
    n_requests: int
    n_duplicates: int = 0
    n_stored: int = 0
    n_unsent: int = 0
    errors: tuple[str, ...] = ()
    groups: Mapping[str, Group] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def input_tokens(self) -> int:
        """Estimated, of all requests."""
        return sum(group.input_tokens for group in self.groups.values())

    @property
    def cost_low_usd(self) -> float:
        """The low end of the cost; NaN if a price is not known."""
        return sum(group.cost_low_usd for group in self.groups.values())

    @property
    def cost_high_usd(self) -> float:
        """The high end of the cost; NaN if a price is not known, infinite if nothing bounds it."""
        return sum(group.cost_high_usd for group in self.groups.values())

    def by_model(self) -> pd.DataFrame:
        """Return one row a model.

        Returns
        -------
        DataFrame
            Index ``model``; ``requests``, ``input_tokens``, ``output_low``, ``output_high`` Int64 (<NA> is "nothing
            bounds it"); ``cost_low_usd``, ``cost_high_usd`` float64 (NaN is "no price known"); ``price_source``.
        """
        import pandas as pd

        rows = [
            (
                model,
                group.n_requests,
                group.input_tokens,
                group.output_low,
                group.output_high,
                group.cost_low_usd,
                group.cost_high_usd,
                group.price_source,
            )
            for model, group in self.groups.items()
        ]
        names = ["model", "requests", "input_tokens", "output_low", "output_high"]
        names += ["cost_low_usd", "cost_high_usd", "price_source"]
        frame = pd.DataFrame(rows, columns=names).set_index("model")
        return frame.astype(dict.fromkeys(names[1:5], "Int64") | dict.fromkeys(names[5:7], "float64"))

    def __str__(self) -> str:
        without = [
            (self.n_duplicates, "ask what another row asks"),
            (self.n_stored, "are answered in the checkpoint"),
            (self.n_unsent, "cannot be sent"),
        ]
        aside = "; ".join(f"{number:,} {words}" for number, words in without if number)
        lines = [
            f"{counted(self.n_rows, 'row')}, {counted(self.n_requests, 'request')}"
            + (f" ({aside})" if aside else ""),
        ]
        for model, group in self.groups.items():
            lines.append(
                f"{model}: {counted(group.n_requests, 'request')}, about {group.input_tokens:,} tokens in, "
                f"{_tokens(group)} out: {_cost(group.cost_low_usd, group.cost_high_usd, group.price_source)}"
            )
        if len(self.groups) > 1:
            lines.append(f"in all: {_cost(self.cost_low_usd, self.cost_high_usd, '')}")
        lines += [f"not sent: {error}" for error in self.errors]
        return "\n".join([*lines, *self.notes, "Nothing was sent."])

    def __repr__(self) -> str:
        return str(self)


def batch_forecast(
    requests: Iterable[tuple[str, Mapping[str, Any], str | None, bool]], forecaster: Forecaster
) -> BatchForecast:
    """Add up what the rows of a batch are expected to use and to cost.

    Parameters
    ----------
    requests : iterable of (key, body, error, is_stored)
        One a row: rows with the same key ask the same; `error` says why one cannot be sent; `is_stored` that its
        answer is there already.
    forecaster : Forecaster
    """
    groups: dict[str, Group] = {}
    seen: set[str] = set()
    notes: dict[str, None] = {}
    errors: dict[str, None] = {}
    counts = {"rows": 0, "duplicates": 0, "stored": 0, "unsent": 0}
    for key, body, error, is_stored in requests:
        counts["rows"] += 1
        if error is not None:
            counts["unsent"] += 1
            errors[error] = None
        elif is_stored:
            counts["stored"] += 1
        elif key in seen:
            counts["duplicates"] += 1
        else:
            seen.add(key)
            one = forecaster.of(body)
            groups.setdefault(str(body.get("model")), Group()).add(one)
            notes |= dict.fromkeys(one.notes)
    return BatchForecast(
        n_rows=counts["rows"],
        n_requests=len(seen),
        n_duplicates=counts["duplicates"],
        n_stored=counts["stored"],
        n_unsent=counts["unsent"],
        errors=tuple(errors)[:_MOST_ERRORS],
        groups=groups,
        notes=tuple(notes),
    )


def _tokens(group: Group) -> str:
    if group.output_high is None:
        return f"{group.output_low:,} or more"
    return f"{group.output_low:,} to {group.output_high:,}"


def _cost(low_usd: float, high_usd: float, source: str) -> str:
    if isnan(low_usd):
        return source or "no price known"
    low = dollars(low_usd)
    band = f"{low} or more" if isinf(high_usd) else f"{low} to {dollars(high_usd)}"
    return f"{band} ({source})" if source else band
