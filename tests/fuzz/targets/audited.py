"""Notebooks that anybody may have saved: read as data, reported, and nothing of them is run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from cometnb.ledger.audit.audited import audit
from tests.fuzz.target import Target

__all__ = ["TARGETS", "notebook_audit"]


@cache
def _file() -> Path:
    return Path(tempfile.mkdtemp(prefix="cometnb-fuzz-")) / "hostile.ipynb"


def notebook_audit(data: bytes) -> None:
    """Audit one file: a report that can be printed, plain JSON and a table, and no key in any of them."""
    _file().write_bytes(data)
    found = audit([_file()], environ={"MY_API_KEY": "k3y-0f-my-0wn-9321"})
    shown = str(found)
    shown.encode()
    assert not any(ord(letter) < 32 and letter != "\n" for letter in shown), "it acts on the terminal"
    written = json.dumps(found.as_json(), allow_nan=False)
    assert "k3y-0f-my-0wn-9321" not in shown + written
    assert len(found.calls) == len(found.saved)
    assert found.exit_status in (0, 1, 2)


def _seeds() -> Iterator[bytes]:
    saved: dict[str, Any] = {
        "response_id": "resp_1", "model": "gpt-5.4", "status": "completed", "backend": "api", "host": "api.cometapi.com",
        "usage": {"input_tokens": 10, "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}},
        "cost_usd": 0.01, "price_source": "list", "sent_at": "2026-01-01T00:00:00+00:00", "tool_fees_usd": 0.01,
    }  # fmt: skip
    estimated = {
        "model": "gpt-5.4-mini",
        "response_id": "r2",
        "usage": None,
        "estimated_usage": {"input_tokens": 3},
    }
    output = {
        "output_type": "display_data",
        "data": {"text/plain": ["a", "b"]},
        "metadata": {"cometnb": saved},
    }
    sweep = {"output_type": "display_data", "data": {}, "metadata": {"cometnb": {"runs": [saved, estimated]}}}
    error = {
        "output_type": "error",
        "ename": "E",
        "evalue": "v",
        "traceback": ["\x1b[31mk3y-0f-my-0wn-9321\x1b[0m"],
    }
    cell = {
        "cell_type": "code",
        "execution_count": 3,
        "id": "c1",
        "source": ["x\n"],
        "outputs": [output, sweep, error],
    }
    text = {
        "cell_type": "markdown",
        "source": "# T",
        "attachments": {"a.png": {"image/png": "c2stYWJj"}},
        "metadata": {},
    }
    yield json.dumps({"cells": [cell, text], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    old = {
        "cell_type": "code",
        "prompt_number": 1,
        "input": "y",
        "outputs": [{"output_type": "pyout", "text": "k"}],
    }
    yield json.dumps({"worksheets": [{"cells": [old]}], "nbformat": 3}).encode()
    yield b'{"cells": [{"source": "api_key = \'sk-a8Bd93jkLs02mNq7Zx\'", "outputs": []}]}'


_TOKENS = (
    b'"cometnb":', b'"runs":[', b'"sent_at":"0001-01-01T00:00:00+14:00"', b'"cells":', b"k3y-0f-my-0wn-9321", b"sk-a8Bd93jkLs02",
    b"azN5LTBmLW15LTB3bi05MzIx", b"\\u001b[31m", b"\\ud800", b'"usage":', b'"cost_usd":', b'"host":"["',
)  # fmt: skip

TARGETS = (Target("notebook_audit", notebook_audit, _seeds, tokens=_TOKENS, n_tested=120),)
