"""The files that hold settings: cometnb's own ``config.toml``, and the one of CometAPI's command line."""

from __future__ import annotations

import functools
import os
import re
import shlex
import stat
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cometnb.errors import CometWarning, ConfigError
from cometnb.options import SETTINGS

__all__ = ["file_settings", "own_file", "read_toml", "shown_path"]

_EXAMPLE = 'Write one setting a line, texts in quotes: model = "gpt-5.4"'
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_LONG_NUMBER = re.compile(r"\d[\d_]{999}")
# What the folders of a user hang on.
_WHERE = ("HOME", "XDG_CONFIG_HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
_WRONG_BYTES, _WRONG_TOML = "is not UTF-8", "is not TOML"


@dataclass(frozen=True, slots=True)
class _File:
    """One file, how its names are called here, and whether it is ours to complain about."""

    path: Path
    names: Mapping[str, str]
    is_own: bool


@dataclass(frozen=True, slots=True)
class _Read:
    """What a file held when it looked like this; the values hold a key and are in no text."""

    looks: tuple[int, ...]
    values: Mapping[str, str] = field(repr=False)


_read: dict[Path, _Read] = {}


def own_file() -> Path:
    """Return where cometnb's own settings are looked for."""
    return _files()[0].path


def shown_path(path: Path) -> str:
    """Return a path as people write it: ``~`` for the home folder."""
    home = os.path.expanduser("~")  # noqa: PTH111  # Path.home() fails where there is none
    text = str(path)
    return f"~{text[len(home) :]}" if home not in ("", "/") and text.startswith(home + os.sep) else text


def file_settings() -> dict[str, Mapping[str, str]]:
    """Return the settings of every file that holds any, by the file's name, the first one looked at first.

    A file is read again when it has changed.

    Raises
    ------
    ConfigError
        cometnb's own file cannot be read, is no TOML, or holds a setting of a wrong type. No value is shown.

    Warns
    -----
    CometWarning
        Others can read a file that holds a key; a name that is no setting; CometAPI's file cannot be read, which is
        passed over then.
    """
    found: dict[str, Mapping[str, str]] = {}
    for file in _files():
        if values := _values(file):
            found[shown_path(file.path)] = values
    return found


def _files() -> tuple[_File, _File]:
    # Asked with every price: finding the folder anew costs more than looking at the files in it.
    return _files_of(tuple(map(os.environ.get, _WHERE)))


@functools.lru_cache(maxsize=8)
def _files_of(where: tuple[str | None, ...]) -> tuple[_File, _File]:
    """Return the two files as the environment, `where`, has their folders."""
    from platformdirs import user_config_path

    own = user_config_path("cometnb", appauthor=False) / "config.toml"
    # CometAPI's command line writes there on every system, and asks neither XDG nor the system for another place.
    theirs = Path(os.path.expanduser("~/.config/cometapi/config.toml"))  # noqa: PTH111  # as above
    return (
        _File(own, {name: name for name in SETTINGS}, is_own=True),
        _File(theirs, {"api_key": "api_key", "base_url": "base_url", "default_model": "model"}, is_own=False),
    )


def _values(file: _File) -> Mapping[str, str]:
    try:
        state = file.path.stat()
    except OSError:
        return {}
    looks = (state.st_mtime_ns, state.st_size, state.st_ino, state.st_mode)
    known = _read.get(file.path)
    if known is not None and known.looks == looks:
        return known.values
    values = _settled(file, state.st_mode)
    _read[file.path] = _Read(looks, values)
    return values


def _settled(file: _File, mode: int) -> Mapping[str, str]:
    try:
        sent = read_toml(file.path)
        values = {
            name: _as_text(file.path, theirs, sent[theirs])
            for theirs, name in file.names.items()
            if theirs in sent
        }
    except ConfigError as error:
        if file.is_own:
            raise
        _warn(f"{error.fact} It is passed over.")
        return {}
    if file.is_own and (unknown := sorted(set(sent) - set(file.names))):
        _warn(
            f"{shown_path(file.path)} holds {', '.join(map(repr, unknown))}, which is no setting. "
            f"There are: {', '.join(SETTINGS)}."
        )
    # Windows has no such mode; there, a user's folder is the user's alone.
    if values.get("api_key", "").strip() and os.name != "nt" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        _warn(
            f"Others on this machine may read the key in {shown_path(file.path)}. "
            f"Run: chmod 600 {shlex.quote(str(file.path))}"
        )
    return values


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        It cannot be read or is no TOML; the error names file and line, and nothing of what stands there.
    """
    import tomllib

    raw = _bytes(path)
    # What a parser says of a mistake may repeat what stands there: only the number of the line is taken.
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong, line = _WRONG_BYTES, raw.count(b"\n", 0, error.start) + 1
    else:
        try:
            return tomllib.loads(text)
        except RecursionError:
            wrong, line = "is nested too deep", 1
        except tomllib.TOMLDecodeError as error:
            at = _LINE.search(str(error))
            wrong, line = _WRONG_TOML, int(at[1]) if at else max(1, len(text.splitlines()))
        except ValueError:  # sys.set_int_max_str_digits
            long = _LONG_NUMBER.search(text)
            wrong, line = "has a number without end", text.count("\n", 0, long.start() if long else 0) + 1
    raise ConfigError(f"{shown_path(path)}, line {line}, {wrong}.", _EXAMPLE)


def _bytes(path: Path) -> bytes:
    try:
        # Reading a pipe would wait for its writer.
        if not path.is_file():
            raise ConfigError(f"{shown_path(path)} is not a file.", "Move it away, or make it a file.")
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
    raise ConfigError(
        f"{shown_path(path)} cannot be read: {reason}.", f"Run: chmod u+r {shlex.quote(str(path))}"
    )


def _as_text(path: Path, name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if name == "price_ratio" and isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    raise ConfigError(
        f"{name} in {shown_path(path)} is {type(value).__name__}, not text.",
        f'Write {name} = "…", in quotes.',
    )


def _warn(text: str) -> None:
    warnings.warn(text, CometWarning, stacklevel=6)
