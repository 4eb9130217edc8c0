"""What a call will cost, said before it is sent: a band, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, isnan, nan
from typing import TYPE_CHECKING, Any

from cometnb.ledger.calibration import FEWEST_ROWS, Factors, factors_of
from cometnb.ledger.prices import Billable
from cometnb.protocol.cost import Cost, dollar_band
from cometnb.protocol.estimate import estimated_input_tokens

if TYPE_CHECKING:
    from cometnb.ledger.prices import Prices
    from cometnb.ledger.store import Ledger

__all__ = ["INPUT_ERROR", "Forecast", "Forecaster", "forecast"]

INPUT_ERROR = 0.15
"""By which share an estimated input may be off: what prose of a few hundred characters was measured to be off by."""

# The shortest answer there is: a word with what wraps it.
_FEWEST_OUTPUT_TOKENS = 5
# Of earlier answers to the same model and effort, the band leaves out a tenth at each end.
_LOW, _HIGH = 0.1, 0.9
# From this length on, OpenAI's models may read the beginning of an input from their cache (guide "Prompt caching").
_CACHED_FROM_TOKENS = 1_024


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a call is expected to use and to cost.

    Attributes
    ----------
    input_tokens : int
        Estimated; off by `INPUT_ERROR` or less as a rule.
    output_low, output_high : int or None
        Tokens, reasoning included. `output_high` is None if nothing bounds it.
    n_earlier : int
        Earlier answers the output was read from; 0 if there were too few.
    cost_low_usd, cost_high_usd : float
        US dollars; NaN without a price, infinite where nothing bounds it.
    price_source : str
        Where the price is from, or why there is none.
    notes : tuple of str
        What is not in these figures.
    """

    input_tokens: int
    output_low: int
    output_high: int | None
    n_earlier: int = 0
    cost_low_usd: float = nan
    cost_high_usd: float = nan
    price_source: str = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        sent = f"about {self.input_tokens:,} tokens in (±{INPUT_ERROR:.0%}), ".replace("%", " %")
        return f"{sent}{self._output_words()}: {self._cost_words()}"

    def _output_words(self) -> str:
        if self.output_high is None:
            return f"{self.output_low:,} or more out, no upper bound is set (max_output_tokens)"
        low, high = f"{self.output_low:,}", f"{self.output_high:,}"
        band = low if low == high else f"{low} to {high}"
        earlier = f", as {self.n_earlier:,} earlier calls had it" if self.n_earlier else ""
        return f"{band} out{earlier}"

    def _cost_words(self) -> str:
        if isnan(self.cost_low_usd):
            return self.price_source or "no price known"
        return f"{dollar_band(self.cost_low_usd, self.cost_high_usd)} ({self.price_source})"


def forecast(
    params: Mapping[str, Any], *, base_url: str, backend: str, prices: Prices, ledger: Ledger | None = None
) -> Forecast:
    """Return what a call is expected to use and to cost; `Forecaster` does the same for many calls.

    Parameters
    ----------
    params : Mapping
        The request's body.
    base_url, backend, prices, ledger
        As for `Forecaster`.
    """
    return Forecaster(base_url=base_url, backend=backend, prices=prices, ledger=ledger).of(params)


