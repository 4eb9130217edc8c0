"""The usage frame as a file: CSV for everybody, Parquet for who wants the dtypes back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cometnb._extras import extra
from cometnb.errors import LedgerError, ParamError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Exporter", "export", "exporter_of"]

Exporter = Callable[["pd.DataFrame", Path], None]
"""Writes a frame to a file."""


def exporter_of(path: Path) -> Exporter:
    """Return what writes a file of this name.

    Raises
    ------
    ParamError
        If its ending is neither ``.csv`` nor ``.parquet``.
    MissingExtraError
        If Parquet is wanted and pyarrow is not installed.
    """
    ending = path.suffix.lower()
    if ending not in _EXPORTERS:
        raise ParamError(
            f"The ledger cannot be exported as {path.name!r}.",
            'End the name in .csv or .parquet: export("usage.csv")',
            param="path",
        )
    if ending == ".parquet":
        with extra("parquet", "Export to Parquet"):
            import pyarrow as _  # noqa: F401, ICN001
    return _EXPORTERS[ending]


def export(frame: pd.DataFrame, path: Path, write: Exporter) -> int:
    """Write a frame to a file, whole or not at all.

    Parameters
    ----------
    frame : DataFrame
    path : Path
        Replaced if it is there.
    write : callable
        From `exporter_of`.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    LedgerError
        If the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(frame, part)
        part.replace(path)
    except OSError as error:
        raise LedgerError(
            f"The usage cannot be exported to {path}: {error.strerror or error}",
            "Give a file in a folder that is there, has room and may be written.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return len(frame)


def _to_csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False)


def _to_parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, engine="pyarrow", index=False)


_EXPORTERS: dict[str, Exporter] = {".csv": _to_csv, ".parquet": _to_parquet}
