"""Our own widgets are one model each."""

from __future__ import annotations

import gc
import json
import weakref

import pytest
from ipywidgets.widgets import widget as models

from cometnb.view.widget import LiveView
from tests.view.test_multiples import recorded


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


def test_whatever_a_service_sent_can_be_sent_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a character in the kind of an item or the name of a tool, in news and in the state that a page asks for."""
    opened = recorded(monkeypatch)
    view = LiveView("m\ud83d")
    view.tell(phase="x\ud83d", cards=[{"title": "\ude00", "text": ""}])
    view.send_state()
    view.close()
    assert len(opened[0].sent) >= 2
    json.dumps(opened[0].sent, ensure_ascii=False).encode()
    assert view.answer["phase"] == "x\ud83d"
