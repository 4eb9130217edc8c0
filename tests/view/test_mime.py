"""Parts lowered to Markdown, plain text and metadata."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import printable
from cometnb.protocol.response import Response, Timing
from cometnb.protocol.usage import Usage
from cometnb.view.mime import bundle

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_items = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "reasoning", "function_call", "web_search_call", "odd"])},
    optional=dict.fromkeys(("content", "summary", "arguments", "name", "action", "status"), _json),
)


def _shown(text: str, **part: Any) -> dict[str, str]:
    content = [{"type": "output_text", "text": text, **part}]
    return bundle(Response({"status": "completed", "output": [{"type": "message", "content": content}]}))[0]


def test_markdown_is_neutral_and_plain_is_as_written() -> None:
    """The Markdown cannot act, the plain text is what the model wrote."""
    shown = _shown("a <b> c")
    assert shown["text/markdown"].startswith("a &lt;b> c")
    assert shown["text/plain"].startswith("a <b> c")


def test_plain_text_cannot_drive_a_terminal() -> None:
    """Escape sequences and direction marks are dropped; lines and tabs stay."""
    assert printable("a\x1b[31mb\x07\u202ec\td\r\ne\n") == "a[31mbc\td\ne\n"


def test_a_source_links_to_http_only() -> None:
    """Another address is shown as text."""
    good = {"type": "url_citation", "url": "https://a.b/c", "title": "T]("}
    bad = {"type": "url_citation", "url": "javascript:alert(1)", "title": "Click"}
    shown = _shown("x", annotations=[good, bad])["text/markdown"]
    assert "- [T&#93;(](https://a.b/c)" in shown
    assert "](javascript" not in shown


def test_a_title_cannot_break_out_of_its_line() -> None:
    """Names and titles are a model's words, too."""
    output = [{"type": "function_call", "name": "f`<script>\n\n# x", "arguments": "`<img src=x>`" * 100}]
    shown = bundle(Response({"status": "completed", "output": output}))[0]["text/markdown"]
    assert "<script" not in shown
    assert "<img" not in shown
    assert "more characters" in shown


@given(st.lists(_items, max_size=4), _json, _json)
def test_any_response_can_be_shown(output: list[Any], usage: Any, error: Any) -> None:
    """No body makes showing it raise."""
    raw = {"output": output, "usage": usage, "error": error}
    data, metadata = bundle(Response(raw))
    assert set(data) == {"text/markdown", "text/plain"}
    assert metadata["cometnb"]["status"]
    record = metadata["cometnb"]
    assert json.loads(json.dumps(record)) == record


def _record(raw: dict[str, Any], *, with_times: bool = True, **attributes: Any) -> dict[str, Any]:
    response = Response(raw, timing=Timing(sent_at=datetime(2026, 11, 1, 12, tzinfo=UTC)))
    response.base_url = "https://api.cometapi.com/v1"
    for name, value in attributes.items():
        setattr(response, name, value)
    metadata: dict[str, Any] = bundle(response, with_times=with_times)[1]["cometnb"]
    return metadata


def test_what_a_call_used_and_cost_is_saved() -> None:
    """With the source of its price; where times are left out, so is the moment."""
    usage = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500, "odd": True}
    raw = {"id": "resp_1", "model": "gpt-5.4", "status": "completed", "usage": usage, "output": []}
    record = _record(raw, model_requested="gpt-5.4")
    assert record["cost_usd"] == pytest.approx(0.8 * (1000 * 2.5 + 500 * 15) / 1e6)
    assert "x 0.8" in record.pop("price_source")
    assert record == {
        "response_id": "resp_1",
        "model": "gpt-5.4",
        "model_requested": "gpt-5.4",
        "status": "completed",
        "backend": "api",
        "host": "api.cometapi.com",
        "usage": usage,
        "usage_source": "reported",
        "cost_usd": record["cost_usd"],
        "sent_at": "2026-11-01T12:00:00+00:00",
    }
    assert "sent_at" not in _record(raw, with_times=False)


def test_an_unknown_cost_is_saved_as_none() -> None:
    """Not as zero, and without words about this machine."""
    record = _record({"model": "nobody-knows", "usage": {"input_tokens": 1, "output_tokens": 1}})
    assert (record["cost_usd"], record["price_source"]) == (None, "no price known")


def test_estimated_tokens_are_saved_as_such() -> None:
    """`usage` stays what was sent: nothing."""
    estimate = Usage({"input_tokens": 10, "output_tokens": 5, "total_tokens": 15})
    record = _record({"model": "gpt-5.4"}, estimated_usage=estimate)
    assert (record["usage"], record["usage_source"]) == (None, "estimated")
    assert record["estimated_usage"] == estimate.raw
    assert record["cost_usd"] > 0


def test_fees_of_tools_are_saved_apart() -> None:
    """They are no part of the tokens' cost; without a tool there is no such field."""
    usage = {"input_tokens": 1000, "output_tokens": 500}
    searched = {
        "model": "gpt-5.4",
        "usage": usage,
        "output": [{"type": "web_search_call", "status": "completed"}],
    }
    plain = _record({"model": "gpt-5.4", "usage": usage})
    assert "tool_fees_usd" not in plain
    assert _record(searched)["cost_usd"] == plain["cost_usd"]
    assert "tool_fees_usd" in _record(searched)


def test_no_model_s_name_drives_a_terminal() -> None:
    """The line of usage names the model as the service does."""
    response = Response({"model": "a\x1b]8;;https://leak.invalid\x1b\\b\u202e", "output": []})
    plain = bundle(response)[0]["text/plain"]
    assert all(one.isprintable() or one == "\n" for one in plain)


def test_half_of_a_character_is_shown_as_a_mark() -> None:
    """Else the front end could not be sent the answer at all."""
    call = {"type": "function_call", "name": "f\ud83d", "arguments": "\ude00", "call_id": "c"}
    data, _ = bundle(Response({"model": "m", "output": [call]}, status="completed"), notes=("\ud800",))
    for text in data.values():
        assert "\ufffd" in text
        text.encode()


def test_a_key_that_comes_together_is_masked() -> None:
    """Where a control character was taken out, in a note, and in what is kept of the call."""
    response = Response(
        {
            "model": "sk-Canary2x7Qm4Vt9",
            "output": [{"type": "function_call", "arguments": "s\x07k-Canary2x7Qm"}],
        }
    )
    told = bundle(response, notes=("sk-Canary2x7Qm4Vt9",))
    assert "Canary" not in str(told)
