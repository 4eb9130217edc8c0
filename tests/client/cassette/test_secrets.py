"""A key that gets near a cassette does not get into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cometnb.client.cassette import Cassette
from cometnb.client.cassette.hiding import Hider, SplitKeys
from cometnb.client.cassette.tape import Piece
from cometnb.client.client import Client
from cometnb.client.simulator import Simulator
from cometnb.errors import APIError, masked
from tests.client.transports import KEY, Answer, Script, json_answer, sse, stream_answer, text_events

_OTHER = "gw_0123456789abcdef"  # of a gateway: it has no form that anybody knows
_PROMPT = f"My key is {KEY}, what now?"


def _sent(path: Path, transport: Any, *, key: str = KEY, **params: Any) -> str:
    """Ask once while it is recorded, and return the file."""
    with Client(key, transport=Cassette(path, "record", transport=transport), max_retries=0) as client:
        client.respond(**params)
    return path.read_text("utf-8")


@pytest.mark.parametrize(
    "params",
    [
        {"input": _PROMPT},
        {"input": "Hi", "instructions": _PROMPT},
        {"input": "Hi", "metadata": {"note": KEY, KEY: "note"}},
        {"input": "Hi", "prompt_cache_key": KEY, "extra_body": {"headers": {"x-key": KEY}}},
        {"input": [{"type": "function_call_output", "call_id": "call_1", "output": _PROMPT}]},
        {"input": "Hi", "tools": [{"type": "mcp", "server_label": "a", "authorization": KEY}]},
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_a_key_in_the_request(tmp_path: Path, params: dict[str, Any], *, stream: bool) -> None:
    """Wherever it stands, and whether the answer repeats it or not; and the recording is found all the same."""
    echo = ("You said ", _PROMPT, KEY[:9], KEY[9:])
    service = Script(
        stream_answer(*echo) if stream else json_answer({"object": "response", "output": [], "id": KEY})
    )
    path = tmp_path / "c.jsonl"
    assert "canary" not in _sent(path, service, stream=stream, **params)
    Client(transport=Cassette(path)).respond(stream=stream, **params)


def test_a_key_in_an_answer(tmp_path: Path) -> None:
    """In an error's text, in a header, in HTML, and in bytes that are no text."""
    for number, answer in enumerate(
        [
            json_answer({"error": {"message": f"Incorrect key {KEY}"}}, 401),
            Answer(401, {"content-type": "text/html"}, [f"<p>{KEY}</p>".encode()]),
            Answer(401, {"content-type": "image/png"}, [b"\xff" + KEY.encode()]),
            Answer(
                401, {"x-request-id": KEY, "set-cookie": f"a={KEY}", "openai-organization": "org-1"}, [b"{}"]
            ),
        ]
    ):
        path = tmp_path / f"{number}.jsonl"
        with pytest.raises(APIError):
            _sent(path, Script(answer), input="Hi")
        assert "canary" not in path.read_text("utf-8")
        assert "org-1" not in path.read_text("utf-8")


def test_account_headers_are_left_out(tmp_path: Path) -> None:
    """Only what a client reads is kept."""
    headers = {
        "content-type": "application/json",
        "x-request-id": "req_1",
        "retry-after-ms": "1500",
        "openai-organization": "org-1",
        "openai-project": "proj-1",
        "set-cookie": "session=1",
        "x-ratelimit-remaining-requests": "7",
        "cf-ray": "1",
        "date": "Mon, 01 Jan 2029 00:00:00 GMT",
    }
    text = _sent(tmp_path / "c.jsonl", Script(Answer(200, headers, [b'{"object":"response"}'])), input="Hi")
    (kept,) = (json.loads(line)["headers"] for line in text.splitlines() if line.startswith('{"answer"'))
    assert kept == {"content-type": "application/json", "x-request-id": "req_1", "retry-after": "1.5"}


def test_the_key_in_force_is_hidden_whatever_its_form(tmp_path: Path) -> None:
    """Also in pieces."""
    echo = stream_answer("Take ", _OTHER[:4], _OTHER[4:11], f"{_OTHER[11:]}.")
    text = _sent(tmp_path / "c.jsonl", Script(echo), key=_OTHER, input=f"{_OTHER}?", stream=True)
    assert "0123456789abcdef" not in text.replace('", "', "")
    deltas = [
        line["event"]["delta"]
        for line in map(json.loads, text.splitlines())
        if "delta" in line.get("event", {})
    ]
    assert "".join(deltas) == "Take sk-***."
    assert len(deltas) == 4


