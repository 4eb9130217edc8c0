"""The base of cometnb's own widgets: one comm each, and nothing left behind when it closes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

__all__ = ["BareWidget"]


class BareWidget(anywidget.AnyWidget):
    """A widget without a Layout model, which nothing holds on to once it is closed.

    Every widget of ipywidgets has a Layout by default, with a comm of its own that closing the widget leaves open;
    here the style sheet says how things look. Front ends take a layout of null as none.
    """

    layout = traitlets.Any(None, allow_none=True).tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # anywidget watches a file for changes, and its watch keeps every widget ever made; text is only text.
        for name in ("_esm", "_css"):
            place = cls.__dict__.get(name)
            if isinstance(place, Path):
                setattr(cls, name, place.read_text("utf-8"))
        super().__init_subclass__(**kwargs)
