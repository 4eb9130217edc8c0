"""What is recorded of an attempt: its row at once, and what takes longer when there is time for it."""

from __future__ import annotations

from contextlib import suppress

from cometnb.client.attempt import Attempt
from cometnb.ledger.rows import Row, row_of
from cometnb.ledger.storage.contents import answer_of, prompt_of
from cometnb.ledger.storage.pricing import Pricing

__all__ = ["Recorded"]


class Recorded:
    """A row on its way to the ledger.

    Parameters
    ----------
    attempt : Attempt
        Held until `completed`, so that the call's thread need not do the work.
    stores_text : bool
        Whether the row brings its prompt and answer.

    Attributes
    ----------
    row : dict
        See `rows.row_of`. When completed also with the estimates, the tools that ran and, if wanted, ``prompt`` and
        ``answer``.

    Raises
    ------
    Exception
        Whatever is wrong with an attempt that cannot be a row.
    """

    __slots__ = ("_attempt", "_stores_text", "row")

    def __init__(self, attempt: Attempt, *, stores_text: bool = False) -> None:
        self.row: Row = row_of(attempt)
        self._attempt: Attempt | None = attempt
        self._stores_text = stores_text

    def completed(self) -> Row:
        """Return the row with everything but its price, and let go of the attempt."""
        attempt = self._attempt
        if attempt is not None:
            # Each is worth having, and none worth losing the row.
            for complete in (_add_estimates, _add_tool_calls, *[_add_contents] * self._stores_text):
                with suppress(Exception):
                    complete(self.row, attempt)
            self._attempt = None
        return self.row

    def priced(self, pricing: Pricing) -> Row:
        """Return the row with everything."""
        row = self.completed()
        pricing.price([row])
        return row


def _add_estimates(row: Row, attempt: Attempt) -> None:
    if attempt.is_unsent:
        return
    from cometnb.protocol.estimate import estimated_usage

    estimate = estimated_usage(attempt.params, attempt.response.raw)
    row["input_estimate_tokens"] = estimate.input_tokens
    row["output_estimate_tokens"] = estimate.output_tokens


def _add_tool_calls(row: Row, attempt: Attempt) -> None:
    import json

    from cometnb.ledger.pricelist.tool_fees import tool_calls

    calls = tool_calls(attempt.response.output)
    row["n_tool_calls"] = json.dumps(calls, sort_keys=True) if calls else None


def _add_contents(row: Row, attempt: Attempt) -> None:
    row["prompt"], row["answer"] = prompt_of(attempt.params), answer_of(attempt.response)
