"""What a front end can be sent: JSON in UTF-8, whatever a service has written into it."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from cometnb.protocol.response import whole_text

__all__ = ["sendable"]


def sendable(value: Any) -> Any:
    """Return a value of JSON that has UTF-8 and that every reader of JSON reads.

    A kernel whose message cannot be encoded ends the cell with an error, and the answer would be paid for and lost.

    Parameters
    ----------
    value : JSON
        As made from what a service sent. Anything else in it is handed on as it is.

    Returns
    -------
    JSON
        `value` itself if it can be sent; else a copy in which half of a character is U+FFFD and a number that is
        none is null.
    """
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError):
        return _mended(value)
    return value


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {_mended(name): _mended(inner) for name, inner in value.items()}
    return [_mended(inner) for inner in value] if isinstance(value, list | tuple) else value
