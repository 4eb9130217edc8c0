"""API keys out of JSON values: texts at any depth, and the names of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cometnb.errors import masked

__all__ = ["keyless"]

# Made by the service for itself, of random letters: what looks like a key in it is none, and must come back as it was.
_SEALED = "encrypted_content"


def keyless(value: Any, *secrets: str | None) -> Any:
    """Return a JSON value with every API key in it replaced by ``sk-***``.

    Parameters
    ----------
    value : object
        JSON; tuples become lists. It is not changed.
    *secrets : str or None
        Keys known to the caller; they are hidden even if they do not look like a key.
    """
    if isinstance(value, str):
        return masked(value, *secrets)
    if isinstance(value, Mapping):
        return {
            masked(name, *secrets): inner if name == _SEALED else keyless(inner, *secrets)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [keyless(inner, *secrets) for inner in value]
    return value
