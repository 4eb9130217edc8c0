"""Presets: settings kept under a name, a file each in the user's configuration folder, and those that are shipped."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cometnb.errors import CellError, CometError, CometWarning, ConfigError
from cometnb.panel.packing import without_key
from cometnb.panel.shipped import SHIPPED
from cometnb.session.settings import Settings

__all__ = ["Presets"]

_VERSION = 1
_LONGEST_NAME = 100
_MOST_BYTES = 4_000_000


class Presets(Mapping[str, Settings]):
    """The presets of this user, and the shipped ones: a mapping from name to settings.

    Each is a file of its own that is put in place whole, so any number of kernels can save at a time. Files can be
    read by their owner only, and hold no key. One that cannot be read is set aside under another name, never deleted.

    Parameters
    ----------
    folder : Path, optional
        Where they are kept; in the user's configuration folder if None.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from cometnb.panel.presets import Presets
    >>> from cometnb.session.settings import Settings
    >>> presets = Presets(Path(mkdtemp()))
    >>> presets.save("mine", Settings(params={"temperature": 0.2}))
    >>> dict(presets["mine"].params)
    {'temperature': 0.2}
    >>> presets.own
    ('mine',)
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _default_folder()

    @property
    def own(self) -> tuple[str, ...]:
        """The names of those that were saved, in order of the alphabet."""
        return tuple(sorted(self._saved(), key=str.casefold))

    def __getitem__(self, name: str) -> Settings:
        if name in SHIPPED:
            return SHIPPED[name].settings
        saved = self._read(self._file(name))
        if saved is None or saved[0] != name:
            raise KeyError(name)
        return saved[1]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names: those that were saved first."""
        yield from self.own
        yield from SHIPPED

    def __len__(self) -> int:
        return len(self._saved()) + len(SHIPPED)

    def doc(self, name: str) -> str:
        """Return what a shipped preset is for, in one line; empty for one that was saved."""
        return SHIPPED[name].doc if name in SHIPPED else ""

    def find(self, name: str) -> Settings:
        """Return the settings of this name.

        Raises
        ------
        CellError
            There is none.
        """
        try:
            return self[name]
        except KeyError:
            raise self._unknown(name) from None

    def save(self, name: str, settings: Settings, *, replace: bool = False) -> None:
        """Keep settings under a name.

        Parameters
        ----------
        name : str
            At most 100 characters, in one line.
        settings : Settings
        replace : bool
            Whether one of the same name may be replaced.

        Raises
        ------
        CellError
            The name is taken, or is none.
        ConfigError
            The file cannot be written.
        """
        name = _checked_name(name)
        self._check_free(name, replace=replace)
        self._write(name, settings)

    def rename(self, name: str, new_name: str) -> None:
        """Give a saved preset another name.

        Raises
        ------
        CellError
            It is shipped or not there, or the new name is taken.
        """
        settings, new_name = self._own(name), _checked_name(new_name)
        if new_name == name:
            return
        self._check_free(new_name, replace=False)
        self._write(new_name, settings)
        self._file(name).unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Delete a saved preset.

        Raises
        ------
        CellError
            It is shipped, or not there.
        """
        self._own(name)
        self._file(name).unlink(missing_ok=True)

    def _own(self, name: str) -> Settings:
        if name in SHIPPED:
            raise CellError(
                f"{name!r} is a shipped preset and stays.", "Save it under another name to change it."
            )
        return self.find(name)

    def _check_free(self, name: str, *, replace: bool) -> None:
        if name in SHIPPED:
            raise CellError(f"{name!r} is a shipped preset.", "Choose another name.")
        if not replace and name in self:
            raise CellError(
                f"There is a preset {name!r} already.", "Choose another name, or replace it: replace=True"
            )

    def _unknown(self, name: str) -> CellError:
        close = difflib.get_close_matches(str(name), list(self), n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(self)}."
        return CellError(f"There is no preset {name!r}.", hint)

    # Files.

    def _file(self, name: str) -> Path:
        # Names differ in case and hold what no file name may; the readable part is for people who look.
        readable = "".join(
            letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower()
        )
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        return self.folder / f"{readable.strip('-')[:40]}.{digest}.json"

    def _saved(self) -> dict[str, Settings]:
        try:
            files = sorted(self.folder.glob("*.json"))
        except OSError:
            return {}
        return dict(saved for file in files if (saved := self._read(file)) is not None)

    def _read(self, file: Path) -> tuple[str, Settings] | None:
        """Return what a file holds; None if it is not there or of a later version. A spoilt one is set aside."""
        try:
            with file.open("rb") as opened:
                raw = opened.read(_MOST_BYTES + 1)
        except OSError:
            return None
        try:
            return _preset(raw)
        except (CometError, ValueError, TypeError, KeyError, RecursionError) as error:
            _set_aside(file, raw, error)
            return None

    def _write(self, name: str, settings: Settings) -> None:
        kept = {"preset": _VERSION, "name": name, "settings": settings.as_json()}
        text = without_key(json.dumps(kept, ensure_ascii=True, indent=1))
        if len(text) > _MOST_BYTES:
            raise CellError(
                f"The preset {name!r} has {len(text):,} bytes; {_MOST_BYTES:,} are the most.",
                "Name large contents in the prompt instead: {{variable}}",
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Private from its first byte on, and put in place whole: a reader never sees half of it.
            handle, made = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".new")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(made).replace(self._file(name))
            except BaseException:
                Path(made).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise ConfigError(
                f"The preset {name!r} cannot be saved: {error.strerror or error}.",
                f"See that {self.folder} can be written to.",
            ) from error


def _preset(raw: bytes) -> tuple[str, Settings] | None:
    """Return what a file's bytes hold; None if a later cometnb wrote them, which will want them again."""
    if len(raw) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    kept: Any = json.loads(raw)
    versions = (kept["preset"], kept["settings"]["version"])
    if all(isinstance(version, int) for version in versions) and max(versions) > _VERSION:
        return None
    name = _checked_name(kept["name"])
    return name, Settings.from_json(kept["settings"])


def _set_aside(file: Path, raw: bytes, error: Exception) -> None:
    digest = hashlib.sha256(raw).hexdigest()[:8]
    aside = file.with_name(f"{file.name}.{digest}.spoilt")
    with suppress(OSError):
        # Another kernel may have set it aside already, and this name may be in use again.
        if file.read_bytes()[: _MOST_BYTES + 1] == raw:
            file.replace(aside)
            warnings.warn(
                f"The preset in {file.name} cannot be read ({error}); it is kept as {aside.name}.",
                CometWarning,
                stacklevel=2,
            )


def _checked_name(name: Any) -> str:
    text = " ".join(name.split()) if isinstance(name, str) else ""
    if not text or len(text) > _LONGEST_NAME or not text.isprintable():
        raise CellError(
            f"{str(name)[:60]!r} is no name for a preset.",
            f"Use a line of at most {_LONGEST_NAME} characters, such as 'short answers'.",
        )
    return text


def _default_folder() -> Path:
    from platformdirs import user_config_path

    return user_config_path("cometnb", appauthor=False) / "presets"
