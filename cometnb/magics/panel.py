"""``%comet panel``: a panel, empty, from a preset, or from the call that was made last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cometnb.magics.kernel import Kernel

if TYPE_CHECKING:
    from cometnb.panel.panel import Panel

__all__ = ["PANEL_USAGE", "open_panel", "preset_names"]

PANEL_USAGE = "[last|PRESET]"


def open_panel(kernel: Kernel, words: list[str]) -> Panel:
    """Return a panel, which is the line's result and so is shown.

    Raises
    ------
    CellError
        There is no such preset, or no call has been made yet.
    """
    # Loaded with the first panel and not with the extension.
    from cometnb.panel.panel import Panel
    from cometnb.session.settings import Settings

    panel = Panel()
    if words == ["last"]:
        body = {name: value for name, value in kernel.last_body().items() if name != "stream"}
        panel.settings = Settings.of_body(body)
    elif words:
        panel.load_preset(" ".join(words))
    return panel


def preset_names() -> tuple[str, ...]:
    """Return the presets that a line can name: the user's own, then the shipped ones."""
    from cometnb.panel.presets import Presets

    return tuple(Presets())
