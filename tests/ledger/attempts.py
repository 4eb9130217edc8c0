"""Attempts as a client would hand them to the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.protocol.response import Response

__all__ = ["EPOCH", "USAGE", "an_attempt"]

EPOCH = datetime(2026, 11, 1, 12, tzinfo=UTC)
"""When the attempt number 0 was sent."""

USAGE: Mapping[str, Any] = {
    "input_tokens": 120,
    "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 0},
    "output_tokens": 300,
    "output_tokens_details": {"reasoning_tokens": 64},
    "total_tokens": 420,
}


def an_attempt(number: int = 0, usage: object = USAGE, **fields: Any) -> Attempt:
    """Return attempt `number`, sent that many seconds after `EPOCH`; `fields` replace the attempt's own."""
    body = {"id": f"resp_{number}", "model": "gpt-5.4-2026-03-05", "status": "completed", "usage": usage}
    attempt = Attempt(
        attempt_id=uuid.uuid4().hex,
        call_id=uuid.uuid4().hex,
        created_at=EPOCH + timedelta(seconds=number),
        backend="api",
        base_url="https://api.cometapi.com/v1",
        params={"model": "gpt-5.4", "input": "What is a comet?", "reasoning": {"effort": "low"}},
        response=Response(body),
        status="completed",
        http_status=200,
        ttft_s=0.5,
        duration_s=2.0,
        n_events=42,
        labels={"notebook": "a.ipynb", "cell_id": "c1", "tag": "test"},
    )
    return replace(attempt, **fields)
