"""``%%respond --background``: the call is submitted, and its handle is the cell's result."""

from __future__ import annotations

from typing import Any

from cometnb.errors import CellError
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import say
from cometnb.magics.talk import is_talk
from cometnb.session.background import BackgroundResponse, submit
from cometnb.session.cell_line import Arguments
from cometnb.session.named_tools import toolbox_of

__all__ = ["start_in_background"]


def start_in_background(
    kernel: Kernel, arguments: Arguments, params: dict[str, Any], labels: dict[str, str]
) -> BackgroundResponse:
    """Submit a call and say how to come by its answer.

    Parameters
    ----------
    kernel : Kernel
    arguments : Arguments
    params : dict
        The request, ``background`` and the input included.
    labels : dict
        What is recorded with it.

    Raises
    ------
    CellError
        With a conversation or functions of the notebook, which need somebody to wait for the answer.
    CometError
        What the service or the wire says.
    """
    toolbox = toolbox_of(arguments.tools, kernel.shell.user_ns)
    if is_talk(arguments, toolbox):
        raise CellError(
            "--background goes neither with --chat nor with functions of the notebook.",
            "Leave --background out, or ask alone and go on with --previous-response-id.",
        )
    rest = {name: value for name, value in params.items() if name not in ("input", "background")}
    rest |= toolbox.offered()
    handle = submit(kernel.shared.session.client, params["input"], labels=labels, **rest)
    if not arguments.is_quiet:
        say(f"{handle.status}: {handle.id}. _.wait() waits for it, _.cancel() ends it.")
        say(f"In another kernel: {handle.how_to_pick_up}")
    return handle
