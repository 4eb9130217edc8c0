"""Recordings of other programs, as a cassette."""

from __future__ import annotations

import json
import re
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from cometnb.__main__ import main
from cometnb.client.cassette import Cassette
from cometnb.client.cassette.vcr import import_recordings
from cometnb.client.client import Client
from cometnb.errors import ConfigError, MissingExtraError, RateLimitError
from tests.client.cassette.recordings import lines_of, replaying
from tests.client.transports import KEY, at_once
from tests.corpus import Recording, bodies, streams

_FOLDER = Path(__file__).parent / "vcr"


def _imported(tmp_path: Path, *names: str) -> Path:
    path = tmp_path / "c.jsonl"
    import_recordings([_FOLDER / name for name in names], path)
    return path


def test_vcr_of_python(tmp_path: Path) -> None:
    """A stream, and a compressed body that follows it; other services are left out."""
    path = tmp_path / "c.jsonl"
    assert import_recordings([_FOLDER / "python.yaml"], path) == (2, 1)
    client = replaying(path)
    first = client.respond("Name a comet.", stream=True)
    assert (first.output_text, first.usage.total_tokens, first.request_id) == ("Halley.", 3000, "req_1")
    assert client.respond("Another?", previous_response_id=first.id).id == "resp_2"
    assert first.recorded is not None
    assert first.recorded.cost_usd is not None


def test_vcr_of_ruby(tmp_path: Path) -> None:
    """An error with its wait, a body in base64, and the time of recording."""
    path = _imported(tmp_path, "ruby.yml")
    once = Client(transport=Cassette(path), max_retries=0)
    with pytest.raises(RateLimitError, match="Slow down") as caught:
        once.respond("Name a comet.")
    assert caught.value.retry_after_s == 3
    recorded = once.respond("Two.").recorded
    assert recorded is not None
    assert recorded.at == "2026-03-05T10:00:01Z"


def test_vcr_of_go(tmp_path: Path) -> None:
    """Its fields have other names."""
    assert replaying(_imported(tmp_path, "go.yaml")).respond("Name a comet.").id == "resp_3"


def test_json_needs_no_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML does, and says which."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    loaded = {
        "interactions": [_interaction("Hi", b'{"object": "response", "id": "r"}', "application/json", 200)]
    }
    (tmp_path / "a.json").write_text(json.dumps(loaded))
    import_recordings([tmp_path / "a.json"], tmp_path / "c.jsonl")
    assert replaying(tmp_path / "c.jsonl").respond("Hi").id == "r"
    with pytest.raises(MissingExtraError, match=re.escape("cometnb[vcr]")):
        _imported(tmp_path, "go.yaml")


def test_no_key_and_no_account_comes_along(tmp_path: Path) -> None:
    """Of the request's headers nothing is kept, of the answer's what a client reads."""
    text = _imported(tmp_path, "python.yaml", "ruby.yml").read_text("utf-8")
    assert not re.search("canary|OPENAI_API_KEY|org-1|session=1", text)


