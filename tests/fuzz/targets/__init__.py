"""All targets by name: every module of this folder has a ``TARGETS`` tuple, and needs no other registration."""

from __future__ import annotations

import importlib
import pkgutil

from tests.fuzz.target import Target

__all__ = ["TARGETS"]


def _collected() -> dict[str, Target]:
    found: dict[str, Target] = {}
    for module in pkgutil.iter_modules(__path__):
        for target in importlib.import_module(f"{__name__}.{module.name}").TARGETS:
            assert target.name not in found, f"two targets are called {target.name}"
            found[target.name] = target
    return dict(sorted(found.items()))


TARGETS: dict[str, Target] = _collected()
