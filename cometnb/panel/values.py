"""What a panel holds, as the flat values its controls show, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cometnb.panel.controls import problem_of
from cometnb.panel.packing import without_key
from cometnb.protocol.params import find
from cometnb.session.settings import Settings

__all__ = ["problems_of", "settings_with", "summary", "values_of"]

_LISTS = ("tools", "images", "files")


def values_of(settings: Settings) -> dict[str, Any]:
    """Return what is set, by path; a field inside a known object has a path of its own, ``input`` is the prompt."""
    values: dict[str, Any] = {"input": settings.prompt} if settings.prompt else {}
    for name, value in settings.params.items():
        row = find(name)
        if row is not None and row.fields and isinstance(value, Mapping):
            values |= {f"{name}.{field}": inner for field, inner in value.items()}
        else:
            values[name] = value
    values |= {name: list(getattr(settings, name)) for name in _LISTS if getattr(settings, name)}
    values |= {"schema": settings.schema} if settings.schema else {}
    values |= {"detail": settings.detail} if settings.detail else {}
    return values | ({"raw": True} if settings.is_raw else {})


def settings_with(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Return settings whose values are these; what the values cannot show stays as it is.

    Parameters
    ----------
    settings : Settings
    values : Mapping
        As `values_of` returns them.
    """
    before = values_of(settings)
    for path in dict.fromkeys([*before, *values]):
        value = values.get(path)
        if before.get(path) != value or type(before.get(path)) is not type(value):
            settings = _changed(settings, path, value)
    return settings


def _changed(settings: Settings, path: str, value: Any) -> Settings:
    if path == "input":
        return replace(settings, prompt=str(value or ""))
    if path in _LISTS:
        names: Any = {path: tuple(value or ())}
        return replace(settings, **names)
    if path == "schema":
        return replace(settings, schema=str(value or ""))
    if path == "detail":
        return replace(settings, detail=value or None)
    if path == "raw":
        return replace(settings, is_raw=value is True)
    return settings.without(path) if value is None else settings.with_value(path, value)


def problems_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Return why values cannot be sent, by path."""
    found = {path: problem_of(path, value) for path, value in values.items()}
    return {path: words for path, words in found.items() if words}


def summary(values: Mapping[str, Any]) -> str:
    """Return values in one line of at most some hundred characters, without the prompt and without keys."""
    words = [f"{path}={_short(value)}" for path, value in values.items() if path != "input"]
    return "  ".join(words)


def _short(value: Any) -> str:
    if value is None:
        return "not set"
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    text = without_key(" ".join(text.split()))
    return text if len(text) <= 40 else f"{text[:39]}…"
