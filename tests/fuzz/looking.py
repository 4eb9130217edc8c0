"""What a user may look at in a response: none of it raises, whatever the service sent."""

from __future__ import annotations

import json
import math
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.errors import CometError
from cometnb.ledger.prices import cost_of, cost_of_row
from cometnb.ledger.rows import STORED_COLUMNS, TOKENS, row_of
from cometnb.protocol.response import Response
from cometnb.protocol.usage import Usage
from tests.ledger.attempts import an_attempt

__all__ = ["check_error", "check_response", "check_row", "check_text", "check_usage", "kept_length"]

_GROWING = frozenset({"text", "refusal", "arguments", "code", "input"})


def check_text(text: object) -> None:
    """Check that a text is one, and can be encoded."""
    assert isinstance(text, str)
    text.encode()


def check_usage(usage: Usage) -> None:
    """Check that every count is missing or a whole number from 0."""
    for name in TOKENS:
        count = getattr(usage, name)
        assert count is None or (type(count) is int and 0 <= count < 2**63), (name, count)
    assert bool(usage) == any(getattr(usage, name) is not None for name in TOKENS)
    check_text(repr(usage))


def check_response(response: Response) -> None:
    """Look at everything a response says of itself."""
    check_text(response.output_text)
    check_text(str(response))
    check_text(response.reasoning_text)
    check_text(response.status)
    for text in (*response.reasoning_summary, response.refusal or "", response.incomplete_reason or ""):
        check_text(text)
    for name in (response.id, response.model, response.service_tier, response.previous_response_id):
        assert name is None or name
        check_text(name or "")
    for call in response.function_calls:
        check_text(call.name + call.call_id + call.arguments)
    for citation in response.citations:
        check_text(citation.title or "")
        check_text(citation.url or "")
    assert response.error is None or isinstance(response.error, dict)
    check_usage(response.usage)
    assert response.status
    repr(response)
    json.loads(json.dumps(response.raw))
    _check_later(response)


def _check_later(response: Response) -> None:
    """Check what higher layers say: cost, the parsed value, the ledger's row."""
    try:
        _ = response.parsed
    except CometError as error:
        check_error(error)
    cost = cost_of(response)
    assert math.isnan(cost.usd) or cost.usd >= 0
    assert cost.source
    check_row(an_attempt(response=response, status=response.status))


def check_row(attempt: Attempt) -> None:
    """Check that the ledger's row of an attempt is plain, bounded and can be priced."""
    row = row_of(attempt)
    assert set(row) == {column.name for column in STORED_COLUMNS}
    for name, value in row.items():
        if isinstance(value, str):
            value.encode()
            assert len(value) <= 1000, name
            assert "\0" not in value, name
        elif isinstance(value, float):
            assert math.isfinite(value), name
        else:
            assert value is None or (type(value) is int and abs(value) < 2**63), (name, value)
    assert math.isnan(cost_of_row(row).usd) or cost_of_row(row).usd >= 0


def check_error(error: CometError) -> None:
    """Check that an error states its fact in one line that can be printed."""
    check_text(error.fact)
    check_text(error.next_step)
    assert error.fact.strip()
    assert "\n" not in error.fact + error.next_step
    assert len(str(error)) < 1_000_000


def kept_length(value: Any, name: str = "") -> int:
    """Return how many characters stand in the fields that grow while a stream runs, at any depth."""
    if isinstance(value, dict):
        return sum(kept_length(inner, field) for field, inner in value.items())
    if isinstance(value, list):
        return sum(kept_length(inner, name) for inner in value)
    return len(value) if isinstance(value, str) and name in _GROWING else 0
