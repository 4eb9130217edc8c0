"""A service that needs no key: it answers from the request and a seed, in process or by a local server."""

from __future__ import annotations

from cometnb.client.simulator.engine import Engine
from cometnb.client.simulator.pace import Pace
from cometnb.client.simulator.transport import Simulator

__all__ = ["Engine", "Pace", "Simulator"]
