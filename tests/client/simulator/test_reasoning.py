"""Reasoning items, tokens and summaries."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.simulator import Simulator
from cometnb.client.simulator.models import reasons
from tests.client.simulator.talk import asked, events

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def _reasoning_tokens(seed: int = 0, **params: object) -> int:
    usage = asked(Simulator(seed=seed), **params)["usage"]
    return int(usage["output_tokens_details"]["reasoning_tokens"])


@given(st.integers(0, 1000), st.text(min_size=1, max_size=60).filter(str.strip))
def test_reasoning_tokens_grow_with_effort(seed: int, prompt: str) -> None:
    """Every step up costs more, from none at all."""
    spent = [_reasoning_tokens(seed, input=prompt, reasoning={"effort": effort}) for effort in _EFFORTS]
    assert spent[0] == 0
    assert all(less < more for less, more in pairwise(spent))


def test_medium_is_the_default_effort() -> None:
    """It is also what the response says."""
    response = asked(Simulator())
    assert response["reasoning"] == {"effort": "medium", "summary": None}
    assert 128 <= response["usage"]["output_tokens_details"]["reasoning_tokens"] <= 320


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        *[(model, True) for model in ("gpt-5.4", "gpt-6-sol", "gpt-5", "o3", "o4-mini")],
        *[(model, False) for model in ("gpt-4.1", "gpt-4o-mini", "omega", "gpt-50x")],
    ],
)
def test_which_models_reason(model: str, expected: bool) -> None:
    """The fifth generation and later, and the o series."""
    assert reasons(model) is expected


@pytest.mark.parametrize("params", [{"model": "gpt-4.1"}, {"reasoning": {"effort": "none"}}])
def test_no_reasoning_means_no_reasoning_item(params: dict[str, object]) -> None:
    """The message is the only item then."""
    assert [item["type"] for item in asked(Simulator(), **params)["output"]] == ["message"]


def test_a_summary_comes_only_when_asked_for() -> None:
    """The item is there without it, its parts are not."""
    plain = asked(Simulator())["output"][0]
    asked_for = asked(Simulator(), reasoning={"summary": "auto"})["output"][0]
    assert (plain["type"], plain["summary"]) == ("reasoning", [])
    assert [part["type"] for part in asked_for["summary"]] == ["summary_text", "summary_text"]


@pytest.mark.parametrize("field", ["summary", "generate_summary"])
def test_both_spellings_of_summary_work(field: str) -> None:
    """A concise summary has one part."""
    assert len(asked(Simulator(), reasoning={field: "concise"})["output"][0]["summary"]) == 1


def test_summary_events_carry_the_summary() -> None:
    """Part by part, the deltas joined are the text of the finished item."""
    stream = events(Simulator(), reasoning={"summary": "detailed"})
    parts: dict[int, str] = {}
    for event in stream:
        if event["type"] == "response.reasoning_summary_text.delta":
            parts[event["summary_index"]] = parts.get(event["summary_index"], "") + event["delta"]
    final = stream[-1]["response"]["output"][0]["summary"]
    assert [part["text"] for part in final] == list(parts.values())


def test_encrypted_content_comes_only_when_included() -> None:
    """It is long, text, and the same for the same request."""
    plain = asked(Simulator())["output"][0]
    sealed = [asked(Simulator(), include=["reasoning.encrypted_content"])["output"][0] for _ in range(2)]
    assert "encrypted_content" not in plain
    assert len(sealed[0]["encrypted_content"]) > 100
    assert sealed[0] == sealed[1]
