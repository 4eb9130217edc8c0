"""JSON from a service, whose numbers may have more digits than Python turns into an integer."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["loaded"]


def loaded(text: str) -> Any:
    """Return the JSON a text holds; an integer too long for Python stays the text it is.

    Raises
    ------
    ValueError
        It is no JSON.
    RecursionError
        It is nested too deeply.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # sys.set_int_max_str_digits
        return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits
