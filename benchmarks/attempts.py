"""Attempts and rows to fill a ledger with: of several models, notebooks and days, as a year of work leaves them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.ledger.rows import row_of
from cometnb.protocol.response import Response

__all__ = ["an_attempt", "rows_of_a_year"]

_START = datetime(2026, 1, 1, tzinfo=UTC)
_MODELS = ("gpt-5.4", "gpt-5.4-mini", "claude-sonnet-4-5", "gemini-2.5-pro", "mine-7b")
_STATUSES = ("completed",) * 40 + ("interrupted", "failed")


def an_attempt(number: int) -> Attempt:
    """Return attempt `number`, with a prompt and an answer of a few hundred tokens."""
    usage = {
        "input_tokens": 400 + number % 100,
        "input_tokens_details": {"cached_tokens": number % 100},
        "output_tokens": 300,
        "output_tokens_details": {"reasoning_tokens": 64},
        "total_tokens": 700 + number % 100,
    }
    text = {
        "type": "message",
        "content": [{"type": "output_text", "text": "A comet is a ball of ice. " * 35}],
    }
    body = {"id": f"resp_{uuid.uuid4().hex}", "model": "gpt-5.4", "status": "completed", "usage": usage}
    return Attempt(
        attempt_id=uuid.uuid4().hex,
        call_id=uuid.uuid4().hex,
        created_at=_START + timedelta(seconds=number),
        backend="api",
        base_url="https://api.cometapi.com/v1",
        params={"model": "gpt-5.4", "input": "What is a comet? " * 100, "reasoning": {"effort": "low"}},
        response=Response(body | {"output": [text]}),
        status="completed",
        http_status=200,
        ttft_s=0.5,
        duration_s=4.0,
        n_events=310,
        labels={"notebook": "comets.ipynb", "cell_id": f"c{number % 20}", "tag": "draft"},
    )


def rows_of_a_year(n_rows: int, n_in_batch: int = 5_000) -> Iterator[list[dict[str, Any]]]:
    """Yield the ledger's rows in batches, the oldest first; always the same."""
    chance = random.Random(1)
    blank = row_of(an_attempt(0))
    step_us = int(timedelta(days=365) / timedelta(microseconds=1)) // n_rows
    for first in range(0, n_rows, n_in_batch):
        numbers = range(first, min(first + n_in_batch, n_rows))
        yield [{**blank, **_row(number, number * 365 // n_rows, step_us, chance)} for number in numbers]


def _row(number: int, day: int, step_us: int, chance: random.Random) -> dict[str, Any]:
    sent, received = chance.randrange(1, 10_000), chance.randrange(1, 3_000)
    model, status = chance.choice(_MODELS), chance.choice(_STATUSES)
    is_priced = model != "mine-7b"
    return {
        "attempt_id": f"{chance.getrandbits(128):032x}",
        "call_id": f"{chance.getrandbits(128):032x}",
        "response_id": f"resp_{chance.getrandbits(192):048x}",
        "created_at_us": int(_START.timestamp()) * 1_000_000 + number * step_us,
        "notebook": f"notebook {day % 20}.ipynb",
        "cell_id": f"c{chance.randrange(12)}",
        "tag": chance.choice(("a", "b", None)),
        "model_requested": model,
        "model": model,
        "effort": chance.choice(("low", "high")),
        "status": status,
        "input_tokens": sent,
        "cached_tokens": sent // 3,
        "cache_write_tokens": 0 if is_priced else None,
        "output_tokens": received,
        "reasoning_tokens": received // 3,
        "total_tokens": sent + received,
        "cost_usd": (sent * 2.5 + received * 15) / 1e6 if is_priced else None,
        "price_source": f"a list of prices, day {day}" if is_priced else None,
        "ttft_s": chance.random(),
        "duration_s": chance.random() * 20,
        "n_events": received // 3,
        "http_status": 200,
    }
