"""Tools by the names that a cell or a panel writes: functions of the notebook, and the service's own."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from cometnb.errors import CellError
from cometnb.session.tools import BUILT_IN, Toolbox

__all__ = ["toolbox_of"]


def toolbox_of(names: Iterable[Any], namespace: Mapping[str, Any]) -> Toolbox:
    """Return the tools that are named: functions of the notebook, the service's own, or objects as they are.

    Raises
    ------
    CellError
        A name that is none.
    CometError
        A function that cannot be offered.
    """
    return Toolbox(_tool(one, namespace) for one in names)


def _tool(one: Any, namespace: Mapping[str, Any]) -> Any:
    if not isinstance(one, str):
        return one
    found = namespace.get(one)
    if callable(found) or isinstance(found, Mapping):
        return found
    if found is None and one in BUILT_IN:
        return one
    functions = [name for name, value in namespace.items() if callable(value) and not name.startswith("_")]
    close = difflib.get_close_matches(one, [*functions, *BUILT_IN], n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Built in are {', '.join(BUILT_IN)}."
    what = (
        "is not a function"
        if found is not None
        else "is neither a function of the notebook nor a built-in tool"
    )
    raise CellError(f"--tools {one}: it {what}.", hint)
