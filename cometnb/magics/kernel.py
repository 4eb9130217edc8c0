"""What the magics of one kernel share: its settings, its shell, and what the last cells left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cometnb.defaults import Shared
from cometnb.errors import CellError
from cometnb.protocol.response import Response

__all__ = ["Kernel", "Recent"]


@dataclass
class Recent:
    """What the last cells left behind.

    Attributes
    ----------
    response : Response or None
        The last answer, whatever its end.
    body : dict
        The last request as sent; empty if there was none.
    base_url : str
        Where that went.
    placed : dict
        Cell id to the code that was put below that cell.
    models : dict
        Base URL to the models that the service there has listed.
    """

    response: Response | None = None
    body: dict[str, Any] = field(default_factory=dict)
    base_url: str = ""
    placed: dict[str, str] = field(default_factory=dict)
    models: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Kernel:
    """What a magic works with.

    Attributes
    ----------
    shared : Shared
        Settings, session, ledger.
    shell : InteractiveShell
    recent : Recent
    """

    shared: Shared
    shell: Any
    recent: Recent = field(default_factory=Recent)

    def last_response(self) -> Response:
        """Return the last answer.

        Raises
        ------
        CellError
            If no cell has had one yet.
        """
        if self.recent.response is None:
            raise _nothing()
        return self.recent.response

    def last_body(self) -> dict[str, Any]:
        """Return the last request as sent.

        Raises
        ------
        CellError
            If no cell has sent one yet.
        """
        if not self.recent.body:
            raise _nothing()
        return self.recent.body


def _nothing() -> CellError:
    return CellError("No %%respond cell has run in this kernel yet.", "Run one first.")
