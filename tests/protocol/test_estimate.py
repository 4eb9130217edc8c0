"""Estimated tokens of texts, requests and cut-off answers."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.protocol.estimate import estimated_input_tokens, estimated_tokens, estimated_usage
from cometnb.protocol.image_tokens import image_size, image_tokens
from tests.protocol.token_samples import SAMPLES, Sample

# Share by which a short text of its kind may be off; longer ones are off by less.
_BOUNDS = {
    "English": 0.13,
    "Japanese": 0.15,
    "Korean": 0.19,
    "Turkish": 0.11,
    "German": 0.12,
    "Chinese": 0.14,
    "JSON": 0.08,
    "Python": 0.08,
    "Markdown": 0.08,
    "CSV": 0.08,
}

# Any text at all, and texts whose ends are likely to grow together.
_TEXTS = st.text(st.characters(exclude_categories=()), max_size=60) | st.text(
    "aeIT' .,-_(1\n\t\rßあ漢한я🔥\ud83d\u0301", max_size=40
)
_IDS = [f"{sample.kind} {position}" for position, sample in enumerate(SAMPLES)]


@pytest.mark.parametrize("sample", SAMPLES, ids=_IDS)
def test_a_text_is_estimated_within_the_bound_of_its_kind(sample: Sample) -> None:
    """The true number is known."""
    assert estimated_tokens(sample.text) == pytest.approx(sample.n_tokens, rel=_BOUNDS[sample.kind])


def test_errors_of_many_texts_cancel_out() -> None:
    """A sum over texts of all kinds is closer than any one of them."""
    estimated = sum(estimated_tokens(sample.text) for sample in SAMPLES)
    assert estimated == pytest.approx(sum(sample.n_tokens for sample in SAMPLES), rel=0.03)


@given(_TEXTS)
def test_any_text_has_an_estimate(text: str) -> None:
    """Lone surrogates, control characters and unassigned ones included; only nothing is nothing."""
    assert (estimated_tokens(text) > 0) == bool(text)


@given(_TEXTS, _TEXTS)
def test_a_text_cut_in_two_costs_no_less(left: str, right: str) -> None:
    """But for one token at the cut: pieces of a stream may be added up."""
    assert estimated_tokens(left + right) <= estimated_tokens(left) + estimated_tokens(right) + 1


@given(_TEXTS, _TEXTS)
def test_a_longer_text_costs_no_less(left: str, right: str) -> None:
    """But for one token where the parts grow together, as a word with what follows its apostrophe does."""
    assert estimated_tokens(left + right) >= max(estimated_tokens(left), estimated_tokens(right)) - 1


@pytest.mark.parametrize(
    ("text", "n_tokens"),
    [
        ("", 0),
        ("The sea", 2),
        ("12345678", 3),
        ("1" * 300, 100),
        (" " * 64, 2),
        ("-" * 64, 2),
        ("don't", 1),
    ],
)
def test_plain_cases(text: str, n_tokens: int) -> None:
    """Digits go by threes, long repetitions are cheap, a contraction is a word."""
    assert estimated_tokens(text) == n_tokens


def test_data_in_base64_is_dear() -> None:
    """Text that is no language has fewer than three characters a token (o200k_base: 1.9 for these)."""
    encoded = base64.b64encode(bytes(range(7, 250)) * 3).decode()
    assert len(encoded) / 3 < estimated_tokens(encoded) < len(encoded) / 1.4


# Requests.


def test_a_short_request_is_its_text_and_what_wraps_it() -> None:
    """Three tokens and a role around the message, three that begin the answer."""
    assert estimated_input_tokens({"input": "The sea"}) == 9
    assert estimated_input_tokens({"input": [{"role": "user", "content": "The sea"}]}) == 9
    parts = [{"type": "input_text", "text": "The sea"}]
    assert estimated_input_tokens({"input": [{"role": "user", "content": parts}]}) == 9


def test_instructions_are_a_message_of_their_own() -> None:
    """They are sent with every call."""
    assert estimated_input_tokens({"input": "The sea", "instructions": "The sea"}) == 15


def test_calls_and_their_outputs_count() -> None:
    """Names, arguments and results are read by the model; ids are not."""
    call = {"type": "function_call", "call_id": "call_" + "x" * 500, "name": "add", "arguments": '{"a": 1}'}
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "one " * 50}
    assert 60 < estimated_input_tokens({"input": [call, output]}) < 90


def test_reasoning_that_is_sent_back_does_not_count() -> None:
    """Its encrypted text is for the service alone."""
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA" * 5_000}
    assert estimated_input_tokens({"input": [item, {"role": "user", "content": "The sea"}]}) == 9


def test_tools_and_schemas_count() -> None:
    """Every field, description and choice, also inside other fields."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "description": "The unit"}
        },
    }
    tool = {"type": "function", "name": "weather", "description": "Weather in a place", "parameters": schema}
    with_tool = estimated_input_tokens({"input": "Hi", "tools": [tool]})
    assert 40 < with_tool - estimated_input_tokens({"input": "Hi"}) < 60
    nested = {"type": "object", "properties": {"days": {"type": "array", "items": schema}}}
    deeper = estimated_input_tokens({"input": "Hi", "tools": [tool | {"parameters": nested}]})
    assert deeper > with_tool
    form = {"format": {"type": "json_schema", "name": "weather", "schema": nested}}
    assert estimated_input_tokens({"input": "Hi", "text": form}) > 40
    assert estimated_input_tokens({"input": "Hi", "text": {"format": {"type": "text"}}}) == 8


