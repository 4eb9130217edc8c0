"""The ledger as a file for other programs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cometnb.errors import LedgerError, MissingExtraError, ParamError
from cometnb.ledger import Ledger
from cometnb.protocol.response import Response
from tests.ledger.attempts import an_attempt
from tests.ledger.test_frames import has_the_right_shape


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with a full row and a bare one."""
    ledger = Ledger("off")
    ledger(an_attempt(0, labels={"tag": 'a, "b"\nc', "notebook": "ölçüm.ipynb"}))
    ledger(an_attempt(1, response=Response({}), params={}, labels={}, ttft_s=None))
    return ledger


def test_parquet_keeps_the_dtypes(ledger: Ledger, tmp_path: Path) -> None:
    """What is read back is the usage frame: the same columns, dtypes, values and gaps."""
    assert ledger.export(tmp_path / "usage.parquet") == 2
    back = pd.read_parquet(tmp_path / "usage.parquet")
    assert has_the_right_shape(back)
    frame = ledger.usage()
    texts = [name for name, dtype in frame.dtypes.items() if str(dtype) == "string"]
    pd.testing.assert_frame_equal(back.drop(columns=texts), frame.drop(columns=texts))
    pd.testing.assert_frame_equal(back[texts].astype(object), frame[texts].astype(object))


def test_an_empty_ledger_exports_its_columns(tmp_path: Path) -> None:
    """A program that reads it finds what it always finds."""
    assert Ledger("off").export(tmp_path / "usage.parquet") == 0
    assert has_the_right_shape(pd.read_parquet(tmp_path / "usage.parquet"))
    Ledger("off").export(tmp_path / "usage.csv")
    assert pd.read_csv(tmp_path / "usage.csv").columns.tolist() == Ledger("off").usage().columns.tolist()


def test_csv_has_a_line_a_row_and_gaps_for_what_is_missing(ledger: Ledger, tmp_path: Path) -> None:
    """Texts with commas, quotes and line ends come back as they went."""
    assert ledger.export(str(tmp_path / "usage.CSV")) == 2
    back = pd.read_csv(tmp_path / "usage.CSV")
    assert back["tag"].iloc[0] == 'a, "b"\nc'
    assert back["notebook"].iloc[0] == "ölçüm.ipynb"
    assert back["input_tokens"].isna().tolist() == [False, True]
    assert pd.to_datetime(back["created_at"]).tolist() == ledger.usage()["created_at"].tolist()


def test_an_export_can_be_of_some_rows(ledger: Ledger, tmp_path: Path) -> None:
    """With the filters of the usage frame."""
    assert ledger.export(tmp_path / "usage.csv", notebook="ölçüm.ipynb") == 1
    assert ledger.export(tmp_path / "usage.csv", "2026-11-05") == 0


@pytest.mark.parametrize("name", ["usage", "usage.xlsx", "usage.csv.gz"])
def test_an_ending_it_does_not_know_is_refused(ledger: Ledger, tmp_path: Path, name: str) -> None:
    """It says which ones it knows, and writes nothing."""
    with pytest.raises(ParamError, match=r"\.csv or \.parquet"):
        ledger.export(tmp_path / name)
    assert not list(tmp_path.glob("usage*"))


def test_a_folder_that_is_not_there_is_said(ledger: Ledger, tmp_path: Path) -> None:
    """In two lines, not in pandas'."""
    with pytest.raises(LedgerError, match=r"cannot be exported to .*usage\.csv"):
        ledger.export(tmp_path / "nowhere" / "usage.csv")


def test_a_file_that_is_there_is_replaced_whole_or_not_at_all(ledger: Ledger, tmp_path: Path) -> None:
    """A write that fails leaves the export of yesterday, and no half of a new one."""
    path = tmp_path / "usage.csv"
    path.mkdir()
    with pytest.raises(LedgerError):
        ledger.export(path)
    assert [file.name for file in tmp_path.iterdir() if "usage" in file.name] == ["usage.csv"]
    path.rmdir()
    path.write_text("yesterday")
    assert ledger.export(path) == 2
    assert "yesterday" not in path.read_text()


def test_parquet_without_pyarrow_says_what_to_install(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CSV needs nothing more."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"cometnb\[parquet\]"):
        ledger.export(tmp_path / "usage.parquet")
    assert ledger.export(tmp_path / "usage.csv") == 2
