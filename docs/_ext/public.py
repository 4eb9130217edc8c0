"""Which names the API reference shows, and on which page: all of `cometnb`, and what people reach from it."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import cometnb

__all__ = ["GROUPS", "Group", "Named", "named", "top_names"]


@dataclass(frozen=True)
class Group:
    """One page of the API reference.

    Attributes
    ----------
    slug : str
        The page.
    title : str
    about : str
        One line.
    packages : tuple of str
        Names of `cometnb` that come from these stand here; the longest match decides.
    also : tuple of str
        ``module:Name Name``, or a module alone for everything in its ``__all__``.
    """

    slug: str
    title: str
    about: str
    packages: tuple[str, ...]
    also: tuple[str, ...] = ()


GROUPS: tuple[Group, ...] = (
    Group(
        "asking",
        "Asking",
        "Ask with the notebook's own settings, session and ledger.",
        ("cometnb.defaults", "cometnb.session.session", "cometnb.session.background"),
        ("cometnb.session.running:Running",),
    ),
    Group(
        "clients",
        "Clients",
        "A client of your own, sync or async; where it is offline, that is its transport.",
        ("cometnb.client",),
        (
            "cometnb.client.attempt:Attempt Observer",
            "cometnb.client.gate:Gate Planned Admitted",
            "cometnb.client.retry:Backoff",
            "cometnb.client.simulator:Pace",
            "cometnb.client.server:serve",
        ),
    ),
    Group(
        "answers",
        "Answers",
        "What comes back, whole or so far.",
        ("cometnb.protocol",),
        (
            "cometnb.protocol.response:FunctionCall Citation Timing",
            "cometnb.protocol.cost:Cost",
            "cometnb.protocol.events:Event",
        ),
    ),
    Group(
        "conversations",
        "Conversations, tools and schemas",
        "What a call is about besides its prompt.",
        ("cometnb.session",),
        (
            "cometnb.session.turns:Turn",
            "cometnb.session.tools:ToolResult",
            "cometnb.session.structured:Schema schema_of text_format",
        ),
    ),
    Group("batches", "Batches and sweeps", "Many calls: over a frame, over a grid.", ("cometnb.batch",)),
    Group("panels", "Panels", "Requests set with sliders.", ("cometnb.panel", "cometnb.view")),
    Group(
        "ledger",
        "Usage, costs and budgets",
        "One row for every attempt, and what it came to.",
        ("cometnb.ledger",),
        (
            "cometnb.ledger.spent:Spent",
            "cometnb.ledger.summaries",
            "cometnb.ledger.plots",
            "cometnb.ledger.prices",
            "cometnb.ledger.forecast:Forecast forecast",
            "cometnb.ledger.audit",
        ),
    ),
    Group(
        "settings",
        "Settings in Python",
        "Where a setting comes from: an argument, the environment, the default.",
        ("cometnb.options",),
        ("cometnb.options", "cometnb.errors:masked"),
    ),
)

# Modules of `cometnb` have pages of their own, and IPython alone calls these two.
_ELSEWHERE = frozenset({"load_ipython_extension", "unload_ipython_extension"})


@dataclass(frozen=True)
class Named:
    """A name to document.

    Attributes
    ----------
    path : str
        As one imports it.
    value : object
    """

    path: str
    value: Any

    @property
    def kind(self) -> str:
        """``class``, ``exception``, ``function`` or ``data``."""
        if inspect.isclass(self.value):
            return "exception" if issubclass(self.value, BaseException) else "class"
        return "function" if inspect.isroutine(self.value) else "data"

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.value) or "").partition("\n")[0]


def top_names() -> list[Named]:
    """Return the names of `cometnb`, without its modules and without the errors, which have a page of their own."""
    for name, module in cometnb._PLACES.items():
        # Where a package has the name of what it gives, autodoc would find the package.
        setattr(cometnb, name, getattr(importlib.import_module(module), name))
    values = {name: getattr(cometnb, name) for name in cometnb.__all__ if name not in _ELSEWHERE}
    return [
        Named(f"cometnb.{name}", value)
        for name, value in values.items()
        if not isinstance(value, ModuleType)
        and not (inspect.isclass(value) and issubclass(value, BaseException))
    ]


def named(group: Group) -> tuple[list[Named], list[Named]]:
    """Return what stands on a page: names of `cometnb`, and what is reached from them."""
    top = [name for name in top_names() if _group_of(name) is group]
    # A name goes before its async twin.
    top.sort(key=lambda name: (name.path.replace("Async", ""), "Async" in name.path))
    return top, [name for place in group.also for name in _in(place)]


def _group_of(name: Named) -> Group:
    module = getattr(name.value, "__module__", "")
    fits = [
        (len(package), group)
        for group in GROUPS
        for package in group.packages
        if f"{module}.".startswith(f"{package}.")
    ]
    if not fits:
        raise LookupError(f"{name.path} of {module} has no page: name its package in docs/_ext/public.py")
    return max(fits, key=lambda fit: fit[0])[1]


def _in(place: str) -> list[Named]:
    path, _, names = place.partition(":")
    module = importlib.import_module(path)
    wanted = names.split() or [name for name in module.__all__ if not name.isupper()]
    return [Named(f"{path}.{name}", getattr(module, name)) for name in wanted]
