"""Usage is read tolerantly, and adding two loses nothing."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol.usage import Usage
from tests.protocol.streams import JSON, JSON_OBJECTS

_COUNTS = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
)
# Objects in which a name always stands for the same kind of value, as in what one server sends.
_USAGES = st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": st.none() | st.integers(0, 10**9),
        "output_tokens": st.integers(0, 10**9),
        "input_tokens_details": st.fixed_dictionaries(
            {}, optional={"cached_tokens": st.integers(0, 99), "vendor": st.none() | st.integers(-9, 9)}
        ),
        "service_tier": st.sampled_from(["auto", "flex", "fast"]),
        "is_byok": st.booleans(),
    },
)


@pytest.mark.parametrize(
    ("raw", "counts"),
    [
        (
            {
                "input_tokens": 10,
                "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
                "output_tokens": 5,
                "output_tokens_details": {"reasoning_tokens": 3},
                "total_tokens": 15,
            },
            (10, 4, 2, 5, 3, 15),
        ),
        (
            {
                "prompt_tokens": 10,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens": 5,
                "completion_tokens_details": {"reasoning_tokens": 3},
                "cache_write_tokens": 2,
            },
            (10, 4, 2, 5, 3, None),
        ),
        ({"input_tokens": 10.0, "output_tokens": 0}, (10, None, None, 0, None, None)),
        ({"input_tokens": 0, "prompt_tokens": 7}, (0, None, None, None, None, None)),
        ({"input_tokens": None, "prompt_tokens": 7}, (7, None, None, None, None, None)),
        ({"input_tokens_details": None, "output_tokens_details": 5}, (None,) * 6),
        (None, (None,) * 6),
        ([1], (None,) * 6),
    ],
)
def test_which_field_is_which_count(raw: Any, counts: tuple[int | None, ...]) -> None:
    """Both dialects are read, and what is not reported is None, never zero."""
    assert tuple(getattr(Usage(raw), name) for name in _COUNTS) == counts


@pytest.mark.parametrize("count", [-1, True, "7", float("nan"), float("inf"), 10**400, 2**63, [], {}])
def test_what_is_no_count_is_not_reported(count: Any) -> None:
    """No value makes reading raise, and none that no database takes gets through."""
    usage = Usage({"input_tokens": count})
    assert usage.input_tokens is None
    assert not usage


@given(raw=JSON)
def test_any_json_can_be_read(raw: Any) -> None:
    """Whatever a server sends for usage, every count is one or None."""
    usage = Usage(raw)
    assert all(count is None or count >= 0 for count in (getattr(usage, name) for name in _COUNTS))
    assert repr(usage).startswith("Usage(")


@given(one=_USAGES, two=_USAGES, three=_USAGES)
def test_addition_is_associative(one: Any, two: Any, three: Any) -> None:
    """However rows are grouped, their sum is the same."""
    a, b, c = Usage(one), Usage(two), Usage(three)
    assert (a + b) + c == a + (b + c)


@given(usages=st.lists(_USAGES, max_size=5))
def test_counts_add_up(usages: list[dict[str, Any]]) -> None:
    """The sum of a count is the sum of what was reported, and not reported if nothing was."""
    total = sum((Usage(raw) for raw in usages), Usage())
    for name in _COUNTS:
        reported = [count for raw in usages if (count := getattr(Usage(raw), name)) is not None]
        assert getattr(total, name) == (sum(reported) if reported else None)


@pytest.mark.parametrize(
    ("raws", "counts"),
    [
        ([{"input_tokens": 10}, {"prompt_tokens": 7}, {"input_tokens": 3}], {"input_tokens": 20}),
        ([{"input_tokens": 10}, {"input_tokens": "7"}, {"input_tokens": 3}], {"input_tokens": 13}),
        ([{"input_tokens": -1}, {"input_tokens": 5}, {}], {"input_tokens": 5}),
        ([{"input_tokens": True}, {"input_tokens": 5}], {"input_tokens": 5}),
        (
            [
                {"input_tokens_details": {"cached_tokens": 4}},
                {"prompt_tokens_details": {"cached_tokens": 3}},
                {"input_tokens_details": {"cached_tokens": None}},
                {"cache_write_tokens": 2, "prompt_tokens_details": {"cache_write_tokens": "x"}},
                {"input_tokens_details": {"cache_write_tokens": 5}},
            ],
            {"cached_tokens": 7, "cache_write_tokens": 7},
        ),
        (
            [{"input_tokens_details": {"cached_tokens": 4}}, {"input_tokens_details": 5}],
            {"cached_tokens": 4},
        ),
        ([{"total_tokens": 2**62}, {"total_tokens": 2**62}], {"total_tokens": None}),
    ],
)
def test_counts_add_up_whoever_sent_them(raws: list[Any], counts: dict[str, int | None]) -> None:
    """Servers that spell a count differently, or send what is none, take nothing from the others' sum."""
    for order in (raws, raws[::-1]):
        total = sum(map(Usage, order), Usage())
        assert {name: getattr(total, name) for name in counts} == counts


@given(objects=st.lists(JSON_OBJECTS, min_size=1, max_size=4))
def test_addition_loses_no_field(objects: list[dict[str, Any]]) -> None:
    """Every name of every summand is in the sum, whatever its values are."""
    total = reduce(add, map(Usage, objects))
    assert set(total.raw) == set().union(*objects)


def test_fields_of_a_vendor_are_added_or_kept() -> None:
    """Amounts are added at any depth; texts that differ are both kept."""
    one = Usage({"cost": 0.5, "tier": "a", "details": {"ticks": 1, "x": None}})
    two = Usage({"cost": 0.25, "tier": "b", "details": {"ticks": 2, "x": 3}, "new": [1]})
    assert (one + two).raw == {"cost": 0.75, "tier": ["a", "b"], "details": {"ticks": 3, "x": 3}, "new": [1]}


def test_numbers_too_large_to_add_do_not_raise() -> None:
    """An integer beyond every float and a float have a sum all the same."""
    assert (Usage({"cost": 10**400}) + Usage({"cost": 0.5})).raw == {"cost": float("inf")}


def test_addition_changes_neither_summand() -> None:
    """A sum is a new usage."""
    one, two = Usage({"a": {"b": 1}}), Usage({"a": {"b": 2}})
    assert (one + two).raw == {"a": {"b": 3}}
    assert (one.raw, two.raw) == ({"a": {"b": 1}}, {"a": {"b": 2}})


def test_the_repr_says_what_was_not_reported() -> None:
    """Missing counts are words, not zeros."""
    assert repr(Usage({"input_tokens": 3})) == "Usage(input_tokens=3, output_tokens=not reported)"


def test_only_usages_can_be_added() -> None:
    """Anything else is Python's usual TypeError."""
    with pytest.raises(TypeError):
        _ = Usage() + 5  # type: ignore[operator]
    assert Usage() != 5
