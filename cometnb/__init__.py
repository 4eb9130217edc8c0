"""The Responses API in a notebook. Everything here is loaded at its first use."""

from __future__ import annotations

import importlib
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cometnb import errors, options
    from cometnb.batch import respond_frame
    from cometnb.client.cassette import Cassette
    from cometnb.client.client import AsyncClient, Client
    from cometnb.client.simulator import Simulator
    from cometnb.client.stream import AsyncResponseStream, ResponseStream
    from cometnb.defaults import respond, stream, usage
    from cometnb.errors import CometError
    from cometnb.ledger.budget import Budget
    from cometnb.ledger.store import Ledger
    from cometnb.panel.panel import Panel, panel
    from cometnb.panel.sweep import sweep
    from cometnb.protocol.response import Response
    from cometnb.protocol.usage import Usage
    from cometnb.session.background import BackgroundResponse
    from cometnb.session.content import register_content
    from cometnb.session.conversation import Conversation
    from cometnb.session.session import Session
    from cometnb.session.tools import Tool, Toolbox, tool

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncResponseStream",
    "BackgroundResponse",
    "Budget",
    "Cassette",
    "Client",
    "CometError",
    "Conversation",
    "Ledger",
    "Panel",
    "Response",
    "ResponseStream",
    "Session",
    "Simulator",
    "Tool",
    "Toolbox",
    "Usage",
    "errors",
    "load_ipython_extension",
    "options",
    "panel",
    "register_content",
    "respond",
    "respond_frame",
    "stream",
    "sweep",
    "tool",
    "unload_ipython_extension",
    "usage",
]

# PEP 562: name -> the module it comes from.
_PLACES = {
    "AsyncClient": "cometnb.client.client",
    "AsyncResponseStream": "cometnb.client.stream",
    "BackgroundResponse": "cometnb.session.background",
    "Budget": "cometnb.ledger.budget",
    "Cassette": "cometnb.client.cassette",
    "Client": "cometnb.client.client",
    "CometError": "cometnb.errors",
    "Conversation": "cometnb.session.conversation",
    "Ledger": "cometnb.ledger.store",
    "Panel": "cometnb.panel.panel",
    "Response": "cometnb.protocol.response",
    "ResponseStream": "cometnb.client.stream",
    "Session": "cometnb.session.session",
    "Simulator": "cometnb.client.simulator",
    "Tool": "cometnb.session.tools",
    "Toolbox": "cometnb.session.tools",
    "Usage": "cometnb.protocol.usage",
    "panel": "cometnb.panel.panel",
    "register_content": "cometnb.session.content",
    "respond": "cometnb.defaults",
    "respond_frame": "cometnb.batch",
    "stream": "cometnb.defaults",
    "sweep": "cometnb.panel.sweep",
    "tool": "cometnb.session.tools",
    "usage": "cometnb.defaults",
}


# What `cometnb.protocol.readers` is told: an attribute of responses -> the function that knows its value.
_READERS = {
    "cost": "cometnb.ledger.prices:cost_of",
    "events_frame": "cometnb.ledger.events:events_frame",
    "parsed": "cometnb.session.parsed:parsed_of",
    "to_frame": "cometnb.session.parsed:frame_of",
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


def _show_responses() -> None:
    """Teach a running IPython to show a Response as its answer; the view is loaded when there is one to show."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and shell.display_formatter is not None:
        formatter = shell.display_formatter.mimebundle_formatter
        formatter.for_type_by_name("cometnb.protocol.response", "Response", _bundle)


def _register_readers() -> None:
    """Let a response say what it cost and how it came, without its own layer knowing prices or pandas."""
    from cometnb.protocol import readers  # standard library only

    for name, place in _READERS.items():
        readers.register(name, partial(_read, place))


def _extend_pandas() -> None:
    """Let DataFrames and Series have ``.comet``, whichever of pandas and this package is imported first."""
    from cometnb._extras import when_imported  # standard library only

    when_imported("pandas", _register_accessors)


def _register_accessors(pandas: Any) -> None:
    if not hasattr(pandas.DataFrame, "comet"):
        pandas.api.extensions.register_dataframe_accessor("comet")(_comet_of)
        pandas.api.extensions.register_series_accessor("comet")(_comet_of)


def _comet_of(data: Any) -> Any:
    return importlib.import_module("cometnb.batch").Comet(data)


def _read(place: str, response: Response) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)(response)


def _bundle(response: Response, include: Any = None, exclude: Any = None) -> Any:
    return importlib.import_module("cometnb.view.mime").bundle(response, with_times=False)


_register_readers()
_extend_pandas()
_show_responses()
