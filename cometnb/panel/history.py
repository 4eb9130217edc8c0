"""The runs of a panel: what was asked, what came, what it cost; as a table, and bounded in memory."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cometnb.protocol.cost import Cost
from cometnb.protocol.response import Response, whole_text
from cometnb.protocol.usage import Usage
from cometnb.session.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KEPT_CHARACTERS", "KEPT_RUNS", "History", "Run", "flat", "frame"]

KEPT_RUNS = 100
"""A panel keeps so many runs at most; the oldest go first."""

KEPT_CHARACTERS = 50_000_000
"""And as many as have this much text in their requests and answers together; the newest is always kept."""


@dataclass(eq=False, slots=True)
class Run:
    """One run of a panel, or of one column of a comparison.

    Attributes
    ----------
    number : int
        Counted from 1 in its panel.
    settings : Settings
        What was asked, as it was set.
    label : str
        The column it ran in; empty for the panel itself.
    request : dict
        The body as it was sent; of several rounds, the first.
    started_at : datetime
        Aware, UTC.
    response : Response or None
        What came, once it has ended; also of a run that failed in the middle.
    error : Exception or None
        Why it ended badly.
    notes : tuple of str
        What was settled before sending.
    run_id : str
        32 hex digits.
    """

    number: int
    settings: Settings
    label: str = ""
    request: dict[str, Any] = field(default_factory=dict)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    response: Response | None = None
    error: Exception | None = None
    notes: tuple[str, ...] = ()
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    _is_done: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def is_done(self) -> bool:
        """True once it has ended and is among the panel's runs."""
        return self._is_done.is_set()

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters it was asked with, by the API's names."""
        return self.settings.params

    @property
    def status(self) -> str:
        """As of its response; ``error`` if there is none, ``in_progress`` before its end."""
        if self.error is not None and (self.response is None or not self.response.output):
            return "error"
        return self.response.status if self.response is not None else "in_progress"

    @property
    def text(self) -> str:
        """The answer; empty if there is none."""
        return self.response.output_text if self.response is not None else ""

    @property
    def usage(self) -> Usage:
        """Tokens; falsy if they were not reported."""
        return self.response.usage if self.response is not None else Usage()

    @property
    def cost(self) -> Cost:
        """What it cost; NaN where that is not known."""
        return self.response.cost if self.response is not None else Cost()

    def finish(
        self, response: Response | None, error: Exception | None = None, notes: tuple[str, ...] = ()
    ) -> None:
        """Put down its end."""
        self.response, self.error, self.notes = response, error, notes

    def done(self) -> None:
        """Tell those who wait that it is over."""
        self._is_done.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is over and told to everybody; False if the time was too short."""
        return self._is_done.wait(timeout_s)


class History:
    """The runs that have ended, the newest of them, within `KEPT_RUNS` and `KEPT_CHARACTERS`."""

    def __init__(self) -> None:
        self._runs: deque[tuple[Run, int]] = deque()
        self._n_characters = 0
        self._lock = threading.Lock()

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs kept, oldest first."""
        with self._lock:
            return tuple(run for run, _ in self._runs)

    def add(self, run: Run) -> None:
        """Keep a run, and let go of the oldest that are too many."""
        raw = run.response.raw if run.response is not None else None
        size = _n_characters(run.request) + _n_characters(raw)
        with self._lock:
            self._runs.append((run, size))
            self._n_characters += size
            while len(self._runs) > KEPT_RUNS or (
                self._n_characters > KEPT_CHARACTERS and len(self._runs) > 1
            ):
                _, gone = self._runs.popleft()
                self._n_characters -= gone

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._runs.clear()
            self._n_characters = 0


def flat(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return parameters by their paths: a field inside an object has a dot before its name."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{path}.")
        else:
            found[path] = value
    return found


def frame(runs: Iterable[Run]) -> pd.DataFrame:
    """Return runs as a table, one row per run, oldest first.

    Returns
    -------
    DataFrame
        ``number`` int64; ``label`` string; ``started_at`` datetime64[ns, UTC]; ``status`` string; ``model`` string,
        which answered; ``input_tokens``, ``cached_tokens``, ``output_tokens``, ``reasoning_tokens`` Int64 with <NA>
        for "not reported"; ``cost_usd`` float64 with NaN for "not known"; ``price_source`` string; ``backend`` string;
        ``ttft_s``, ``duration_s`` float64 with NaN; ``error``, ``prompt``, ``answer`` string. Then one column for
        every parameter that is set in some run, by its path behind ``param.``: Int64, Float64, boolean or string where
        all its values are of that kind, else object; <NA> or None is "not set".
    """
    import pandas as pd

    kept = list(runs)
    rows = [{name: _kept(value) for name, value in _row(run).items()} for run in kept]
    table = pd.DataFrame(rows, columns=list(_DTYPES)).astype(_DTYPES)
    params = [flat(run.params) for run in kept]
    for path in dict.fromkeys(path for one in params for path in one):
        values = pd.Series([_kept(one.get(path)) for one in params], dtype=object, index=table.index)
        table[f"param.{path}"] = values.convert_dtypes()
    return table


_DTYPES = {
    "number": "int64",
    "label": "string",
    "started_at": "datetime64[ns, UTC]",
    "status": "string",
    "model": "string",
    "input_tokens": "Int64",
    "cached_tokens": "Int64",
    "output_tokens": "Int64",
    "reasoning_tokens": "Int64",
    "cost_usd": "float64",
    "price_source": "string",
    "backend": "string",
    "ttft_s": "float64",
    "duration_s": "float64",
    "error": "string",
    "prompt": "string",
    "answer": "string",
}


def _row(run: Run) -> dict[str, Any]:
    response, usage, cost = run.response, run.usage, run.cost
    timing = response.timing if response is not None else None
    return {
        "number": run.number,
        "label": run.label or None,
        "started_at": run.started_at,
        "status": run.status,
        "model": response.model if response is not None else None,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_usd": cost.usd,
        "price_source": cost.source,
        "backend": response.backend if response is not None else None,
        "ttft_s": timing.ttft_s if timing is not None else None,
        "duration_s": timing.duration_s if timing is not None else None,
        "error": str(run.error) if run.error is not None else None,
        "prompt": run.settings.prompt,
        "answer": run.text if response is not None else None,
    }


def _kept(value: Any) -> Any:
    # Half of a character, which a page may send, could be kept in no column and exported by nobody.
    return whole_text(value) if isinstance(value, str) else value


def _n_characters(value: Any) -> int:
    """Return how much text a JSON value holds; numbers and the like count a little."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(len(name) + _n_characters(inner) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_n_characters, value))
    return 8
