"""The course of a stream."""

from __future__ import annotations

from cometnb.protocol.event_log import EventLog
from cometnb.protocol.events import Event


def test_events_are_noted_with_time_type_item_and_length() -> None:
    """What came together has one time; a delta's length is in characters."""
    log = EventLog()
    log.add(
        0.5,
        [
            Event("response.created", {}),
            Event("response.output_text.delta", {"output_index": 1, "delta": "abc"}),
        ],
    )
    log.add(0.75, [Event("response.output_text.delta", {"output_index": 1, "delta": "é"})])
    assert log.at_s == [0.5, 0.5, 0.75]
    assert log.types == ["response.created", *["response.output_text.delta"] * 2]
    assert log.output_indices == [None, 1, 1]
    assert log.n_characters == [0, 3, 1]
    assert len(log) == 3


def test_odd_events_are_noted_all_the_same() -> None:
    """A delta that is no text has no length, an index that is no number is none."""
    log = EventLog()
    log.add(0.0, [Event("x", {"delta": {"a": 1}, "output_index": "0"}), Event("x", {"output_index": True})])
    assert (log.n_characters, log.output_indices) == ([0, 0], [None, None])


def test_the_last_number_is_the_servers() -> None:
    """Of the latest event that has one; a sign of life without a number changes nothing."""
    assert EventLog().last_sequence_number is None
    log = EventLog()
    log.add(0.0, [Event("x", {"sequence_number": 3}), Event("keepalive", {})])
    log.add(0.1, [Event("keepalive", {}), Event("x", {"sequence_number": "4"})])
    log.add(0.2, [])
    assert log.last_sequence_number == 3
    assert EventLog(7).last_sequence_number == 7
