"""What stays of a board in the file: its card, above it and out of sight while the board shows, with the last answer."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from cometnb.panel.card import card
from cometnb.view.html import block_html
from cometnb.view.publish import publish

if TYPE_CHECKING:
    from cometnb.panel.panel import Panel

__all__ = ["BELOW", "Kept"]

BELOW = "The board belongs to a running kernel; its settings and its last answer stand above."
"""What the file says in the board's own place."""

# A page that shows the board hides the card; one that has no such widget (the file was opened again) hides what stands
# in the widget's place instead. Both rules end with the page's own style.
_TAKE_TURNS = (
    "<style>"
    ".jp-OutputArea-child:has(.cometnb-kept):has(+ .jp-OutputArea-child .cometnb-board),"
    ".jp-OutputArea-child:has(.cometnb-kept) + .jp-OutputArea-child:not(:has(.cometnb-board))"
    "{ display: none; }"
    ".cometnb-kept :is(td, th) { text-align: left !important; }</style>"
)


class Kept:
    """The card of one panel, in every cell that shows its board.

    Parameters
    ----------
    panel : Panel
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._display_id = uuid.uuid4().hex
        self._is_shown = False

    def show(self) -> None:
        """Put it into the running cell's output."""
        self._is_shown = True
        publish(self._bundle(), display_id=self._display_id)

    def update(self) -> None:
        """Have it say what is true now, wherever it stands; from any thread."""
        if self._is_shown:
            # A file that keeps an older card is no reason to lose a run.
            with suppress(Exception):
                publish(self._bundle(), display_id=self._display_id, is_update=True)

    def _bundle(self) -> dict[str, str]:
        shown = card(self._panel)
        html = f'{_TAKE_TURNS}<div class="cometnb-kept mathjax_ignore tex2jax_ignore">{block_html(shown["text/markdown"])}</div>'
        return {"text/html": html, **shown}
