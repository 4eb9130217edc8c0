"""The cell a call came from, as far as the front end says."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cell"]


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a call was made.

    Attributes
    ----------
    notebook : str
        Path or name; empty if the front end does not say.
    cell_id : str
        The notebook format's cell id; empty if the front end sends none.
    execution_count : int
        The number in the cell's prompt.
    """

    notebook: str = ""
    cell_id: str = ""
    execution_count: int = 0

    def labels(self, tag: str = "") -> dict[str, str]:
        """Return what is recorded with the call; only what is known."""
        known = {"notebook": self.notebook, "cell_id": self.cell_id, "tag": tag}
        return {name: value for name, value in known.items() if value}
