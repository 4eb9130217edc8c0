"""Which way of showing an answer fits whoever watches."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from cometnb.view.live import Answer, LiveAnswer, StillAnswer, TerminalAnswer

__all__ = ["answer_for", "reads_comms_while_it_waits", "shows_widgets"]


def answer_for(
    watcher: str,
    model: str,
    on_stop: Callable[[], None],
    namespace: Mapping[str, Any],
    on_permit: Callable[[str, bool], None] | None = None,
) -> Answer:
    """Return what shows an answer to whoever watches.

    A front end gets the live view where its widget surely shows, else plain displays.

    Parameters
    ----------
    watcher : str
        ``front end``, ``terminal`` or ``nobody``.
    model : str
        The model asked for.
    on_stop : callable
        Ends the call, from any thread.
    namespace : Mapping
        The notebook's names.
    on_permit : callable, optional
        Told whether a function may run, where the view itself asks.
    """
    if watcher != "front end":
        return TerminalAnswer() if watcher == "terminal" else StillAnswer()
    if not shows_widgets(namespace):
        return LiveAnswer(model)
    # anywidget takes 0.2 s to load; the request is already on its way.
    from cometnb.view.watched import WatchedAnswer

    reads = reads_comms_while_it_waits()
    return WatchedAnswer(model, on_stop if reads else None, on_permit if reads else None)


def shows_widgets(namespace: Mapping[str, Any]) -> bool:
    """Tell whether a widget surely shows: JupyterLab or Notebook is the front end.

    Parameters
    ----------
    namespace : Mapping
        The notebook's names.

    Notes
    -----
    Jupyter Server names the session in the kernel's environment. VS Code may use such a server, too, but loads
    anywidget from a CDN, which it may not be allowed to reach; it is known by the name it puts into the notebook.
    """
    return "JPY_SESSION_NAME" in os.environ and "__vsc_ipynb_file__" not in namespace


def reads_comms_while_it_waits() -> bool:
    """Tell whether a button in the page reaches a kernel whose cell waits: comms have a thread from ipykernel 7.1 on."""
    major, minor = version("ipykernel").split(".")[:2]
    return (int(major), int(minor)) >= (7, 1)
