"""The kernel's shared session on a simulator that answers at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cometnb.client.simulator import Simulator
from cometnb.defaults import shared
from cometnb.panel.board import Board
from cometnb.panel.panel import Panel


@pytest.fixture(autouse=True)
def simulator() -> Iterator[Simulator]:
    """The simulator behind every panel of a test."""
    before = shared.simulator
    shared.__dict__["simulator"] = Simulator()
    shared.configure(backend="simulator", model=None, base_url=None, ledger="off", live=None)
    yield shared.simulator
    shared.configure(backend=None, ledger=None)
    shared.__dict__["simulator"] = before


@pytest.fixture
def panel() -> Iterator[Panel]:
    """A panel with a prompt and one parameter."""
    panel = Panel("Hello.", namespace={}, params={"temperature": 0.5})
    yield panel
    panel.close()


@pytest.fixture
def board(panel: Panel) -> Iterator[Board]:
    """Its board."""
    board = Board(panel)
    yield board
    board.close()
