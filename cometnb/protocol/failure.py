"""What a service says when something went wrong, in all the shapes it is said, as one error class."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from cometnb.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ModelNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFailedError,
    ServerError,
    UnexpectedContentError,
)
from cometnb.protocol.response import whole_text

__all__ = ["api_error", "error_details", "failed_error", "says_invalid", "unexpected_content"]

# Bounded, so that no message makes looking for it slow.
_REQUEST_ID = re.compile(r" ?\(request id: ([^()]{1,200})\)")

# Status -> the class, and what the user can do about it.
_BY_STATUS: dict[int, tuple[type[APIError], str]] = {
    400: (BadRequestError, "Change the request as the message says."),
    401: (
        AuthenticationError,
        "Give the right key with %comet key or COMETAPI_KEY, or go on without: %comet simulator.",
    ),
    403: (
        PermissionDeniedError,
        "Leave out model-specific parameters, or ask whether the key may use this model.",
    ),
    404: (
        NotFoundError,
        "Check the id, the model and the base URL (COMETAPI_BASE_URL), which usually ends in /v1.",
    ),
    408: (ServerError, "Try again."),
    409: (BadRequestError, "Another request holds this resource; try again in a moment."),
    413: (BadRequestError, "Send less: smaller attachments or a shorter prompt."),
    422: (BadRequestError, "Change the request as the message says."),
    429: (RateLimitError, "Wait and send fewer calls at once, or check the balance of the account."),
}

_MODEL_STEP = "Name another model: %comet models, or client.models(), lists what the service offers."


def error_details(raw: Any) -> dict[str, Any]:
    """Return what an error says, whichever shape it has.

    Parameters
    ----------
    raw : JSON or str
        ``{"error": {...}}``, ``{"error": "text"}``, a flat ``{"type": "error", "message": …}``, ``{"detail": …}``,
        plain text, null.

    Returns
    -------
    dict
        ``message`` (str, never empty), ``code``, ``param``, ``type`` (str or None), ``request_id`` (str or None).
    """
    inner = raw.get("error") if isinstance(raw, Mapping) and raw.get("error") else raw
    said: Any = inner
    if isinstance(inner, Mapping):
        said = (
            inner.get("message")
            or inner.get("detail")
            or inner.get("error")
            or inner.get("msg")
            or dict(inner)
        )
    # Where the error is a text, its code and the like may stand beside it.
    beside = inner if isinstance(inner, Mapping) else raw if isinstance(raw, Mapping) else {}
    fields = {name: _text(beside.get(name)) for name in ("code", "param", "type")}
    if not isinstance(said, str):
        said = json.dumps(said, default=str) if said else ""
    text = whole_text(said)
    in_message = _REQUEST_ID.search(text)
    message = _REQUEST_ID.sub("", text).strip() or "no message"
    return {"message": message, "request_id": in_message.group(1) if in_message else None, **fields}


def api_error(
    status: int,
    raw: Any,
    *,
    request_id: str | None = None,
    retry_after_s: float | None = None,
    model: str | None = None,
) -> APIError:
    """Return the error for an HTTP answer that is one.

    Parameters
    ----------
    status : int
        HTTP status.
    raw : JSON or str
        Its body.
    request_id : str, optional
        From the headers.
    retry_after_s : float, optional
        Seconds the service asked to wait.
    model : str, optional
        The model that was asked for.
    """
    details = error_details(raw)
    request_id = request_id or details["request_id"]
    kind, step = _BY_STATUS.get(status, (ServerError, "Try again later; quote the request id to support."))
    if 400 <= status < 500 and status not in _BY_STATUS:
        kind, step = BadRequestError, "Change the request as the message says."
    if status >= 500 and says_invalid(details["code"], details["type"]):
        kind, step = BadRequestError, "Change the request as the message says; the service calls it invalid."
    elif details["code"] == "model_not_found":
        kind, step = ModelNotFoundError, _MODEL_STEP
    named = f" for model {model!r}" if kind is ModelNotFoundError and model else ""
    fact = f"HTTP {status}{named}: {details['message']}{_labelled(details, request_id)}"
    error = kind(
        fact,
        step,
        status_code=status,
        code=details["code"],
        param=details["param"],
        error_type=details["type"],
    )
    error.request_id = request_id
    if isinstance(error, RateLimitError):
        error.retry_after_s = retry_after_s
    return error


def failed_error(details: Mapping[str, Any], *, request_id: str | None = None) -> ResponseFailedError:
    """Return the error for a response that ended as failed, or that an error event ended."""
    request_id = request_id or details.get("request_id")
    return ResponseFailedError(
        f"The response failed: {details['message']}{_labelled(details, request_id)}",
        "What had arrived is in the error's .response. Try again, or change the request as the message says.",
        code=details.get("code"),
        param=details.get("param"),
        error_type=details.get("type"),
        request_id=request_id,
    )


def unexpected_content(status: int, content_type: str, start: str) -> UnexpectedContentError:
    """Return the error for an answer that holds no response.

    Parameters
    ----------
    status : int
        HTTP status.
    content_type : str
        As sent; may be empty.
    start : str
        The first characters of the body.
    """
    return UnexpectedContentError(
        f"HTTP {status}, content type {content_type or 'none'}, is no response but {_what(status, content_type, start)}.",
        "Check COMETAPI_BASE_URL; the default is https://api.cometapi.com/v1.",
        status_code=status,
    )


def _what(status: int, content_type: str, start: str) -> str:
    start = start.strip()
    if 300 <= status < 400:
        return "a redirect, which is not followed: the base URL is probably not the API's"
    if "html" in content_type or start[:1] == "<":
        return "a web page: the base URL is probably not the API's, or a proxy answered instead"
    if not start:
        return "an empty body"
    try:
        json.loads(start)
    except (ValueError, RecursionError):
        is_cut = start[:1] in "{["
        return "JSON that is cut off or malformed" if is_cut else f"something else, starting {start[:40]!r}"
    return f"other JSON, starting {start[:40]!r}"


def says_invalid(code: str | None, error_type: str | None) -> bool:
    """Tell whether the service itself says that the request is at fault, whatever the status."""
    return code == "invalid_request" or error_type == "invalid_request_error"


def _text(value: Any) -> str | None:
    if value is None or value == "" or isinstance(value, dict | list):
        return None
    return whole_text(str(value))


def _labelled(details: Mapping[str, Any], request_id: str | None) -> str:
    labels = {"code": details.get("code"), "param": details.get("param"), "request id": request_id}
    shown = ", ".join(f"{name} {value}" for name, value in labels.items() if value)
    return f" ({shown})" if shown else ""
