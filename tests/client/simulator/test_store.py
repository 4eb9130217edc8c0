"""What is kept for retrieval, and what gives way."""

from __future__ import annotations

from cometnb.client.simulator.cache import PrefixCache
from cometnb.client.simulator.store import Entry, ResponseStore


def _entry(number: int) -> Entry:
    return Entry({"id": f"resp_{number}", "output": []}, {}, [])


def test_the_oldest_gives_way() -> None:
    """The store never grows beyond its bound."""
    store = ResponseStore(most=2)
    for number in range(3):
        store.add(_entry(number))
    assert len(store) == 2
    assert store.get("resp_0") is None
    assert store.get("resp_2") is not None


def test_deleting_tells_whether_it_was_there() -> None:
    """Twice is once too often."""
    store = ResponseStore()
    store.add(_entry(1))
    assert [store.delete("resp_1"), store.delete("resp_1")] == [True, False]


def test_a_cached_prefix_ends_where_prompts_part() -> None:
    """Whole blocks of 128 tokens that agree from the start."""
    cache = PrefixCache()
    prompt = [str(number) for number in range(2000)]
    assert cache.cached_tokens("m", prompt) == 0
    assert cache.cached_tokens("m", prompt[:1300] + ["other"] * 700) == 1280
    assert cache.cached_tokens("m", prompt[:1000]) == 0


def test_the_cache_forgets_the_oldest() -> None:
    """Its memory is bounded too."""
    cache = PrefixCache(most=10)
    first, second = (["a"] * 1280), (["b"] * 1280)
    cache.cached_tokens("m", first)
    cache.cached_tokens("m", second)
    assert cache.cached_tokens("m", second) == 1280
    assert cache.cached_tokens("m", first) == 0
