"""While it is recorded: nothing is lost to a crash, nothing is replaced, nobody writes between."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from cometnb.client.cassette import Cassette
from cometnb.client.client import AsyncClient, Client
from cometnb.client.simulator import Simulator
from cometnb.errors import CometWarning, ConfigError, StreamInterruptedError
from tests.client.asking import streamed
from tests.client.cassette.recordings import lines_of, recorded, replaying, said
from tests.client.transports import KEY, Answer, Script, json_answer, stream_answer
from tests.needs import ROOT

_SLOW = """
import sys
from cometnb import Cassette, Client, Simulator
simulator = Simulator()
client = Client(transport=Cassette(sys.argv[1], "record", transport=simulator))
client.respond("First.", max_output_tokens=16, reasoning={"effort": "none"})
simulator.tokens_per_s = 200
for event in client.stream("Then this.", reasoning={"effort": "none"}):
    print(event.type, flush=True)
"""


def test_a_kill_leaves_what_had_come(tmp_path: Path) -> None:
    """Killed in the middle of a stream: the call before is whole, and this one is replayed up to the kill."""
    path = tmp_path / "c.jsonl"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", _SLOW, str(path)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        n_deltas = 0
        for line in process.stdout:
            n_deltas += "output_text.delta" in line
            if n_deltas == 5:
                process.send_signal(signal.SIGKILL)
                break
    with pytest.warns(CometWarning, match="was cut"):
        client = replaying(path)
    first: dict[str, Any] = {"max_output_tokens": 16, "reasoning": {"effort": "none"}}
    assert client.respond("First.", **first).status == "incomplete"
    with pytest.raises(StreamInterruptedError) as caught:
        client.respond("Then this.", stream=True, reasoning={"effort": "none"})
    assert caught.value.response is not None
    assert caught.value.response.output_text


def test_a_file_that_holds_calls_is_not_recorded_over(tmp_path: Path) -> None:
    """Unless it is asked for; then it begins anew."""
    path = said(tmp_path / "c.jsonl", "One.")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="holds 1 recorded call already"):
        Cassette(path, "record")
    assert path.read_bytes() == before
    Cassette(path, "record", replace=True).close()
    assert [next(iter(line)) for line in lines_of(path)] == ["cassette"]


def test_only_a_cassette_is_replaced(tmp_path: Path) -> None:
    """A notebook that is named by mistake is not."""
    path = tmp_path / "work.ipynb"
    path.write_text('{"cells": []}\n')
    with pytest.raises(ConfigError, match="is no cassette"):
        Cassette(path, "record", replace=True)
    assert path.read_text() == '{"cells": []}\n'


def test_two_cannot_record_into_one_file(tmp_path: Path) -> None:
    """The second is told before it pays; when the first has let go, it may."""
    path = tmp_path / "c.jsonl"
    first = Cassette(path, "record")
    with pytest.raises(ConfigError, match="is being recorded by another kernel"):
        Cassette(path, "record")
    second = Client(KEY, transport=Cassette(path, "auto", transport=(service := Script(json_answer({})))))
    with pytest.raises(ConfigError, match="is being recorded"):
        second.respond("Hi")
    assert service.requests == []
    first.close()
    Cassette(path, "record").close()


def test_what_another_has_added_meanwhile_is_kept(tmp_path: Path) -> None:
    """The second goes on behind it."""
    path = said(tmp_path / "c.jsonl", "One.")
    late = Client(transport=Cassette(path, "auto", transport=Simulator(text="Three.")))
    recorded(path, lambda client: client.respond("Ho"), mode="auto", text="Two.")
    late.respond("He")
    late.close()
    client = replaying(path)
    assert [client.respond(text).output_text for text in ("Hi", "Ho", "He")] == ["One.", "Two.", "Three."]


def test_calls_side_by_side_stand_one_behind_the_other(tmp_path: Path) -> None:
    """However their events were mixed, a diff shows call by call; and all come again."""
    path = tmp_path / "c.jsonl"
    simulator = Simulator(tokens_per_s=5000)

    async def ask(client: AsyncClient) -> list[str]:
        async with client:
            asked = [
                client.respond(f"Question {n}", stream=True, reasoning={"effort": "none"}) for n in range(8)
            ]
            return [one.output_text for one in await asyncio.gather(*asked)]

    texts = asyncio.run(ask(AsyncClient(transport=Cassette(path, "record", transport=simulator))))
    kinds = "".join(next(iter(line))[0] for line in lines_of(path))
    assert kinds.count("r") == 8
    assert all(part.strip("e") == "a" for part in kinds.removeprefix("c").split("r")[1:])
    assert asyncio.run(ask(AsyncClient(transport=Cassette(path)))) == texts


def test_threads_share_a_cassette(tmp_path: Path) -> None:
    """Each call is whole."""
    path = tmp_path / "c.jsonl"
    with Client(transport=Cassette(path, "record", transport=Simulator())) as client:
        threads = [threading.Thread(target=client.respond, args=(f"Q{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(lines_of(path, "end")) == 8


def test_a_stream_that_was_stopped_ends_where_it_was(tmp_path: Path) -> None:
    """What had been read is there, and its end says that it is no whole answer."""
    path = tmp_path / "c.jsonl"
    client = Client(transport=Cassette(path, "record", transport=Simulator(events_per_chunk=1)))
    with client, client.stream("Hi", reasoning={"effort": "none"}) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                break
    (end,) = lines_of(path, "end")
    assert end["end"] == "left"
    with pytest.raises(StreamInterruptedError, match="had stopped reading"):
        replaying(path).respond("Hi", stream=True, reasoning={"effort": "none"})


def test_an_answer_is_not_lost_to_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on, with one warning."""
    path = tmp_path / "c.jsonl"
    cassette = Cassette(path, "record", transport=Script(stream_answer("Hello.")))
    n_written = 0

    def full(*_: object) -> None:
        nonlocal n_written
        n_written += 1
        if n_written > 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(cassette._recorder, "_put", full)
    with pytest.warns(CometWarning, match="No space left"):
        assert Client(KEY, transport=cassette).respond("Hi", stream=True).output_text == "Hello."


