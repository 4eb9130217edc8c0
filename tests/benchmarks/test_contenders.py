"""Who is measured reads what the server sends: the whole text, to the last delta."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from benchmarks import contenders, streams
from benchmarks.child import result_of
from benchmarks.feed import running_feed

_HERE = [name for name in contenders.CONTENDERS if find_spec(contenders.ENVIRONMENTS.get(name, "cometnb"))]
_HERE_AT_ONCE = [name for name in streams.CONTENDERS if find_spec(streams.ENVIRONMENTS.get(name, "cometnb"))]


@pytest.fixture(scope="module")
def feed_url() -> Iterator[str]:
    """Where the answers are."""
    with running_feed() as url:
        yield url


@pytest.mark.parametrize("name", _HERE)
def test_a_contender_reads_the_whole_text(feed_url: str, name: str) -> None:
    """Its process ends in an error if any of two answers is not what was sent, and then it has no figure."""
    assert result_of("-m", "benchmarks.reading", name, feed_url, "30", "2") > 0


@pytest.mark.parametrize("name", _HERE_AT_ONCE)
def test_a_contender_reads_all_streams_at_once(feed_url: str, name: str) -> None:
    """Here too: an answer that is not whole has no figure."""
    assert result_of("-m", "benchmarks.streams", name, feed_url, "3", "30")["cpu_s"] > 0
