"""The one door to the front end: display, update, replace."""

from __future__ import annotations

from typing import Any

from IPython.display import clear_output, publish_display_data

from cometnb.view.sendable import sendable

__all__ = ["publish", "publish_all", "replace_all"]


def publish(
    data: dict[str, str],
    metadata: dict[str, Any] | None = None,
    *,
    display_id: str = "",
    is_update: bool = False,
) -> None:
    """Show a bundle of mimetypes in the running cell's output.

    Parameters
    ----------
    data : dict
        Mimetype to content.
    metadata : dict, optional
        Saved with the output.
    display_id : str
        Names the display, so that it can be updated.
    is_update : bool
        Change the display of that name instead of adding one.
    """
    transient = {"display_id": display_id} if display_id else None
    publish_display_data(sendable(data), sendable(metadata or {}), transient=transient, update=is_update)


def publish_all(displays: list[dict[str, str]]) -> None:
    """Show several bundles, one below the other."""
    for data in displays:
        publish(data)


def replace_all() -> None:
    """Remove the running cell's output when the next display comes, in one go, so that nothing flickers."""
    clear_output(wait=True)