def test_the_command_says_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And refuses a cassette that holds calls, unless it is to begin anew."""
    to = str(tmp_path / "c.jsonl")
    file = str(_FOLDER / "python.yaml")
    assert main(["import", file, "--to", to]) == 0
    assert capsys.readouterr().out == f"{to} holds 2 calls. Left out: 1 that are none of the Responses API.\n"
    assert main(["import", file, "--to", to]) == 2
    assert "holds 2 recorded calls already" in capsys.readouterr().err
    assert main(["import", str(_FOLDER / "go.yaml"), "--to", to, "--new"]) == 0
    assert len(lines_of(tmp_path / "c.jsonl", "request")) == 1


_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "is no YAML"),
        ("- 1", "is no recording"),
        ("interactions: 5", "is no recording"),
        ("interactions: [5]", "call 1, is no recorded call"),
        ("interactions: [{request: {method: POST}, response: {status: 200}}]", "call 1, is no recorded call"),
        ("interactions: [{request: {method: P, uri: /responses}, response: {status: 7}}]", "status 7"),
        ("interactions: [{request: {method: [P], uri: /responses}, response: {status: 200}}]", "method"),
        (
            "interactions: [{request: {method: P, uri: 'http://[/responses'}, response: {status: 200}}]",
            "call 1",
        ),
        ("interactions: [{request: {method: P, uri: /responses}, response: {status: ''}}]", "call 1"),
        ("interactions: !!python/object/apply:os.getcwd []", "is no YAML"),
        ("interactions: !!timestamp no moment", "is no YAML"),
        (_BOMB + "interactions: [*a11]", "stands for more than"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str, words: str) -> None:
    """Nothing in it is run, and what would grow without end is not."""
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        import_recordings([tmp_path / "a.yaml"], tmp_path / "c.jsonl")
    assert not (tmp_path / "c.jsonl").exists()


@pytest.mark.parametrize("content", ['{"temperature": NaN}', '{"temperature": 1e999}', '{"a": 1, "a": 2}'])
def test_a_request_that_is_no_json_is_kept_as_text(tmp_path: Path, content: str) -> None:
    """Nor would a cassette with it be: it could not be written, or not be read again."""
    request = {"method": "POST", "uri": "https://h/v1/responses/a b", "body": content}
    call = {"request": request, "response": {"status": 200, "body": "{}"}}
    (tmp_path / "a.json").write_text(json.dumps({"interactions": [call]}))
    assert import_recordings([tmp_path / "a.json"], tmp_path / "c.jsonl").n_calls == 1
    (told,) = lines_of(tmp_path / "c.jsonl", "request")
    assert (told["request"], told["body"]) == ("POST /responses/a%20b", content)
    assert len(Cassette(tmp_path / "c.jsonl")) == 1


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read"):
        import_recordings([tmp_path / "none.yaml"], tmp_path / "c.jsonl")


def _interaction(prompt: str, body: bytes, content_type: str, status: int) -> dict[str, Any]:
    asked = {"model": "gpt-5.4", "input": prompt}
    try:
        told: Any = body.decode()
    except UnicodeDecodeError:
        told = body
    return {
        "request": {
            "method": "POST",
            "uri": "https://api.openai.com/v1/responses",
            "body": json.dumps(asked),
            "headers": {"authorization": [f"Bearer {KEY}"]},
        },
        "response": {
            "status": {"code": status, "message": ""},
            "headers": {"Content-Type": [content_type]},
            "body": {"string": told},
        },
    }


def _of_vcr(recordings: list[Recording]) -> list[Recording]:
    """Those whose source is a VCR file, by the manifest."""
    return [one for one in recordings if str(one.row.get("path", "")).endswith((".yaml", ".yml"))]


def test_recorded_traffic_comes_through_a_cassette(tmp_path: Path) -> None:
    """Every stream and body that others recorded with VCR folds into the same answer as without the detour."""
    found = _of_vcr([*streams(), *bodies()])[::4]
    if not found:
        pytest.skip("needs the recorded traffic in ../shared/corpus, which is not part of a clone")
    interactions = [
        _interaction(
            one.name,
            one.path.read_bytes(),
            "text/event-stream" if one.is_stream else "application/json",
            one.http_status or 200,
        )
        for one in found
    ]
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"interactions": interactions, "version": 1}), "utf-8")
    assert import_recordings([tmp_path / "a.yaml"], tmp_path / "c.jsonl").n_calls == len(found)
    client = replaying(tmp_path / "c.jsonl")
    at_once(client)
    n_compared = 0
    for one in found:
        consensus = json.loads(Path(f"{one.path}.expected.json").read_text("utf-8")).get("consensus", {})
        if consensus.get("agree") and consensus.get("status") == "completed":
            n_compared += 1
            assert client.respond(one.name).output_text == consensus["output_text"], one.name
    assert n_compared > len(found) / 3


def test_there_is_such_traffic() -> None:
    """Else the test above would say nothing."""
    every = list(chain(streams(), bodies()))
    assert not every or len(_of_vcr(every)) > 20
