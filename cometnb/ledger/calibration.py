"""What the ledger has seen of a model corrects the estimates for it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any, NamedTuple, TypeAlias

from cometnb.protocol.usage import Usage

__all__ = ["FEWEST_ROWS", "Calibration", "Factors", "History", "current", "factors_of"]

History: TypeAlias = Callable[[], Iterable[Mapping[str, Any]]]
"""Gives the rows to learn from, such as ``lambda: recent_rows(ledger)``; it may take its time, and fail."""

FEWEST_ROWS = 5
"""With fewer rows of a model nothing is learned from them."""

# A factor beyond these is no tokenizer's doing: a hidden prompt, a page that was fetched, a broken gateway.
_LEAST, _MOST = 0.4, 2.5
# Of a row with fewer tokens, what wraps a message outweighs the text.
_FEWEST_TOKENS = 20
_LEARN_AGAIN_AFTER_S = 300.0


class Factors(NamedTuple):
    """By what estimates for a model are multiplied.

    Attributes
    ----------
    input, output : float
        Between 0.4 and 2.5; 1.0 where too few rows are known. Output is what can be read, without reasoning.
    n_input, n_output : int
        Rows they were learned from.
    """

    input: float = 1.0
    output: float = 1.0
    n_input: int = 0
    n_output: int = 0


class Calibration:
    """Factors by model, learned from a ledger's history when they are first asked for, in the background.

    Notes
    -----
    No method raises, and none waits for the ledger: until its history is read, and where it cannot be, every factor
    is 1.0. What was learned is kept, and learned anew after five minutes of use.

    Examples
    --------
    >>> Calibration().scaled(Usage({"input_tokens": 100}), "gpt-5.4").input_tokens
    100
    """

    def __init__(self) -> None:
        self._history: History | None = None
        self._factors: Mapping[str, Factors] = {}
        self._learned_at_s = float("-inf")
        self._learning: threading.Thread | None = None
        self._lock = threading.Lock()

    def learn_from(self, history: History | None) -> None:
        """Learn from another history; None forgets and learns no more.

        Parameters
        ----------
        history : callable or None
            Returns rows as `history.recent_rows` does. It is called on a thread of its own, when a factor is asked
            for.
        """
        with self._lock:
            self._history, self._factors = history, {}
            self._learned_at_s, self._learning = float("-inf"), None

    def factors(self, model: str | None) -> Factors:
        """Return the factors of a model, by the name that was asked for or that answered."""
        self._refresh()
        return self._factors.get(model or "", Factors())

    def scaled(self, usage: Usage, model: str | None) -> Usage:
        """Return an estimated usage, corrected for a model.

        Parameters
        ----------
        usage : Usage
            Its output is without reasoning.
        model : str or None

        Returns
        -------
        Usage
            ``input_tokens``, ``output_tokens`` and, if both are known, ``total_tokens``. Falsy if `usage` is.
        """
        if not usage:
            return usage
        factors = self.factors(model)
        known = {
            "input_tokens": (usage.input_tokens, factors.input),
            "output_tokens": (usage.output_tokens, factors.output),
        }
        counts = {name: round(count * factor) for name, (count, factor) in known.items() if count is not None}
        if len(counts) == len(known):
            counts["total_tokens"] = sum(counts.values())
        return Usage(counts)

    def wait(self, timeout_s: float) -> bool:
        """Wait until the history is read; return whether nothing is being read any more."""
        self._refresh()
        learning = self._learning
        if learning is not None and learning is not threading.current_thread():
            learning.join(timeout_s)
        return self._learning is None or not self._learning.is_alive()

    def _refresh(self) -> None:
        with self._lock:
            is_learning = self._learning is not None and self._learning.is_alive()
            is_fresh = time.monotonic() - self._learned_at_s < _LEARN_AGAIN_AFTER_S
            if self._history is None or is_learning or is_fresh:
                return
            self._learned_at_s = time.monotonic()
            # A daemon: nobody waits at the end for what nobody asks for any more.
            learning = threading.Thread(
                target=self._learn, args=(self._history,), name="cometnb-calibration", daemon=True
            )
            try:
                learning.start()
            except RuntimeError:  # the interpreter is ending
                return
            self._learning = learning

    def _learn(self, history: History) -> None:
        try:
            factors = factors_of(history())
        except Exception:  # noqa: BLE001 - without history the estimates stand as they are
            return
        with self._lock:
            if self._history is history:
                self._factors = factors


def factors_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Factors]:
    """Return the factors that rows of the ledger teach, by model.

    Parameters
    ----------
    rows : iterable of Mapping
        As `history.recent_rows` gives them. A row teaches for the name that was asked for and for the one that
        answered. Of the input, rows teach nothing if they continue an earlier response or ran built-in tools: what
        these added was not estimated. Simulated and replayed calls teach nothing.

    Returns
    -------
    dict of str to Factors
        Each factor is the median of reported over estimated tokens, of at least `FEWEST_ROWS` rows.
    """
    inputs, outputs = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for row in rows:
        if row.get("backend") != "api" or row.get("usage_source", "reported") != "reported":
            continue
        names = {name for name in (row.get("model"), row.get("model_requested")) if isinstance(name, str)}
        if not row.get("previous_response_id") and not row.get("n_tool_calls"):
            _teach(inputs, names, row.get("input_tokens"), row.get("input_estimate_tokens"))
        _teach(outputs, names, _visible(row), row.get("output_estimate_tokens"))
    return {
        name: Factors(
            _factor(inputs[name]),
            _factor(outputs[name]),
            len(inputs[name]),
            len(outputs[name]),
        )
        for name in {*inputs, *outputs}
    }


def _visible(row: Mapping[str, Any]) -> int | None:
    """Return the output that can be read; None where the service does not say how much was reasoning."""
    output, reasoning = row.get("output_tokens"), row.get("reasoning_tokens")
    return output - reasoning if isinstance(output, int) and isinstance(reasoning, int) else None


def _teach(ratios: dict[str, list[float]], names: set[str], reported: Any, estimated: Any) -> None:
    if (
        isinstance(reported, int)
        and isinstance(estimated, int)
        and min(reported, estimated) >= _FEWEST_TOKENS
    ):
        for name in names:
            ratios[name].append(reported / estimated)


def _factor(ratios: list[float]) -> float:
    return min(_MOST, max(_LEAST, median(ratios))) if len(ratios) >= FEWEST_ROWS else 1.0


current = Calibration()
"""The one that estimates are corrected with; the kernel's ledger teaches it."""
