"""Our own widgets are one model each."""

from __future__ import annotations

import gc
import weakref

from ipywidgets.widgets import widget as models

from cometnb.view.widget import LiveView


def test_a_view_is_one_model_and_leaves_none() -> None:
    """No Layout comes with it, whose comm nobody would close."""
    before = set(models._instances)
    view = LiveView("gpt-5.4")
    assert set(models._instances) - before == {view.model_id}
    assert view.get_state()["layout"] is None
    view.close()
    assert set(models._instances) == before


def test_a_closed_view_is_forgotten() -> None:
    """Nothing of the widget's class keeps it: a kernel of many cells would keep every answer with it."""
    view = LiveView("gpt-5.4")
    kept = weakref.ref(view)
    view.close()
    del view
    gc.collect()
    assert kept() is None
