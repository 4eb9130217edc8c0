"""What a panel suggests where one types: models, functions and types, found without holding anybody up."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from cometnb.defaults import shared
from cometnb.session.tools import BUILT_IN

__all__ = ["known_models", "names_of"]

_MOST_NAMES = 100


def known_models() -> list[str]:
    """Return the models that answer, as the service lists them; asks over the network, so on a thread of its own."""
    options = shared.options
    names = [options.model]
    if options.backend == "simulator":
        from cometnb.client.simulator.models import MODELS

        names += shared.simulator.models or MODELS
    elif options.backend == "api":
        # Without a key or a connection there is nothing to suggest, and a run will say why.
        with suppress(Exception):
            names += shared.session.models()
    return list(dict.fromkeys(filter(None, names)))


def names_of(namespace: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return suggestions from the notebook's names, by path."""
    own = {
        name: value
        for name, value in tuple(namespace.items())
        if not name.startswith("_") and getattr(value, "__module__", "__main__") == "__main__"
    }
    functions = [name for name, value in own.items() if inspect.isfunction(value)]
    schemas = [name for name, value in own.items() if isinstance(value, type)]
    return {"tools": [*functions[:_MOST_NAMES], *BUILT_IN], "schema": schemas[:_MOST_NAMES]}
