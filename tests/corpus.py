"""Read the recorded traffic in ../shared/corpus: streams, bodies, and transcripts of servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.needs import ROOT

__all__ = ["FOLDER", "Recording", "bodies", "folder", "parameters", "servers", "streams"]

FOLDER = ROOT.parent / "shared" / "corpus"
"""Where the recordings lie. Without it every list below is empty."""

_NO_CORPUS = "needs the recorded traffic in ../shared/corpus, which is not part of a clone"

_STREAM_KINDS = frozenset({"stream", "fragment"})
_BODY_KINDS = frozenset({"json", "error"})


@dataclass(frozen=True)
class Recording:
    """One recorded stream or body.

    Attributes
    ----------
    path : Path
        The file with the bytes as on the wire.
    row : Mapping
        Its row of ``manifest.jsonl``: ``kind`` (stream, fragment, json, error), ``http_status``, ``provider``,
        ``terminal``, ``status``, ``usage``, ``features``, ``oddities`` and more. Empty for a transcript of a
        server, which has no row.
    """

    path: Path
    row: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The path below the corpus folder, for test ids and messages."""
        return self.path.relative_to(FOLDER).as_posix()

    @property
    def is_stream(self) -> bool:
        """Whether the bytes are server-sent events."""
        return self.path.suffix == ".sse"

    @property
    def http_status(self) -> int | None:
        """The HTTP status it came with; None where the recording does not say."""
        status = self.row.get("http_status")
        return status if isinstance(status, int) else None

    @cached_property
    def data(self) -> bytes:
        """The bytes of the file."""
        return self.path.read_bytes()

    @cached_property
    def expected(self) -> Mapping[str, Any] | None:
        """What reading it must give, or None where nothing is known for sure.

        For a stream the consensus: ``output_text``, ``function_calls``, ``reasoning_summary``,
        ``reasoning_text``, ``refusal``, ``usage`` and ``status``; None where the sources disagree.
        For a body the fields of the response; None for an HTTP error.
        """
        file = self.path.with_name(self.path.name + ".expected.json")
        if not file.is_file():
            return None
        expectation: dict[str, Any] = json.loads(file.read_bytes())
        consensus = expectation.get("consensus")
        if consensus is not None:
            return consensus if consensus.get("agree") else None
        return expectation.get("response")


def folder() -> Path:
    """Return the folder of recordings; where there is none the test is skipped with the reason."""
    if not (FOLDER / "manifest.jsonl").is_file():
        pytest.skip(_NO_CORPUS)
    return FOLDER


@cache
def _manifest() -> tuple[Recording, ...]:
    manifest = FOLDER / "manifest.jsonl"
    if not manifest.is_file():
        return ()
    rows = (json.loads(line) for line in manifest.read_text("utf-8").splitlines() if line.strip())
    return tuple(Recording(FOLDER / row["file"], row) for row in rows)


def streams() -> list[Recording]:
    """Return every recorded stream, and the fragments of streams (row ``kind`` is ``fragment``)."""
    return [recording for recording in _manifest() if recording.row["kind"] in _STREAM_KINDS]


def bodies() -> list[Recording]:
    """Return every recorded JSON body, and the bodies of HTTP errors (row ``kind`` is ``error``)."""
    return [recording for recording in _manifest() if recording.row["kind"] in _BODY_KINDS]


def servers() -> list[Recording]:
    """Return the transcripts of servers that others wrote; they have no row and no expectation."""
    files = sorted((FOLDER / "servers").glob("*/*"))
    return [Recording(file, {}) for file in files if not file.name.endswith("fixtures.json.txt")]


def parameters(load: Callable[[], list[Recording]]) -> list[Any]:
    """Return pytest parameters with readable ids, or one that skips with the reason if there is no corpus.

    Parameters
    ----------
    load : callable
        `streams`, `bodies` or `servers`.

    Examples
    --------
    ``@pytest.mark.parametrize("recording", parameters(streams))``
    """
    found = load()
    if not found:
        return [pytest.param(None, marks=pytest.mark.skip(reason=_NO_CORPUS), id="no-corpus")]
    return [pytest.param(recording, id=recording.name) for recording in found]
