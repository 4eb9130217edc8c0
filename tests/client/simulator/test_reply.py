"""How events are joined into chunks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.simulator.reply import Action, Break, Wait, coalesced

_ACTIONS: st.SearchStrategy[list[Action]] = st.lists(
    st.binary(min_size=1, max_size=9000) | st.just(Wait(0.1)) | st.just(Break()), max_size=20
)


def _told(actions: list[Action]) -> list[Action]:
    """Return the actions with all neighbouring bytes joined."""
    told: list[Action] = []
    for action in actions:
        if isinstance(action, bytes) and told and isinstance(told[-1], bytes):
            told[-1] += action
        else:
            told.append(action)
    return told


@given(_ACTIONS, st.none() | st.integers(1, 5))
def test_joining_keeps_order_and_bytes(actions: list[Action], events_per_chunk: int | None) -> None:
    """Nothing moves across a wait or a break."""
    assert _told(list(coalesced(actions, events_per_chunk))) == _told(actions)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=30))
def test_one_event_per_chunk_is_possible(events: list[bytes]) -> None:
    """For tests and benchmarks that want each by itself."""
    assert list(coalesced(events, 1)) == events


def test_a_chunk_is_about_16_kilobytes() -> None:
    """Large enough to be cheap, small enough to be a stream."""
    sizes = [len(chunk) for chunk in coalesced([b"x" * 1000] * 100, None) if isinstance(chunk, bytes)]
    assert max(sizes) == 17_000
    assert sum(sizes) == 100_000
