"""Where a call was made, as labels."""

from __future__ import annotations

from cometnb.session.cell import Cell


def test_labels_hold_what_is_known() -> None:
    """Notebook, cell and tag, by the names of the ledger's columns."""
    cell = Cell(notebook="a.ipynb", cell_id="c1", execution_count=3)
    assert cell.labels("t") == {"notebook": "a.ipynb", "cell_id": "c1", "tag": "t"}


def test_labels_leave_out_what_is_not_known() -> None:
    """Missing is absent and not an empty text."""
    assert Cell().labels() == {}
    assert Cell(cell_id="c1").labels() == {"cell_id": "c1"}
