"""The base of cometnb's own widgets: one comm each, and nothing left behind when it closes."""

from __future__ import annotations

import anywidget
import traitlets

__all__ = ["BareWidget"]


class BareWidget(anywidget.AnyWidget):
    """A widget without a Layout model.

    Every widget of ipywidgets has one by default, with a comm of its own that closing the widget leaves open; here
    the style sheet says how things look. Front ends take a layout of null as none.
    """

    layout = traitlets.Any(None, allow_none=True).tag(sync=True)
