"""Our own widgets are one model each."""

from __future__ import annotations

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
