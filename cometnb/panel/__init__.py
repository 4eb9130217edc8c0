"""The panel: one prompt with every parameter as a control, its runs, its presets, and settings side by side."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cometnb.panel.panel import Panel

__all__: list[str] = []


class _Callable(ModuleType):
    """Python binds a package's modules to its names: where this one came first, `cometnb.panel()` calls it."""

    def __call__(self, prompt: str = "", /, **params: Any) -> Panel:
        from cometnb.panel.panel import panel

        return panel(prompt, **params)


def _be_callable() -> None:
    sys.modules[__name__].__class__ = _Callable


_be_callable()
