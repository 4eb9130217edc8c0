"""Settings as JSON that is kept and handed around: written without keys, and read as what anybody may have written."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cometnb.errors import ConfigError
from cometnb.protocol.keyless import keyless

__all__ = ["fields_in", "kept_form"]

_VERSION = 1


def kept_form(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON value of settings: the fields that say something, and a version; keys in it are masked."""
    said = {name: value for name, value in fields.items() if value not in ("", (), None, False, {})}
    value: dict[str, Any] = keyless({"version": _VERSION, **said})
    return value


def fields_in(value: Any) -> dict[str, Any]:
    """Return the fields of settings that a JSON value, or JSON text, stands for.

    Raises
    ------
    ConfigError
        It is something else, or was written by a later version.
    """
    given = _decoded(value)
    version = given.pop("version", None)
    if version != _VERSION or isinstance(version, bool):
        raise ConfigError(
            f"These settings have version {version!r}, not {_VERSION}.",
            "Update cometnb, or have them saved again by this version.",
        )
    for name, entry in given.items():
        if name not in _CHECKS:
            raise _unreadable(f"{name!r} is no part of them")
        if not _CHECKS[name](entry):
            raise _unreadable(f"{name} is {type(entry).__name__} of the wrong form")
    return given


def _decoded(value: Any) -> dict[str, Any]:
    if isinstance(value, str | bytes):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise _unreadable(f"they are no JSON ({error})") from None
    if not isinstance(value, Mapping):
        raise _unreadable(f"they are {type(value).__name__}, not an object")
    return dict(value)


def _unreadable(what: str) -> ConfigError:
    return ConfigError(f"These settings cannot be read: {what}.", "Copy them whole, and once more.")


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def _are_tools(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(one, str) or (isinstance(one, Mapping) and _is_json(one)) for one in value
    )


def _is_json(value: Any) -> bool:
    try:
        return _is_plain(value)
    except RecursionError:
        return False


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(name, str) for name in value) and _are_plain(value.values())
    if isinstance(value, list | tuple):
        return _are_plain(value)
    return (
        value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    )


def _are_plain(values: Iterable[Any]) -> bool:
    return all(_is_plain(one) for one in values)


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "prompt": lambda value: isinstance(value, str),
    "params": lambda value: isinstance(value, Mapping) and _is_json(value),
    "tools": _are_tools,
    "schema": lambda value: isinstance(value, str),
    "images": _are_texts,
    "files": _are_texts,
    "detail": lambda value: value is None or isinstance(value, str),
    "is_raw": lambda value: isinstance(value, bool),
}
