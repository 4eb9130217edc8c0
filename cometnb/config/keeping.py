"""Keeping a key beyond the kernel, and forgetting it: in the keyring, else in cometnb's configuration file."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cometnb.config.configured import KEYRING, vault
from cometnb.config.files import own_file, read_toml, shown_path
from cometnb.errors import ConfigError

__all__ = ["Kept", "forget_key", "keep_key"]

_KEY_LINE = re.compile(r"""^[ \t]*(?:api_key|"api_key"|'api_key')[ \t]*=[^\n]*(?:\n|\Z)""", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a key was put.

    Attributes
    ----------
    place : str
        ``keyring``, or the file's name as `Options.sources` has it.
    trouble : str
        Why it is not in the keyring, as the end of a sentence that begins with "The keyring"; empty if it is, or
        if there is none that keeps anything.
    """

    place: str
    trouble: str = ""


def keep_key(key: str) -> Kept:
    """Keep a key in the keyring if there is one that works, else in the file, which only the user can read then.

    Parameters
    ----------
    key : str
        A checked one.

    Raises
    ------
    ConfigError
        The file cannot be read or written.
    """
    trouble = vault.keep(key)
    if trouble:
        _change_file(key)
        return Kept(shown_path(own_file()), "" if trouble == "keeps nothing" else trouble)
    # The file is looked at first: an older key in it would hide the new one.
    _change_file(None)
    return Kept(KEYRING)


def forget_key() -> tuple[str, ...]:
    """Remove the key from the keyring and from cometnb's file; return the places that held it.

    Raises
    ------
    ConfigError
        The file cannot be read or written.
    """
    places = [KEYRING] if vault.drop() else []
    if _change_file(None):
        places.append(shown_path(own_file()))
    return tuple(places)


def _change_file(key: str | None) -> bool:
    """Set the key in the file, or take it out; tell whether anything had to be changed."""
    # Where the file is a link, what it leads to is changed and the link stays.
    path = own_file().resolve()
    before = read_toml(path) if path.exists() else {}
    if key is None and "api_key" not in before:
        return False
    wanted = {name: value for name, value in before.items() if name != "api_key"}
    if key is not None:
        wanted["api_key"] = key
    text = _edited(path, key, wanted)
    try:
        _write(path, text)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(
            f"{shown_path(path)} cannot be written: {reason}.", "Set COMETAPI_KEY in the environment instead."
        ) from None
    return True


def _edited(path: Path, key: str | None, wanted: Mapping[str, Any]) -> str:
    """Return the file's text with the one line changed, so that its comments stay."""
    import tomllib

    text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    table = _TABLE.search(text)
    at = table.start() if table else len(text)
    head, rest = text[:at], text[at:]
    line = f"api_key = {json.dumps(key)}\n" if key else ""
    head = _KEY_LINE.sub(lambda _: line, head, count=1) if _KEY_LINE.search(head) else line + head
    # A text over several lines can look like what is searched for: only a file that says what is wanted is written.
    with suppress(tomllib.TOMLDecodeError):
        if tomllib.loads(head + rest) == wanted:
            return head + rest
    raise ConfigError(
        f"{shown_path(path)} is written so that its api_key cannot be changed without harm.",
        f"Change the line of api_key in it yourself: {path}",
    )


def _write(path: Path, text: str) -> None:
    """Write all of the file or nothing; nobody else can read it, not even while it is written."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
