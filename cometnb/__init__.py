"""The Responses API in a notebook. Everything here is loaded at its first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cometnb import errors, options
    from cometnb.client.client import AsyncClient, Client
    from cometnb.client.simulator import Simulator
    from cometnb.client.stream import AsyncResponseStream, ResponseStream
    from cometnb.defaults import respond, stream, usage
    from cometnb.errors import CometError
    from cometnb.ledger.store import Ledger
    from cometnb.protocol.response import Response
    from cometnb.protocol.usage import Usage
    from cometnb.session.session import Session

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncResponseStream",
    "Client",
    "CometError",
    "Ledger",
    "Response",
    "ResponseStream",
    "Session",
    "Simulator",
    "Usage",
    "errors",
    "load_ipython_extension",
    "options",
    "respond",
    "stream",
    "unload_ipython_extension",
    "usage",
]

# PEP 562: name -> the module it comes from.
_PLACES = {
    "AsyncClient": "cometnb.client.client",
    "AsyncResponseStream": "cometnb.client.stream",
    "Client": "cometnb.client.client",
    "CometError": "cometnb.errors",
    "Ledger": "cometnb.ledger.store",
    "Response": "cometnb.protocol.response",
    "ResponseStream": "cometnb.client.stream",
    "Session": "cometnb.session.session",
    "Simulator": "cometnb.client.simulator",
    "Usage": "cometnb.protocol.usage",
    "respond": "cometnb.defaults",
    "stream": "cometnb.defaults",
    "usage": "cometnb.defaults",
}


def __getattr__(name: str) -> Any:
    if name in ("errors", "options"):
        return importlib.import_module(f"cometnb.{name}")
    if name not in _PLACES:
        raise AttributeError(f"module 'cometnb' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def load_ipython_extension(shell: Any) -> None:
    """Add ``%%respond`` and ``%comet``; called by ``%load_ext cometnb``."""
    importlib.import_module("cometnb.magics").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take the magics away again; called by ``%unload_ext cometnb``."""
    importlib.import_module("cometnb.magics").unload(shell)
