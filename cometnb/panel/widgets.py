"""The panel's widgets: small anywidgets, each one module joined from files of its own, safe to tell from any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any

import ipywidgets
import traitlets

from cometnb.view.bare_widget import BareWidget, joined
from cometnb.view.widget import keep_to_its_thread

__all__ = ["ColumnHead", "Deck", "Part", "Sheet", "Stack"]


class Stack(ipywidgets.VBox):
    """Widgets one below the other, without a Layout model of its own: the style sheet says how they look."""

    layout = traitlets.Any(None, allow_none=True).tag(sync=True)

    def __init__(self, children: tuple[Any, ...] = (), *, named: str) -> None:
        super().__init__(children)
        self.add_class(named)


class Part(BareWidget):
    """One of the panel's widgets.

    Parameters
    ----------
    lock : RLock
        One for all parts of a panel: it is told by runs, by the notebook and by the page, each on its own thread.
    on_message : callable
        Takes what the page asks for, a dict with ``op``.
    **traits
        The state it opens with.
    """

    def __init__(
        self,
        lock: RLock,
        on_message: Callable[[Part, Mapping[str, Any]], None],
        **traits: Any,
    ) -> None:
        self._part_lock = lock
        self._on_message = on_message
        super().__init__(**traits)
        self.on_msg(self._received)
        if self.comm is not None:
            keep_to_its_thread(self.comm)

    def tell(self, **traits: Any) -> None:
        """Set traits, from any thread; what has not changed is not sent."""
        with self._part_lock:
            if self.comm is None:
                return
            for name, value in traits.items():
                if getattr(self, name) != value:
                    setattr(self, name, value)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page has set."""
        with self._part_lock:
            super().set_state(sync_data)

    def _received(self, widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict) and isinstance(content.get("op"), str):
            self._on_message(self, content)


class Deck(Part):
    """Prompt, controls, keys and presets.

    Attributes
    ----------
    rows : list of dict
        The controls, as `Control.as_state` returns them.
    values : dict
        What is set, by path; written here and in the page. A path that is not in it is not sent.
    marks : dict
        ``problems`` and ``refused``: path to why it cannot be sent, and to the service's own words.
    status : dict
        ``running``, ``words``, ``expected``, ``spent`` and ``model``, the one that answers unless one is set.
    offers : dict
        Path to suggestions.
    presets : dict
        ``own`` and ``shipped`` names, and the one that is ``chosen``.
    told : dict
        The last word to the reader: ``words``, ``is_bad``, ``n``; ``text`` to be shared.
    """

    _esm = joined(
        "element.js", "panel_parts.js", "panel_controls.js", "panel_page.js", "panel_presets.js", "panel.js"
    )
    _css = joined("panel.css")
    rows: traitlets.List[Any] = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    marks = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    offers = traitlets.Dict().tag(sync=True)
    presets = traitlets.Dict().tag(sync=True)
    told = traitlets.Dict().tag(sync=True)


class Sheet(Part):
    """The tabs and their pages.

    Attributes
    ----------
    tab : str
        The one that is open; written here and in the page.
    pages : dict
        What the open tab shows, under its name, and ``counts`` of runs and columns.
    """

    _esm = joined("element.js", "panel_parts.js", "panel_page.js", "panel_words.js", "panel_sheet.js")
    _css = joined("panel_sheet.css")
    tab = traitlets.Unicode("answer").tag(sync=True)
    pages = traitlets.Dict().tag(sync=True)


class ColumnHead(Part):
    """What stands above one column of a comparison.

    Attributes
    ----------
    column : dict
        ``label``, ``settings``, and ``diff`` against the first column (None, or ``title`` and ``words``).
    """

    _esm = joined("element.js", "panel_parts.js", "panel_words.js", "panel_columns.js")
    column = traitlets.Dict().tag(sync=True)
