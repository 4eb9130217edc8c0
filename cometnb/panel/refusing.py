"""Which of a panel's settings a service's error is about, so that it can be marked and dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cometnb.errors import APIError
from cometnb.session.settings import Settings

__all__ = ["refused_path", "value_at"]

# Where the service or a gateway leaves `param` empty, its message still quotes the name.
_QUOTED = re.compile(r"['\"`]([A-Za-z_][\w.\[\]'\"]{0,100}?)['\"`]")
_BRACKETS = re.compile(r"\[['\"]?([A-Za-z_]\w*)['\"]?\]")
_INDEX = re.compile(r"\[\d+\]")
_OWN = ("tools", "schema", "images", "files")


def refused_path(error: APIError, settings: Settings) -> str:
    """Return the path of the setting that an error names; empty if it names none that is set.

    Parameters
    ----------
    error : APIError
        ``param`` may be dotted (``reasoning.effort``), in brackets (``text[verbosity]``), more or less precise than
        what was set (``reasoning``, ``tools[0].name``), or missing, with the name quoted in the message.
    settings : Settings
        What was asked.
    """
    if error.status_code is not None and not 400 <= error.status_code < 500 and not error.param:
        return ""
    return next((path for named in _named(error) if (path := _set_path(named, settings))), "")


def value_at(settings: Settings | Mapping[str, Any], path: str) -> Any:
    """Return what is set at a path; None if nothing is."""
    if isinstance(settings, Settings):
        if path in _OWN:
            return getattr(settings, path) or None
        settings = settings.params
    value: Any = settings
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _named(error: APIError) -> Iterator[str]:
    if error.param:
        yield error.param
    else:
        yield from (found.group(1) for found in _QUOTED.finditer(error.fact))


def _set_path(named: str, settings: Settings) -> str:
    dotted = _INDEX.sub("", _BRACKETS.sub(r".\1", named)).strip(".")
    names = dotted.split(".")
    if settings.schema and names[:2] == ["text", "format"]:
        return "schema"
    # The setting may be a field inside what was named, or hold it.
    for length in range(len(names), 0, -1):
        path = ".".join(names[:length])
        if value_at(settings, path) is not None:
            return path
    return ""
