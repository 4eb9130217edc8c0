"""The base of cometnb's own widgets: one comm each, and nothing left behind when it closes."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from cometnb.view.sendable import sendable

__all__ = ["BareWidget", "TakenOver", "joined", "let_go"]

_STATIC = Path(__file__).parent / "static"


def joined(*names: str) -> str:
    """Return files of the static folder as one text: a widget is one module, and one style sheet."""
    return "\n".join((_STATIC / name).read_text("utf-8") for name in names)


class BareWidget(anywidget.AnyWidget):
    """A widget without a Layout model, which nothing holds on to once it is closed.

    Every widget of ipywidgets has a Layout by default, with a comm of its own that closing the widget leaves open;
    here the style sheet says how things look. Front ends take a layout of null as none.

    Give ``_esm`` and ``_css`` as text (`joined`), not as paths: anywidget watches a file for changes, and that watch
    keeps every widget ever made.
    """

    layout = traitlets.Any(None, allow_none=True).tag(sync=True)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the state, or the part of it named by `key`, as it can be sent."""
        state: dict[str, Any] = sendable(super().get_state(key, drop_defaults))
        return state

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message of this widget's own."""
        super().send(sendable(content), buffers)


class TakenOver(BareWidget):
    """A view of what is under way, whose state a page may ask for, and whose place a native display takes at the end.

    Attributes
    ----------
    fallback : str
        What a front end without widgets shows.
    """

    fallback = ""

    def bundle(self) -> dict[str, Any]:
        """Return the mimetypes of its display."""
        view = {"version_major": 2, "version_minor": 1, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, "text/plain": self.fallback}


# A page that was reloaded in mid-stream can ask for the view only when the cell has ended, and no longer takes the
# native display: the latest views stay for it.
_KEPT_VIEWS = 2
_ended: deque[TakenOver] = deque()


def let_go(view: TakenOver) -> None:
    """Keep an ended view for a page that may ask, and close the oldest of those kept."""
    _ended.append(view)
    while len(_ended) > _KEPT_VIEWS:
        _ended.popleft().close()
