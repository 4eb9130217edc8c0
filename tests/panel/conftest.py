"""The kernel's shared session on a simulator that answers at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cometnb.client.simulator import Simulator
from cometnb.defaults import shared


@pytest.fixture(autouse=True)
def simulator() -> Iterator[Simulator]:
    """The simulator behind every panel of a test."""
    before = shared.simulator
    shared.__dict__["simulator"] = Simulator()
    shared.configure(backend="simulator", model=None, base_url=None, ledger="off", live=None)
    yield shared.simulator
    shared.configure(backend=None, ledger=None)
    shared.__dict__["simulator"] = before
