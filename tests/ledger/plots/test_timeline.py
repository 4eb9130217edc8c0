"""``plot_timeline``: the course of one answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cometnb.errors import ParamError
from cometnb.ledger.events import events_frame
from cometnb.ledger.plots import plot_timeline
from cometnb.ledger.plots.canvas import words_of
from cometnb.protocol.events import Event
from cometnb.protocol.response import Response, Timing
from tests.ledger.plots.drawing import drawn, legend, names, texts
from tests.ledger.usage_frames import a_day_of_calls


def an_answer(*events: tuple[float, str, dict[str, Any]], **fields: Any) -> Response:
    """Return a response whose stream had these events, at these seconds."""
    response = Response({"model": "gpt-5.4"}, **fields)
    for at_s, type_, raw in events:
        response.event_log.add(at_s, [Event(type_, raw)])
    return response


def with_text(*at_s: float, **fields: Any) -> Response:
    """Return an answer whose text came at these seconds."""
    delta = {"output_index": 0, "delta": "word "}
    return an_answer(
        (0.5, "response.created", {}), *((at, "response.output_text.delta", delta) for at in at_s), **fields
    )


def test_a_timeline_has_a_lane_for_each_kind() -> None:
    """With the seconds each took; what came before the first output is queue."""
    response = an_answer(
        (0.25, "response.created", {}),
        (1.0, "response.output_item.added", {"output_index": 0}),
        (3.0, "response.reasoning_summary_text.delta", {"output_index": 0, "delta": "Let me see"}),
        (3.0, "response.output_item.added", {"output_index": 1}),
        (3.5, "response.output_text.delta", {"output_index": 1, "delta": "It is"}),
        (3.5, "response.completed", {}),
        status="completed",
    )
    ax = drawn(plot_timeline(response))
    assert names(ax) == ["queue 1.00 s", "reasoning 2.00 s", "text 0.50 s"]
    assert "(s)" in ax.get_xlabel()
    assert "first piece after 3.00\u00a0s" in words_of(ax)


def test_a_timeline_can_be_drawn_from_the_frame() -> None:
    """It looks the same, but knows neither model nor end."""
    response = with_text(1.0, 1.1, 1.2, status="completed")
    assert names(drawn(plot_timeline(events_frame(response)))) == names(drawn(plot_timeline(response)))


def test_a_silence_in_the_text_is_a_stall() -> None:
    """It does not count as time the text took."""
    ax = drawn(plot_timeline(with_text(1.0, 1.1, 1.2, 5.2, 5.3, status="completed")))
    assert legend(ax) == ["stall"]
    assert "1 stall of 4.00\u00a0s" in words_of(ax)
    assert names(ax)[1] == "text 0.30 s"


def test_a_slow_text_is_no_stall() -> None:
    """Where every piece takes as long, none is late."""
    ax = drawn(plot_timeline(with_text(1.0, 3.0, 5.0, 7.0, status="completed")))
    assert legend(ax) == []


def test_a_silence_before_the_end_of_a_cut_answer_is_a_stall() -> None:
    """It is why the call was given up."""
    response = with_text(1.0, 1.1, status="interrupted", timing=Timing(duration_s=60.0))
    assert "1 stall of 59\u00a0s" in words_of(drawn(plot_timeline(response)))


def test_an_answer_without_events_is_said() -> None:
    """It came whole."""
    ax = drawn(plot_timeline(Response({"status": "completed"})))
    assert any("did not come as a stream" in text for text in texts(ax))


def test_ten_thousand_events_can_be_drawn() -> None:
    """As one stretch."""
    ax = drawn(plot_timeline(with_text(*np.arange(1, 21, 0.002), status="completed")))
    assert names(ax)[1].startswith("text")


@pytest.mark.parametrize("source", ["resp_1", None, a_day_of_calls(2)])
def test_a_timeline_of_something_else_is_refused(source: object) -> None:
    """A usage frame is of many answers."""
    with pytest.raises(ParamError, match="one answer"):
        plot_timeline(source)  # type: ignore[arg-type]
    assert plt.get_fignums() == []


def test_a_long_name_leaves_room_for_the_plot() -> None:
    """The model's and the status are the service's words."""
    response = Response({"model": "w" * 900, "status": "x" * 900})
    response.event_log = with_text(1.0, 2.0).event_log
    assert drawn(plot_timeline(response)).get_window_extent().height > 100
