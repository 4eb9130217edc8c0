"""Notebook files as they are saved: with answers of cometnb in their outputs, and with made-up keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["KEY", "MASKED", "a_cell", "an_answer", "an_output", "saved"]

# In pieces, so that no scanner of secrets takes the tests for a leak.
KEY = "sk-" + "q7Zt4mXw9Lb2Rk8Vn3Hc6Jd1Fs5Gy0Pa4Ue7Ti2Oq9Wd3Bxz"
"""No key of anybody's, but one like those of CometAPI."""

MASKED = "sk-…3Bxz"
"""How `KEY` is shown."""


def an_answer(id_: str | None = "resp_1", **saved: Any) -> dict[str, Any]:
    """Return the output of an answer that cost 25 cents; `saved` replaces or adds to its metadata."""
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 40},
        "output_tokens": 30,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 130,
    }
    metadata = {
        "response_id": id_,
        "model": "gpt-5.4",
        "status": "completed",
        "backend": "api",
        "host": "api.cometapi.com",
        "usage": usage,
        "usage_source": "reported",
        "cost_usd": 0.25,
        "price_source": "my price list",
    }
    return an_output("An answer.", metadata={"cometnb": metadata | saved})


def an_output(text: str = "", mimetype: str = "text/plain", **fields: Any) -> dict[str, Any]:
    """Return an output that shows `text`."""
    return {"output_type": "display_data", "data": {mimetype: text}, "metadata": {}} | fields


def a_cell(source: Any = "", *outputs: Any, kind: str = "code", **fields: Any) -> dict[str, Any]:
    """Return a cell of nbformat 4."""
    code = {"execution_count": 1, "outputs": list(outputs)} if kind == "code" else {}
    return {"cell_type": kind, "id": "c1", "metadata": {}, "source": source} | code | fields


def saved(path: Path, *cells: Any, **fields: Any) -> str:
    """Write a notebook of these cells and return its path."""
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | fields
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)