class Forecaster:
    """Says of calls what they are expected to use and to cost; the ledger is read once.

    Parameters
    ----------
    base_url, backend : str
        Where they would go, and by what: ``api``, ``simulator`` or ``cassette``.
    prices : Prices
    ledger : Ledger, optional
        Its history corrects the estimate for the model, and says how long answers were with this model, effort and
        backend: nine of ten were at least as long as the low end, nine of ten at most as long as the high end. With
        fewer than five such answers the band goes from a word to `max_output_tokens`.
    """

    def __init__(self, *, base_url: str, backend: str, prices: Prices, ledger: Ledger | None = None) -> None:
        self._base_url, self._backend, self._prices = base_url, backend, prices
        self._rows = _history(ledger)
        self._factors = factors_of(self._rows)
        self._lengths: dict[tuple[str, Any], list[int]] = {}

    def of(self, params: Mapping[str, Any]) -> Forecast:
        """Return the forecast of one call.

        Parameters
        ----------
        params : Mapping
            The request's body.
        """
        model = str(params.get("model") or "")
        factor = self._factors.get(model, Factors()).input
        input_tokens = round(estimated_input_tokens(params) * factor)
        effort = _effort(params)
        key = (model, effort if isinstance(effort, str) else None)
        if key not in self._lengths:
            self._lengths[key] = _lengths(self._rows, model, effort, self._backend)
        lengths = self._lengths[key]
        low, high = _output_band(lengths, params.get("max_output_tokens"))
        least = self._cost(params, input_tokens * (1 - INPUT_ERROR), low)
        most = self._cost(params, input_tokens * (1 + INPUT_ERROR), high or low)
        is_endless = high is None and most.usd > 0
        return Forecast(
            input_tokens,
            low,
            high,
            len(lengths),
            least.usd,
            inf if is_endless else most.usd,
            least.source if isnan(least.usd) else most.source,
            tuple(_notes(params, input_tokens, self._backend)),
        )

    def _cost(self, params: Mapping[str, Any], input_tokens: float, output_tokens: int) -> Cost:
        model = str(params.get("model") or "") or None
        tier = params.get("service_tier")
        return self._prices.cost(
            Billable(
                model=model,
                model_requested=model,
                base_url=self._base_url,
                backend=self._backend,
                service_tier=tier if isinstance(tier, str) and tier != "auto" else None,
                input_tokens=round(input_tokens),
                cached_tokens=0,
                cache_write_tokens=0,
                output_tokens=output_tokens,
            )
        )


def _history(ledger: Ledger | None) -> Sequence[Mapping[str, Any]]:
    if ledger is None:
        return ()
    try:
        from cometnb.ledger.history import recent_rows

        return recent_rows(ledger)
    except Exception:  # noqa: BLE001 - a ledger that cannot be read leaves the band as wide as it is
        return ()


def _lengths(rows: Sequence[Mapping[str, Any]], model: str, effort: Any, backend: str) -> list[int]:
    """Return how long answers were, in order of length; empty if there are too few of them."""
    lengths = sorted(
        output
        for row in rows
        if model in (row.get("model"), row.get("model_requested"))
        and row.get("effort") == effort
        and row.get("backend") == backend
        and isinstance(output := row.get("output_tokens"), int)
    )
    return lengths if len(lengths) >= FEWEST_ROWS else []


def _effort(params: Mapping[str, Any]) -> Any:
    reasoning = params.get("reasoning")
    return reasoning.get("effort") if isinstance(reasoning, Mapping) else None


def _output_band(lengths: list[int], limit: Any) -> tuple[int, int | None]:
    most = limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else None
    if lengths:
        last = len(lengths) - 1
        low, high = lengths[floor(_LOW * last)], lengths[ceil(_HIGH * last)]
        return (low, high) if most is None else (min(low, most), min(high, most))
    return (_FEWEST_OUTPUT_TOKENS, None) if most is None else (min(_FEWEST_OUTPUT_TOKENS, most), most)


def _notes(params: Mapping[str, Any], input_tokens: int, backend: str) -> list[str]:
    notes = []
    if params.get("previous_response_id") or params.get("conversation"):
        notes.append("The earlier turns that the service remembers come on top of the input.")
    if params.get("prompt"):
        notes.append("The stored prompt comes on top of the input.")
    tools = params.get("tools")
    kinds = (
        [tool.get("type") for tool in tools if isinstance(tool, Mapping)] if isinstance(tools, list) else []
    )
    built_in = dict.fromkeys(
        kind for kind in kinds if isinstance(kind, str) and kind not in ("function", "custom")
    )
    if built_in:
        notes.append(f"What {', '.join(built_in)} read, and their fees, come on top.")
    if input_tokens >= _CACHED_FROM_TOKENS and backend == "api":
        notes.append("Less, if a part of the input is read from the provider's cache.")
    return notes
