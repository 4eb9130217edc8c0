"""What of a literal request the checks would send as it stands, and what has to pass them by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cometnb.errors import CometError
from cometnb.protocol.request import LOGPROBS, prepare
from cometnb.session.tools import Toolbox

__all__ = ["as_given", "same_json"]

# With these no rule between two parameters stands in the way of a third.
_COMPANY: Mapping[str, Any] = {"model": "m", "input": "x", "stream": True, "include": [LOGPROBS]}


def as_given(name: str, value: Any) -> bool:
    """Tell whether a parameter is sent as it stands: allowed, and not settled into something else.

    Parameters
    ----------
    name : str
        The API's name.
    value : object
        A JSON value; None is not, for as a parameter it means "not set".
    """
    if value is None or name == "extra_body" or (name == "tools" and not _are_offered(value)):
        return False
    try:
        return same_json(prepare({**_COMPANY, name: value}).body[name], value)
    except CometError:
        return False


def _are_offered(value: Any) -> bool:
    """Tell whether a toolbox offers entries of ``tools`` as they stand."""
    if not isinstance(value, list) or not value or not all(isinstance(one, Mapping) for one in value):
        return False
    try:
        return same_json(Toolbox(value).params(), value)
    except (CometError, TypeError, ValueError):
        return False


def same_json(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are written alike, in any order of keys: 1, 1.0 and true are three values."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
