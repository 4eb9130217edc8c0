"""Settings as one string that can be pasted anywhere: ``cometnb1.`` and compressed JSON with a check sum."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from typing import Any

from cometnb.defaults import shared
from cometnb.errors import ConfigError, maskable
from cometnb.protocol.keyless import keyless
from cometnb.session.settings import Settings

__all__ = ["is_packed", "packed", "unpacked", "without_key"]

_MARK, _FAMILY = "cometnb1.", "cometnb"
_CHECK_CHARACTERS = 8
_MOST_CHARACTERS, _MOST_BYTES = 2_000_000, 4_000_000


def packed(settings: Settings) -> str:
    """Return settings as a string of letters, digits, ``-``, ``_`` and dots; keys of the API in it are masked."""
    text: str = without_key(json.dumps(settings.as_json(), ensure_ascii=True, separators=(",", ":")))
    data = zlib.compress(text.encode(), 9)
    return f"{_MARK}{base64.urlsafe_b64encode(data).decode().rstrip('=')}.{_check_sum(data)}"


def without_key(value: Any) -> Any:
    """Return JSON, or a text, with keys masked, also the key in force, which need not look like one."""
    return keyless(value, maskable(shared.options.api_key))


def is_packed(text: str) -> bool:
    """Tell whether a text looks like what `packed` returns, whatever its version."""
    head = text.strip()[:20]
    return head.startswith(_FAMILY) and head.removeprefix(_FAMILY).lstrip("0123456789").startswith(".")


def unpacked(text: str) -> Settings:
    """Return the settings that a string holds; it may come from anybody, so nothing in it is believed.

    Raises
    ------
    ConfigError
        It is no such string, was cut or changed on its way, holds too much, or comes from a later version.
    """
    whole = "".join(text.split())
    if not whole.startswith(_MARK):
        if is_packed(whole):
            version = whole.partition(".")[0]
            raise ConfigError(f"This preset is of a later version: {version}.", "Update cometnb.")
        raise ConfigError("This is no shared preset.", f"A shared preset begins with {_MARK}")
    if len(whole) > _MOST_CHARACTERS:
        raise _too_much(f"{len(whole):,} characters; {_MOST_CHARACTERS:,} are")
    encoded, _, check_sum = whole.removeprefix(_MARK).partition(".")
    try:
        data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _damaged() from None
    if check_sum != _check_sum(data):
        raise _damaged()
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(data, _MOST_BYTES)
    except zlib.error:
        raise _damaged() from None
    if unpacker.unconsumed_tail:
        raise _too_much(f"more than {_MOST_BYTES:,} bytes, which is")
    if not unpacker.eof:
        raise _damaged()
    return Settings.from_json(raw.decode("utf-8", "replace"))


def _check_sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_CHECK_CHARACTERS]


def _damaged() -> ConfigError:
    return ConfigError("The shared preset was cut or changed on its way.", "Copy the whole string once more.")


def _too_much(size: str) -> ConfigError:
    return ConfigError(f"The shared preset has {size} the most.", "Ask for one with smaller contents.")
