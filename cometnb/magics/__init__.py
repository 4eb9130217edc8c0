"""The words a user types: ``%%respond`` and ``%comet``."""

from __future__ import annotations

from cometnb.magics.extension import load, unload

__all__ = ["load", "unload"]