def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    """Before anything is asked."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be recorded into"):
        Cassette(tmp_path / "file" / "c.jsonl", "record")
    with pytest.raises(ConfigError, match="cannot be recorded into"):
        Cassette(tmp_path, "record")


def test_recording_needs_a_key(tmp_path: Path) -> None:
    """As any call of the API does, and is told when the client is made."""
    with pytest.raises(ConfigError, match="no API key"):
        Client(transport=Cassette(tmp_path / "c.jsonl", "record"))


def test_the_key_is_sent_when_it_is_needed(tmp_path: Path) -> None:
    """To a service that is recorded; never to the simulator."""
    service = Script(json_answer({"object": "response"}))
    Client(KEY, transport=Cassette(tmp_path / "a.jsonl", "record", transport=service)).respond("Hi")
    assert service.requests[0].headers["authorization"] == f"Bearer {KEY}"
    client = Client(KEY, transport=Cassette(tmp_path / "b.jsonl", "record", transport=Simulator()))
    assert client.setup.api_key == ""


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_answer_is_kept_as_it_reads(tmp_path: Path, encoding: str) -> None:
    """And passed on so."""
    import gzip
    import zlib

    data = b'{"object": "response", "id": "r"}'
    packed = gzip.compress(data) if encoding == "gzip" else zlib.compress(data)
    headers = {"content-type": "application/json", "content-encoding": encoding}
    path = tmp_path / "c.jsonl"
    with Client(
        KEY, transport=Cassette(path, "record", transport=Script(Answer(200, headers, [packed])))
    ) as client:
        assert client.respond("Hi").id == "r"
    assert replaying(path).respond("Hi").id == "r"


def test_a_cassette_goes_on_after_it_was_closed(tmp_path: Path) -> None:
    """A client that is made anew uses it again, and it goes on with its own file."""
    cassette = Cassette(tmp_path / "c.jsonl", "record", transport=Simulator())
    for prompt in ("One", "Two"):
        with Client(transport=cassette) as client:
            client.respond(prompt)
    assert len(lines_of(tmp_path / "c.jsonl", "request")) == 2


@pytest.mark.parametrize(("name", "value"), [("mode", "play"), ("pace", "slow"), ("after_last", "stop")])
def test_a_choice_that_does_not_exist_is_told(tmp_path: Path, name: str, value: Any) -> None:
    """With those that do."""
    with pytest.raises(ConfigError, match=f"{name}='{value}' is not one of"):
        Cassette(tmp_path / "c.jsonl", **{name: value})


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_it_cost_and_how_long_it_took_is_kept(tmp_path: Path, kind: str) -> None:
    """The replay itself costs nothing, and says what the recording did."""
    usage = {"input_tokens": 1_000_000, "output_tokens": 0, "total_tokens": 1_000_000}
    service = Script(stream_answer("Hello.", usage=usage))
    path = tmp_path / "c.jsonl"
    first = streamed(kind, Cassette(path, "record", transport=service)).response  # type: ignore[arg-type]
    again = streamed(kind, Cassette(path, pace="instant")).response  # type: ignore[arg-type]
    assert again.recorded is not None
    assert again.recorded.cost_usd == pytest.approx(first.cost.usd)
    assert first.cost.usd > 0
    assert (again.recorded.backend, again.backend, again.cost.usd) == ("api", "cassette", 0.0)
    assert again.recorded.duration_s is not None
    assert Cassette(path).recorded_usd == pytest.approx(first.cost.usd)
