"""A sweep's frame holds what can be kept and exported, whatever the service said."""

from __future__ import annotations

import io

from cometnb.protocol.response import Response
from cometnb.session.sweep import grid_of
from cometnb.session.sweep_frame import Result, frame_of


def test_half_of_a_character_does_not_lose_the_sweep() -> None:
    """In a service's error, or in a label: no CSV and no Arrow table could hold it."""
    made = grid_of("Hello", {"user": ["a\ud83d", "b"]}, model="m")
    failed = Response(
        {"status": "failed", "error": {"message": "out \ud83d"}, "output": [{"type": "message"}]}
    )
    table = frame_of(made, [Result(made.runs[0], failed), Result(made.runs[1])])
    assert table["error"].tolist()[0] == "out \ufffd"
    assert table["user"].tolist() == ["a\ufffd", "b"]
    table.to_csv(io.BytesIO())
