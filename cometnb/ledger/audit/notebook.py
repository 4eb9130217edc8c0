"""Notebook files read as data: their cells, whatever format they are saved in, and what is wrong with them."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cometnb.config.regular import whole_bytes

__all__ = ["Cell", "Notebook", "Wanted", "notebook_files", "read_notebook"]

_LARGEST_BYTES = 256_000_000


class Wanted(NamedTuple):
    """A file to be audited, or why a path that was given leads to none."""

    path: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes
    ----------
    number : int
        From 1; every cell counts, code and text.
    kind : str
        ``code``, ``markdown``, ``raw`` or what was saved.
    execution_count : int or None
        The number in ``In [n]``; None if there is none.
    id : str
        The cell's id; empty in files older than nbformat 4.5.
    raw : Mapping
        The cell whole.
    """

    number: int
    kind: str
    execution_count: int | None
    id: str
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Notebook:
    """A file as it was read.

    Attributes
    ----------
    path : str
        As given.
    text : str
        The whole file; empty if it could not be read.
    cells : tuple of Cell
        In order; empty if the file is no notebook.
    rest : Any
        Everything that is in no cell.
    error : str or None
        Why the file could not be read as a notebook.
    """

    path: str
    text: str = ""
    cells: tuple[Cell, ...] = ()
    rest: Any = field(default_factory=dict)
    error: str | None = None


def notebook_files(paths: Iterable[str | os.PathLike[str]]) -> list[Wanted]:
    """Return the files that are meant by paths.

    Parameters
    ----------
    paths : iterable of str or PathLike
        Files; folders, which are searched for ``*.ipynb`` at any depth, leaving out folders whose names begin with
        a dot (such as ``.ipynb_checkpoints``); and patterns with ``*``, ``?``, ``[]`` and ``**``, which goes into
        folders at any depth. Neither follows links to folders.

    Returns
    -------
    list of Wanted
        Each file once, in the order of the paths, those of one folder or pattern sorted by name; a path that leads
        to no file with the reason.
    """
    wanted: dict[str, Wanted] = {}
    for given in paths:
        for entry in _files_of(os.fspath(given)):
            wanted.setdefault(entry.path if entry.error else os.path.realpath(entry.path), entry)
    return list(wanted.values())


def read_notebook(path: str) -> Notebook:
    """Read a file without running anything of it; never raises for what is in the file or for its absence.

    Parameters
    ----------
    path : str
        The file.
    """
    try:
        content = whole_bytes(Path(path), _LARGEST_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return Notebook(path, error=f"cannot be read: {reason or error}")
    text = _decoded(content)
    try:
        parsed = json.loads(text)
    except RecursionError:
        return Notebook(path, text, error="is nested too deeply")
    except ValueError as error:  # also a number of more digits than Python takes
        return Notebook(path, text, error=f"is no JSON: {error}" if text.strip() else "is empty")
    cells = _cells(parsed)
    if cells is None:
        return Notebook(path, text, rest=parsed, error="is JSON, but no notebook: it has no list of cells")
    return Notebook(
        path,
        text,
        tuple(_cell(number, raw) for number, raw in enumerate(cells, 1)),
        {name: value for name, value in parsed.items() if name not in ("cells", "worksheets")},
    )


def _files_of(path: str) -> Iterator[Wanted]:
    if Path(path).is_dir():
        found = sorted(_below(path))
        yield from map(Wanted, found) if found else [Wanted(path, "holds no *.ipynb")]
    elif Path(path).is_file():
        yield Wanted(path)
    elif Path(path).exists():
        yield Wanted(path, "is neither a file nor a folder")
    elif glob.has_magic(path):
        found = sorted(_matching(Path(path)))
        yield from map(Wanted, found) if found else [Wanted(path, "matches no file")]
    else:
        yield Wanted(path, "does not exist")


def _matching(pattern: Path) -> Iterator[str]:
    parts = pattern.parts
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    folder, rest = Path(*parts[:first]), parts[first:]
    takes_hidden = any(part.startswith(".") for part in rest)
    # With `**` the module glob goes round in links that lead back, and a file does not end in a folder.
    for found in folder.glob(str(Path(*rest, "*" if rest[-1] == "**" else ""))):
        is_hidden = any(part.startswith(".") for part in found.relative_to(folder).parts)
        if found.is_file() and (takes_hidden or not is_hidden):
            yield str(found)


def _below(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (os.path.join(place, name) for name in files if name.endswith(".ipynb"))  # noqa: PTH118


def _decoded(content: bytes) -> str:
    coding = json.detect_encoding(content)
    # A byte that is no text is one character that is none: what stands around it is still searched.
    return content.decode(coding, "replace")


def _cells(parsed: Any) -> list[Any] | None:
    if not isinstance(parsed, dict):
        return None
    if isinstance(parsed.get("cells"), list):
        cells: list[Any] = parsed["cells"]
        return cells
    sheets = parsed.get("worksheets")  # nbformat 3
    if not isinstance(sheets, list):
        return None
    return [
        cell
        for sheet in sheets
        if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
        for cell in sheet["cells"]
    ]


def _cell(number: int, raw: Any) -> Cell:
    fields = raw if isinstance(raw, dict) else {"source": raw}
    count = fields.get("execution_count", fields.get("prompt_number"))
    kind, id_ = fields.get("cell_type"), fields.get("id")
    return Cell(
        number,
        kind if isinstance(kind, str) else "unknown",
        count if type(count) is int and abs(count) < 2**63 else None,
        id_ if isinstance(id_, str) else "",
        fields,
    )
