"""Leaked keys of a notebook: every text of the file, in whichever cell and wherever in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cometnb.ledger.audit.keys import FoundKey, found_keys, printable, shown_key, whole_keys
from cometnb.ledger.audit.notebook import Cell, Notebook

__all__ = ["Leak", "leaks_of"]

_Path = tuple[str | int, ...]

# Its value stands beside this name, and only the two together say that it is a key.
_NAMES_A_KEY = ("key", "authorization")


@dataclass(frozen=True, slots=True)
class Leak:
    """A key that stands in a notebook.

    Attributes
    ----------
    notebook : str
        The file.
    cell : int or None
        The cell's number from 1, text cells counted; None outside of cells.
    cell_id : str
        The cell's id; empty if it has none.
    cell_kind : str
        ``code``, ``markdown`` or ``raw``; empty outside of cells.
    execution_count : int or None
        The number in ``In [n]``.
    place : str
        Where in the cell or file: ``source, line 2``, ``output 1 (text/plain)``, ``metadata.tags``.
    form : str
        What kind of key.
    masked : str
        At most the key's first three and last four characters.
    """

    notebook: str
    cell: int | None
    cell_id: str
    cell_kind: str
    execution_count: int | None
    place: str
    form: str
    masked: str


def leaks_of(notebook: Notebook, secrets: Mapping[str, str]) -> list[Leak]:
    """Return every place of a notebook where a key stands.

    Parameters
    ----------
    notebook : Notebook
        A file that is broken is searched as plain text.
    secrets : Mapping of str to str
        Keys known beforehand, with the names of their variables.

    Returns
    -------
    list of Leak
        In the order of the cells, then what stands outside of them; a key once for each place.
    """
    search = _Search(notebook, secrets)
    for cell in notebook.cells:
        for path, readings in _texts(cell.raw):
            search.take(cell, path, readings)
    for path, readings in _texts(notebook.rest):
        search.take(None, path, readings)
    search.take_file()
    return list(search.leaks)


class _Search:
    """What was found so far, each key once for each place."""

    def __init__(self, notebook: Notebook, secrets: Mapping[str, str]) -> None:
        self._notebook = notebook
        self._secrets = secrets
        self._keys: set[str] = set()
        self.leaks: dict[Leak, None] = {}

    def take(self, cell: Cell | None, path: _Path, readings: tuple[str, ...]) -> None:
        """Search one text of a cell, or of what is outside of cells, in each way it can be read."""
        for found in whole_keys(key for text in readings for key in found_keys(text, self._secrets)):
            place = _place(cell.raw if cell else self._notebook.rest, path, found.line)
            self._add(cell, place, found)

    def take_file(self) -> None:
        """Search the file itself: one that is broken, or what is in it twice and was read once."""
        text = self._notebook.text
        for found in found_keys(text, self._secrets, plainly=self._notebook.error is None):
            if not any(found.key in key or key in found.key for key in self._keys):
                self._add(None, f"line {found.line} of the file", found)

    def _add(self, cell: Cell | None, place: str, found: FoundKey) -> None:
        self._keys.add(found.key)
        leak = Leak(
            self._notebook.path,
            cell.number if cell else None,
            cell.id if cell else "",
            printable(cell.kind, self._secrets, width=20) if cell else "",
            cell.execution_count if cell else None,
            printable(place, self._secrets, width=80),
            found.form,
            shown_key(found.key),
        )
        self.leaks[leak] = None


def _texts(root: Any) -> Iterator[tuple[_Path, tuple[str, ...]]]:
    """Yield every text in JSON with the way to it, in each way it can be read: values, names, and lists as one text."""
    waiting: list[tuple[_Path, Any]] = [((), root)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, (value,)
        elif isinstance(value, dict):
            yield from ((path, (name,)) for name in value)
            yield from (
                ((*path, name), (f"{name}: {inner}",))
                for name, inner in value.items()
                if isinstance(inner, str) and any(word in name.lower() for word in _NAMES_A_KEY)
            )
            waiting += reversed([((*path, name), inner) for name, inner in value.items()])
        elif isinstance(value, list) and value and all(isinstance(inner, str) for inner in value):
            # The lines of one text, or words of their own, which must not run together.
            yield path, ("".join(value), "\n".join(line.removesuffix("\n") for line in value))
        elif isinstance(value, list):
            waiting += reversed([((*path, number), inner) for number, inner in enumerate(value)])


def _place(root: Any, path: _Path, line: int) -> str:
    """Return a way through a cell in the words of a reader."""
    match path:
        case ("source" | "input", *_):
            return f"source, line {line}"
        case ("attachments", name, *_):
            return f"attachment {name}"
        case ("outputs", int(index), *rest):
            return f"output {index + 1} ({_within(root['outputs'][index], tuple(rest))})"
    return ".".join(map(str, path)) or "a name"


def _within(output: Any, path: _Path) -> str:
    match path:
        case ("data", str(mimetype), *_):
            return mimetype
        case ("text", *_) if isinstance(output, dict):
            return str(output.get("name") or output.get("stream") or "text")
        case ("ename" | "evalue" | "traceback", *_):
            return "traceback"
    return ".".join(map(str, path)) or "a name"
