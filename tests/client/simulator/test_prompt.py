"""What the simulator finds in a request."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.simulator.prompt import items_of, pieces_of, prompt_tokens, taken_stock

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_text_and_the_message_it_stands_for_count_the_same() -> None:
    """A plain string is one user message."""
    items = [{"role": "user", "content": [{"type": "input_text", "text": "Hello there"}]}]
    assert len(prompt_tokens({"input": "Hello there"})) == len(prompt_tokens({"input": items}))


def test_attachments_and_results_are_counted_by_kind() -> None:
    """Images, files, function results and tools each have their own figure."""
    body = {
        "tools": [{"type": "function", "name": "f"}],
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look"},
                    {"type": "input_image", "image_url": "https://x/a.png", "detail": "low"},
                    {"type": "input_file", "file_id": "file-1"},
                ],
            },
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "42"},
        ],
    }
    stock = taken_stock(body, n_tokens=7)
    assert (stock.n_items, stock.n_images, stock.n_files, stock.n_results, stock.n_tools) == (3, 1, 1, 1, 1)
    assert stock.last_text == "Look"


@pytest.mark.parametrize(("detail", "n_tokens"), [("low", 85), ("high", 1105), ("auto", 765), (None, 765)])
def test_an_image_costs_by_its_detail(detail: str | None, n_tokens: int) -> None:
    """The pixels are not looked at; the detail sets the figure."""
    part = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": detail}
    (piece,) = pieces_of([{"role": "user", "content": [part]}])
    assert piece.n_tokens == n_tokens


def test_a_file_that_is_sent_along_costs_by_its_size() -> None:
    """Four bytes are about a token."""
    data = base64.b64encode(b"x" * 400).decode()
    part = {"type": "input_file", "filename": "a.txt", "file_data": f"data:text/plain;base64,{data}"}
    (piece,) = pieces_of([{"role": "user", "content": [part]}])
    assert piece.n_tokens == 100


@pytest.mark.parametrize(
    "addition", [{"instructions": "Be brief."}, {"tools": [{"type": "web_search_preview"}]}]
)
def test_instructions_and_tools_count_as_input(addition: dict[str, Any]) -> None:
    """They are sent, so they are paid for."""
    assert len(prompt_tokens({"input": "Hi", **addition})) > len(prompt_tokens({"input": "Hi"}))


@given(_JSON)
def test_any_json_as_input_is_counted_without_a_crash(value: Any) -> None:
    """Whatever passes the checks is described, not refused by accident."""
    body = {"input": value}
    tokens = prompt_tokens(body)
    assert taken_stock(body, len(tokens)).n_items == len(items_of(body))
    assert all(isinstance(token, str) for token in tokens)
