"""JSON as text: from a service, with numbers of any length, or to be sent again, with numbers that are finite."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["finite", "loaded"]


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


def finite(text: str | bytes, objects: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Return the JSON a text holds, all of whose numbers can be written again.

    Parameters
    ----------
    text : str or bytes
    objects : callable, optional
        Makes an object of its names and values; a dict if None.

    Raises
    ------
    ValueError
        It is no JSON, or has NaN, Infinity or a number too large for Python; in words for the user.
    RecursionError
        It is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=objects, parse_constant=_not_finite, parse_float=_finite)


def _not_finite(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_finite(text)


def _integer(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits
