"""Answers and errors as JSON, as a checkpoint keeps them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cometnb import errors
from cometnb.errors import CometError
from cometnb.protocol.response import Response, Timing
from cometnb.protocol.usage import Usage

__all__ = ["error_of", "error_record", "response_of", "response_record"]

# What errors of the service carry besides their lines.
_DETAILS = ("status_code", "code", "param", "error_type", "request_id", "retry_after_s")


def response_record(response: Response) -> dict[str, Any]:
    """Return an answer as JSON: as the service sent it, and what the client knows besides.

    The course of its stream, the rounds it is joined from and its schema are not in it.
    """
    timing = asdict(response.timing)
    sent_at = response.timing.sent_at
    return {
        "raw": response.raw,
        "status": response.status,
        "request_id": response.request_id,
        "timing": timing | {"sent_at": sent_at.isoformat() if sent_at else None},
        "backend": response.backend,
        "base_url": response.base_url,
        "model_requested": response.model_requested,
        "estimated_usage": response.estimated_usage.raw,
    }


def response_of(record: Mapping[str, Any]) -> Response:
    """Return the answer that a record holds."""
    timing = record.get("timing") or {}
    sent_at = timing.get("sent_at")
    response = Response(
        record.get("raw") or {},
        status=record.get("status"),
        request_id=record.get("request_id"),
        timing=Timing(
            timing.get("ttft_s"),
            timing.get("duration_s"),
            datetime.fromisoformat(sent_at) if sent_at else None,
        ),
    )
    response.backend = record.get("backend") or response.backend
    response.base_url = record.get("base_url") or response.base_url
    response.model_requested = record.get("model_requested")
    response.estimated_usage = Usage(record.get("estimated_usage"))
    return response


def error_record(error: CometError) -> dict[str, Any]:
    """Return an error as JSON: its class, its lines, and what the service said with it."""
    details = {name: getattr(error, name, None) for name in _DETAILS}
    return {
        "class": type(error).__name__,
        "fact": error.fact,
        "next_step": error.next_step,
        "details": {name: value for name, value in details.items() if value is not None},
    }


def error_of(record: Mapping[str, Any]) -> CometError:
    """Return the error that a record holds; one of a class that is not known here is a plain CometError."""
    found = getattr(errors, str(record.get("class")), CometError)
    kind = found if isinstance(found, type) and issubclass(found, CometError) else CometError
    return kind(
        str(record.get("fact") or ""), str(record.get("next_step") or ""), **(record.get("details") or {})
    )