def test_an_image_counts_by_its_pixels_not_by_its_bytes() -> None:
    """Its data URL is no text."""
    part = {"type": "input_image", "image_url": _url(_png(1024, 1024), "image/png"), "detail": "high"}
    asked = {"model": "gpt-4o", "input": [{"role": "user", "content": [part]}]}
    assert estimated_input_tokens(asked) == 765 + 7
    part["detail"] = "low"
    assert estimated_input_tokens(asked) == 85 + 7


def test_a_text_file_counts_as_its_text_and_a_pdf_by_its_pages() -> None:
    """A file that cannot be seen has a stated assumption."""

    def tokens(**part: str) -> int:
        content = [{"type": "input_file", **part}]
        return (
            estimated_input_tokens({"model": "gpt-4o", "input": [{"role": "user", "content": content}]}) - 7
        )

    assert tokens(filename="a.csv", file_data=_url(b"The sea", "text/csv")) == 2
    pages = b"%PDF-1.7 " + b"<< /Type /Page >> << /Type/Page/Parent 1 0 R >> << /Type /Pages >>"
    one = 500 + image_tokens("gpt-4o", (1024, 1325), "high")
    assert tokens(filename="a.pdf", file_data=_url(pages, "application/pdf")) == 2 * one
    assert tokens(file_id="file-123") == 3_000
    assert tokens(filename="a.docx", file_data=_url(b"x" * 1_000, "application/octet-stream")) == 100


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "content", "input", "tools", "text", "format", "schema", "properties", "enum"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_a_request_of_a_wrong_form_is_no_error(value: Any) -> None:
    """Checking requests is somebody else's job."""
    params = {
        "model": value,
        "input": value,
        "instructions": value,
        "tools": value,
        "text": {"format": value},
    }
    assert estimated_input_tokens(params) >= 0
    assert estimated_usage(params, {"id": "resp_1", "output": value}).output_tokens is not None


def test_a_request_nested_beyond_reason_is_no_error() -> None:
    """Depth is no reason to fail after the answer has come."""
    deep: Any = "The sea"
    for _ in range(20_000):
        deep = [deep]
    assert estimated_input_tokens({"input": [{"role": "user", "content": deep}]}) == 9


# Answers.


def test_what_arrived_of_an_answer_is_its_output() -> None:
    """Text, refusal, arguments and shown reasoning; not what only the service wrote."""
    raw = {
        "id": "resp_1",
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "The sea"}]},
            {"type": "message", "content": [{"type": "output_text", "text": "The sea"}]},
            {"type": "message", "content": [{"type": "refusal", "refusal": "The sea"}]},
            {"type": "function_call", "name": "hello", "arguments": "12", "call_id": "call_1"},
            {"type": "image_generation_call", "result": "iVBOR" * 1_000},
        ],
    }
    usage = estimated_usage({"input": "The sea"}, raw)
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (9, 8, 17)
    assert usage.reasoning_tokens is None


