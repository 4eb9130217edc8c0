"""How fast a recording comes again."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from cometnb.client.cassette import Cassette
from cometnb.client.cassette.asked import Asked
from cometnb.client.cassette.played import actions, headers
from cometnb.client.cassette.tape import Recording, read_tape
from cometnb.client.client import Client
from cometnb.client.simulator.reply import Wait
from cometnb.errors import ResponseTimeoutError
from tests.client.cassette.recordings import replaying

_FILE = b"""{"cassette": 1}
{"request": "POST /responses", "key": "k", "body": {"model": "gpt-5.4", "input": "Hi", "stream": true}}
{"answer": 200, "gap_s": 4, "headers": {"content-type": "text/event-stream", "retry-after": "9"}}
{"event": {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hello."}, "gap_s": 0.2}
{"event": {"type": "response.completed", "response": {"id": "r", "status": "completed"}}, "gap_s": 0}
{"end": "whole", "gap_s": 0.0, "ttft_s": 4.2, "duration_s": 4.2}
"""


def _waits(pace: str) -> list[float | None]:
    (recording,) = read_tape(_FILE, "c").recordings
    return [step.seconds for step in actions(recording, pace) if isinstance(step, Wait)]


def test_each_pace_waits_its_own_time() -> None:
    """As long as it was, a tenth of that but never long, and not at all."""
    assert _waits("real") == [4.0, 0.2]
    assert _waits("fast") == [0.05, 0.02]
    assert _waits("instant") == []


def test_a_wait_that_was_recorded_is_not_waited_twice() -> None:
    """Where the next try stands in the file, only the real pace keeps the time to wait before it."""
    (recording,) = read_tape(_FILE, "c").recordings
    assert headers(recording, "fast", is_tried_again=True)["retry-after"] == "0"
    assert headers(recording, "fast", is_tried_again=False)["retry-after"] == "9"
    assert headers(recording, "real", is_tried_again=True)["retry-after"] == "9"


def test_no_client_waits_a_time_of_its_own() -> None:
    """A failure without Retry-After, whose next try is recorded too, says that it may be asked again at once."""
    failed = Recording(Asked("POST", "/responses", {}), "a", status=500)
    assert headers(failed, "instant", is_tried_again=True) == {"retry-after": "0"}
    assert headers(failed, "instant", is_tried_again=False) == {}
    assert headers(failed, "real", is_tried_again=True) == {}
    assert headers(replace(failed, status=200), "instant", is_tried_again=True) == {}


def test_the_times_of_the_recording_are_told(tmp_path: Path) -> None:
    """Beside those of the replay."""
    path = tmp_path / "c.jsonl"
    path.write_bytes(_FILE)
    response = replaying(path).respond("Hi", stream=True)
    assert response.recorded is not None
    assert (response.recorded.ttft_s, response.recorded.duration_s) == (4.2, 4.2)
    assert response.timing.duration_s is not None
    assert response.timing.duration_s < 4


def test_the_real_pace_takes_its_time(tmp_path: Path) -> None:
    """The pace may be changed between calls, and closing the stream ends a wait."""
    path = tmp_path / "c.jsonl"
    path.write_bytes(_FILE.replace(b'"gap_s": 4', b'"gap_s": 0.1'))
    cassette = Cassette(path, pace="instant")
    cassette.pace = "real"
    began_s = time.monotonic()
    assert Client(transport=cassette).respond("Hi", stream=True).output_text == "Hello."
    assert time.monotonic() - began_s >= 0.3


def test_a_client_s_own_limit_holds(tmp_path: Path) -> None:
    """A gap that is longer than it would wait is a timeout, as it would have been."""
    path = tmp_path / "c.jsonl"
    path.write_bytes(_FILE)
    client = Client(transport=Cassette(path, pace="real"), idle_timeout_s=0.05, max_retries=0)
    with pytest.raises(ResponseTimeoutError):
        client.respond("Hi", stream=True)
