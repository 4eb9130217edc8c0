"""The models the simulator plays, and which of them reason."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

__all__ = ["MODELS", "close_models", "is_known", "model_object", "reasons"]

MODELS: tuple[str, ...] = (
    "gpt-6-sol",
    "gpt-5.5",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5-nano",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4.1-nano",
    "gpt-4o",
    "gpt-4o-mini",
    "o1",
    "o3",
    "o3-mini",
    "o4-mini",
)

# Everything from the fifth generation on reasons, and so does the o series.
_REASONING = re.compile(r"(gpt-(?:[5-9]|[1-9]\d)|o\d)(?![a-z0-9])")
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
# 2025-01-01T00:00:00Z. The list says the same on every day.
_CREATED = 1_735_689_600


def reasons(model: str) -> bool:
    """Tell whether the model spends tokens on reasoning before it answers."""
    return _REASONING.match(model) is not None


def is_known(model: str, known: Sequence[str]) -> bool:
    """Tell whether `known` holds the model, also under the name of a dated snapshot of it."""
    return model in known or _SNAPSHOT.sub("", model) in known


def close_models(model: str, known: Sequence[str]) -> list[str]:
    """Return up to three known models whose names are like `model`."""
    return difflib.get_close_matches(model, known, n=3, cutoff=0.5)


def model_object(model: str) -> dict[str, object]:
    """Return the model as ``GET /v1/models`` lists it."""
    return {"id": model, "object": "model", "created": _CREATED, "owned_by": "cometnb-simulator"}
