"""Row 2 without a wire: decoding one huge event, and decoding and folding many small ones."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from functools import partial

from benchmarks.answer import events, text
from benchmarks.child import result_of
from benchmarks.growth import growth_section
from benchmarks.plan import Plan
from benchmarks.tables import Section
from cometnb.protocol.answer import Head
from cometnb.protocol.exchange import Exchange
from cometnb.protocol.sse import Decoder

__all__ = ["decoder_growth", "folding_growth"]

_MB = 1_000_000
_HEAD = Head(200, {"content-type": "text/event-stream"}, datetime(2026, 1, 1, tzinfo=UTC))


def decoder_growth(plan: Plan) -> Section:
    """Measure the decoder on one event of up to 20 MB that comes in pieces."""
    sizes = plan.size((1, 2), (1, 5, 20))
    costs = {f"in pieces of {size:,} bytes": partial(_fresh_event_cpu_s, size) for size in (1_000, 16_000)}
    return growth_section(
        "Decoding one large event",
        "The decoder alone, one event of the size named in a fresh process, so that its memory is new at every size.",
        costs,
        sizes=sizes,
        unit="MB",
        n_rounds=plan.rounds(3),
        held=tuple(costs),
    )


def folding_growth(plan: Plan) -> Section:
    """Measure decoding, parsing and folding, without a wire, on up to 50,000 deltas."""
    sizes = plan.size((200, 1_000, 5_000), (1_000, 10_000, 50_000))

    def cost_s(n_deltas: int) -> float:
        # Every size folds as many deltas in all, so that short streams are measured as well as long ones.
        n_streams = max(sizes) // n_deltas
        return sum(_stream_cpu_s(n_deltas) for _ in range(n_streams)) / (n_streams * n_deltas)

    name = "decode, parse and fold"
    return growth_section(
        "Decoding and folding many deltas",
        "The protocol core without a wire, one event a chunk, from bytes to the finished Response.",
        {name: cost_s},
        sizes=sizes,
        unit="deltas",
        n_rounds=plan.rounds(3),
        held=(name,),
    )


def _fresh_event_cpu_s(piece_bytes: int, n_mb: int) -> float:
    cpu_s: float = result_of("-m", "benchmarks.decoding", str(piece_bytes), str(n_mb))
    return cpu_s / n_mb


def _event_cpu_s(piece_bytes: int, n_mb: int) -> float:
    value = "x" * (n_mb * _MB)
    data = f"data: {value}\n\n".encode()
    pieces = [data[start : start + piece_bytes] for start in range(0, len(data), piece_bytes)]
    decoder = Decoder()
    start_s = time.process_time()
    received = [event for piece in pieces for event in decoder.feed(piece)]
    cpu_s = time.process_time() - start_s
    assert received == [("", value)]
    return cpu_s


def _stream_cpu_s(n_deltas: int) -> float:
    chunks = events(n_deltas)
    start_s = time.process_time()
    exchange = Exchange({"model": "gpt-5.4"})
    exchange.begin(_HEAD)
    for chunk in chunks:
        exchange.receive(chunk)
    exchange.end()
    response = exchange.response()
    cpu_s = time.process_time() - start_s
    assert response.output_text == text(n_deltas)
    return cpu_s


if __name__ == "__main__":
    print(json.dumps(_event_cpu_s(int(sys.argv[1]), int(sys.argv[2]))))