def test_an_answer_that_had_begun_used_its_input() -> None:
    """The service read the prompt before it said that it had started."""
    usage = estimated_usage({"input": "The sea"}, {"id": "resp_1", "status": "in_progress", "output": []})
    assert (usage.input_tokens, usage.output_tokens) == (9, 0)


@pytest.mark.parametrize("raw", [{}, {"error": {"message": "no such model"}}])
def test_an_answer_that_never_began_used_nothing(raw: dict[str, Any]) -> None:
    """Nothing to estimate is falsy, not zero."""
    assert not estimated_usage({"input": "The sea"}, raw)


# Images.


@pytest.mark.parametrize(
    ("model", "size", "detail", "n_tokens"),
    [
        # Worked examples of the guide.
        ("gpt-4o", (1024, 1024), "high", 765),
        ("gpt-4o", (2048, 4096), "high", 1105),
        ("gpt-4o", (4096, 8192), "low", 85),
        ("openai/gpt-4.1-mini", (1024, 1024), "auto", 1659),
        ("gpt-5-mini", (1800, 2400), "high", 2353),
        # By the same rules.
        ("gpt-5", (512, 512), "high", 210),
        ("o3", (300, 300), "high", 225),
        ("gpt-5.4", (1024, 1024), "auto", 1229),
        ("gpt-5.4", (6000, 6000), "high", 3000),
        ("gpt-5.4", (640, 480), "low", 231),
        ("gpt-5.6-sol", (6400, 3200), "auto", 24000),
        ("grok-4.3", None, "auto", 765),
        ("", (1, 1), "auto", 255),
        ("gpt-5.4", (1, 1_000_000), "original", 226),
    ],
)
def test_images_cost_what_the_guide_says(
    model: str, size: tuple[int, int] | None, detail: str, n_tokens: int
) -> None:
    """By model, size and detail."""
    assert image_tokens(model, size, detail) == n_tokens


@given(
    st.sampled_from(["gpt-4o", "gpt-5.2", "gpt-5.4", "gpt-5.5", "o4-mini"]),
    st.integers(1, 50_000),
    st.integers(1, 50_000),
    st.sampled_from(["low", "high", "original"]),
)
def test_no_image_costs_more_than_its_budget(model: str, width: int, height: int, detail: str) -> None:
    """However long or thin it is."""
    assert 1 <= image_tokens(model, (width, height), detail) <= 12_000


def _jpeg(width: int, height: int) -> bytes:
    comment = b"\xff\xfe" + struct.pack(">H", 9_002) + b"x" * 9_000
    return b"\xff\xd8" + comment + b"\xff\xc2" + struct.pack(">HBHH", 17, 8, height, width) + b"\0" * 12


def _png(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def _webp(kind: bytes, rest: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + rest


def _url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    "data",
    [
        _png(300, 200),
        _jpeg(300, 200),
        b"GIF89a" + struct.pack("<HH", 300, 200) + b"\0" * 9,
        _webp(b"VP8X", b"\0" * 4 + (299).to_bytes(3, "little") + (199).to_bytes(3, "little")),
        _webp(b"VP8L", b"\x2f" + (299 | 199 << 14).to_bytes(4, "little")),
        _webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 300, 200)),
    ],
    ids=["png", "jpeg", "gif", "webp extended", "webp lossless", "webp lossy"],
)
def test_the_size_is_read_from_the_header(data: bytes) -> None:
    """Without a package for images."""
    assert image_size(_url(data, "image/any")) == (300, 200)


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b""]), st.binary(max_size=60)
)
def test_a_damaged_image_has_no_size(magic: bytes, rest: bytes) -> None:
    """Or some size, but it is no error."""
    size = image_size(_url(magic + rest, "image/png"))
    assert size is None or min(size) > 0


@pytest.mark.parametrize(
    "url", ["", "https://example.com/a.png", "data:image/png;base64,", "data:image/png,abc", "data:"]
)
def test_what_holds_no_image_has_no_size(url: str) -> None:
    """Then the assumption holds."""
    assert image_size(url) is None
