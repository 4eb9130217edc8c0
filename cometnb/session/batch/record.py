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
    timing = _mapping(record.get("timing"))
    response = Response(
        _mapping(record.get("raw")),
        status=_text(record.get("status")),
        request_id=_text(record.get("request_id")),
        timing=Timing(
            _seconds(timing.get("ttft_s")), _seconds(timing.get("duration_s")), _moment(timing.get("sent_at"))
        ),
    )
    response.backend = _text(record.get("backend")) or response.backend
    response.base_url = _text(record.get("base_url")) or response.base_url
    response.model_requested = _text(record.get("model_requested"))
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
    details = {name: one for name, one in _mapping(record.get("details")).items() if name in _DETAILS}
    return kind(str(record.get("fact") or ""), str(record.get("next_step") or ""), **details)


# A file may have been changed since: what has another form than it was written in is not there.


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _seconds(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
