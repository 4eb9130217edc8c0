"""The course of one answer as a frame: each event of its stream, when it came, and what it was about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cometnb.protocol.events import OPENING
from cometnb.protocol.response import Response

__all__ = ["KINDS", "events_frame"]

KINDS = ("queue", "reasoning", "text", "tool", "other")
"""What an event can be about."""

_TEXT = pd.StringDtype("python")

# The first that fits decides. A type about an item as such says nothing of the item's kind: its place does.
_KIND_OF_TYPE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"response\.reasoning"), "reasoning"),
    (re.compile(r"response\.(?:output_text|refusal|audio|content_part)"), "text"),
    (re.compile(r"response\.(?:\w+_call(?:_|\.)|mcp_list_tools)"), "tool"),
)
_KIND_OF_ITEM: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"reasoning"), "reasoning"),
    (re.compile(r"message"), "text"),
    (re.compile(r"\w*_call(?:_output)?|mcp_list_tools|mcp_approval_request"), "tool"),
)
_ABOUT_ITEM = re.compile(r"response\.(?:output_item|content_part)\.")


def events_frame(response: Response) -> pd.DataFrame:
    """Return the events of a response's stream, one row each, in the order they came.

    Parameters
    ----------
    response : Response
        An answer, finished or so far. One that did not come as a stream has no events.

    Returns
    -------
    DataFrame
        Shape (events, 6), index 0 to n - 1, always these columns:

        - ``at_s``: float64, seconds from sending the request to the arrival.
        - ``gap_s``: float64, seconds since the event before it; for the first one since the sending.
        - ``type``: "string", as the service named it.
        - ``kind``: "string", one of queue (the service has taken the request), reasoning, text (refusals too), tool
          and other.
        - ``output_index``: Int64, the output item it is about; <NA> where it did not say.
        - ``n_characters``: Int64, characters of its delta; 0 if it had none.
    """
    log = response.event_log
    # The stream may go on meanwhile; its last sequence is the last to grow.
    n_events = len(log.n_characters)
    at_s = np.asarray(log.at_s[:n_events], dtype=np.float64)
    types, indices = log.types[:n_events], log.output_indices[:n_events]
    return pd.DataFrame(
        {
            "at_s": at_s,
            "gap_s": np.diff(at_s, prepend=0.0),
            "type": pd.array(np.asarray(types, dtype=object), dtype=_TEXT),
            "kind": pd.array(np.asarray(_kinds(types, indices, response), dtype=object), dtype=_TEXT),
            "output_index": pd.array([_in_64_bits(index) for index in indices], dtype="Int64"),
            "n_characters": pd.array(log.n_characters[:n_events], dtype="Int64"),
        }
    )


def _in_64_bits(index: int | None) -> int | None:
    return index if index is None or abs(index) < 2**63 else None


def _kinds(types: Sequence[str], indices: Sequence[int | None], response: Response) -> list[str]:
    of_type = {type_: _kind_of_type(type_) for type_ in set(types)}
    of_item = _kinds_of_items(response)
    # What came for an item says what it is also where the response does not hold it.
    of_item |= {
        index: of_type[type_]
        for type_, index in zip(types, indices, strict=True)
        if index is not None
        and of_type[type_] in ("reasoning", "text", "tool")
        and not _ABOUT_ITEM.match(type_)
    }
    return [
        of_item.get(index, of_type[type_])
        if index is not None and _ABOUT_ITEM.match(type_)
        else of_type[type_]
        for type_, index in zip(types, indices, strict=True)
    ]


def _kind_of_type(type_: str) -> str:
    return "queue" if type_ in OPENING else _first(_KIND_OF_TYPE, type_)


def _kinds_of_items(response: Response) -> dict[int, str]:
    return {index: _first(_KIND_OF_ITEM, str(item.get("type"))) for index, item in enumerate(response.output)}


def _first(table: Iterable[tuple[re.Pattern[Any], str]], name: str) -> str:
    return next((kind for pattern, kind in table if pattern.match(name)), "other")
