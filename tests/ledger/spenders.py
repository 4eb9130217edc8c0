"""Calls for a budget to judge: a price table, calls that are about to be sent, and what came of them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.client.gate import Admitted, Planned
from cometnb.ledger.budget import Budget
from cometnb.ledger.prices import Prices
from cometnb.protocol.response import Response

__all__ = ["BASE_URL", "MODEL", "admitted", "ended", "planned", "prices_in", "prices_of", "usage_of"]

BASE_URL = "https://api.cometapi.com/v1"
MODEL = "made-up-1"


def prices_of(folder: Path, **per_million: float) -> Prices:
    """Return prices that know `MODEL`; without figures 1 dollar a million in and 10 out."""
    rates = per_million or {"input": 1.0, "cached": 0.1, "output": 10.0}
    lines = "".join(f"{kind} = {usd!r}\n" for kind, usd in rates.items())
    return prices_in(folder, f'[[price]]\nmodel = "{MODEL}"\n{lines}')


def prices_in(folder: Path, toml: str) -> Prices:
    """Return prices by a user's table."""
    table = folder / "prices.toml"
    table.write_text(toml, encoding="utf-8")
    return Prices(table)


def admitted(budget: Budget, call: Planned) -> Admitted:
    """Let a call through a budget that has something to say about it."""
    terms = budget.admit(call)
    assert terms is not None
    return terms


def planned(
    input: Any = "Hi", *, backend: str = "api", labels: Mapping[str, str] | None = None, **params: Any
) -> Planned:
    """Return a call that is about to be sent."""
    body = {"model": MODEL, "input": input} | params
    return Planned(uuid.uuid4().hex, uuid.uuid4().hex, body, backend, BASE_URL, labels or {})


def usage_of(input_tokens: int, output_tokens: int, *, cached: int = 0, written: int = 0) -> dict[str, Any]:
    """Return usage as a service reports it."""
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }


def ended(call: Planned, usage: Mapping[str, Any] | None = None, **fields: Any) -> Attempt:
    """Return what came of a call; `fields` replace the attempt's own."""
    body = {"id": f"resp_{call.attempt_id}", "model": call.params["model"], "usage": usage}
    response = Response(body, status=fields.get("status", "completed"))
    response.backend, response.base_url, response.model_requested = call.backend, call.base_url, MODEL
    own: dict[str, Any] = {
        "attempt_id": call.attempt_id,
        "call_id": call.call_id,
        "created_at": datetime.now(UTC),
        "backend": call.backend,
        "base_url": call.base_url,
        "params": call.params,
        "response": response,
        "status": "completed",
        "http_status": 200,
        "labels": call.labels,
    }
    return Attempt(**own | fields)