def test_a_key_that_comes_letter_by_letter(tmp_path: Path) -> None:
    """Nobody can put it together from the file, and every event is there."""
    echo = stream_answer("It is ", *KEY, " then.")
    text = _sent(tmp_path / "c.jsonl", Script(echo), input="Hi", stream=True)
    deltas = [
        line["event"]["delta"]
        for line in map(json.loads, text.splitlines())
        if "delta" in line.get("event", {})
    ]
    assert "".join(deltas) == "It is sk-*** then."
    assert len(deltas) == len(KEY) + 2
    assert text.count('{"event"') == len(echo.pieces)


def test_a_stream_under_another_content_type(tmp_path: Path) -> None:
    """Some gateways send one; a key in pieces is found there, too."""
    pieces = stream_answer("It is ", KEY[:8], KEY[8:], " then.").pieces
    path = tmp_path / "c.jsonl"
    text = _sent(
        path, Script(Answer(200, {"content-type": "application/json"}, pieces)), input="Hi", stream=True
    )
    assert KEY[8:] not in text
    assert Client(transport=Cassette(path)).respond("Hi", stream=True).output_text == "It is sk-*** then."


def _deltas(*texts: str, index: int = 0) -> list[Piece]:
    event = {"type": "response.output_text.delta", "output_index": index, "content_index": 0}
    return [Piece(0.0, "event", {**event, "delta": text}) for text in texts]


@given(
    st.lists(
        st.sampled_from(
            [*"sk-ri \\nu", "sk-", "sk-canary", "0123456789", "gw_0123", "456789abcdef", "\\n", "\\u00", "0a"]
        ),
        max_size=14,
    )
)
@settings(max_examples=200)
def test_pieces_give_what_the_whole_gives(texts: list[str]) -> None:
    """However a text is cut, its pieces together hide what the whole would, and none is lost."""
    keys = SplitKeys(Hider(_OTHER))
    out = [piece for text in texts for piece in keys.feed(_deltas(text)[0])] + list(keys.close())
    assert len(out) == len(texts)
    assert "".join(piece.value["delta"] for piece in out) == masked("".join(texts), _OTHER)


@pytest.mark.parametrize(
    ("texts", "hidden"),
    [
        (["a\\", "nsk-", "canary0123"], "a\\nsk-***"),
        (["a\\u00", "0ask-canary0123"], "a\\u000ask-***"),
        (["ris", "k-canary0123"], "risk-canary0123"),
        (["ri", "sk-ca", "nary0123"], "risk-canary0123"),
    ],
)
def test_what_stands_before_it_may_come_in_pieces(texts: list[str], hidden: str) -> None:
    """Behind an escape a key begins, as in the arguments of a function; inside of a word none does."""
    keys = SplitKeys(Hider())
    out = [piece for text in texts for piece in keys.feed(_deltas(text)[0])] + list(keys.close())
    assert "".join(piece.value["delta"] for piece in out) == hidden


def test_order_is_kept_while_a_piece_is_held_back() -> None:
    """What comes in between waits behind it."""
    keys = SplitKeys(Hider())
    first, second = _deltas("sk-abc", "defghijk "), Piece(0.0, "event", {"type": "other"})
    assert list(keys.feed(first[0])) == []
    assert list(keys.feed(second)) == []
    out = list(keys.feed(first[1]))
    assert [piece.value.get("delta") for piece in out] == ["sk-*** ", None, ""]


def test_words_that_only_look_like_it_stay() -> None:
    """A desk and a risk are no keys."""
    keys = SplitKeys(Hider())
    texts = ["ri", "sk-assessment", " on a de", "sk-top"]
    out = [piece for piece in _deltas(*texts) for piece in keys.feed(piece)] + list(keys.close())
    assert [piece.value["delta"] for piece in out] == texts


def test_an_audio_or_a_file_is_kept_by_its_hash(tmp_path: Path) -> None:
    """It may hold anything."""
    audio = {"type": "input_audio", "input_audio": {"data": "QUJD" * 200, "format": "wav"}}
    file = {
        "type": "input_file",
        "file_data": "data:application/pdf;base64," + "QUJD" * 200,
        "filename": "a.pdf",
    }
    path = tmp_path / "c.jsonl"
    text = _sent(path, Simulator(), input=[{"role": "user", "content": [audio, file]}])
    request = next(line for line in text.splitlines() if line.startswith('{"request"'))
    assert "QUJDQUJD" not in request
    assert request.count("sha256=") == 2


def test_the_answer_itself_is_untouched(tmp_path: Path) -> None:
    """What is recorded is not what is passed on."""
    path = tmp_path / "c.jsonl"
    service = Script(
        Answer(200, {"content-type": "text/event-stream"}, [sse(one) for one in text_events(KEY)])
    )
    with Client(KEY, transport=Cassette(path, "record", transport=service)) as client:
        assert client.respond("Hi", stream=True).output_text == KEY
    assert Client(transport=Cassette(path)).respond("Hi", stream=True).output_text == "sk-***"
