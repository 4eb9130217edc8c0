"""The local server, asked by clients that others wrote."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from cometnb.client.server import LocalServer, running_server, serve
from cometnb.errors import ConfigError

_REQUEST: dict[str, Any] = {"model": "gpt-5.4", "input": "What is a monad?"}
_STREAM = {**_REQUEST, "stream": True}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """One server for all tests that do not change it."""
    with running_server(seed=1) as running:
        yield running


@pytest.fixture
def sdk(server: LocalServer) -> Iterator[openai.OpenAI]:
    """The SDK most people use, pointed at the server."""
    with openai.OpenAI(api_key="sk-made-up-key", base_url=server.base_url, max_retries=0) as client:
        yield client


def _until_idle(server: LocalServer) -> bool:
    """Wait for the server to notice that its clients are gone; it ends as soon as that is so."""
    ends_at = time.monotonic() + 30
    while server.open_streams and time.monotonic() < ends_at:
        time.sleep(0.005)
    return server.open_streams == 0


def test_the_sdk_gets_a_response(sdk: openai.OpenAI) -> None:
    """Text, reasoning item and usage are where it expects them."""
    response = sdk.responses.create(model="gpt-5.4", input="What is a monad?", reasoning={"effort": "high"})
    assert response.status == "completed"
    assert "no model was asked" in response.output_text
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens > 300
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


def test_the_sdk_iterates_typed_events(sdk: openai.OpenAI) -> None:
    """Its deltas joined are the text of the last event."""
    text, last = "", None
    for event in sdk.responses.create(model="gpt-4.1", input="What is a monad?", stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
        last = event
    assert last is not None
    assert last.type == "response.completed"
    assert last.response.output_text == text


def test_the_sdks_accumulating_helper_ends_with_the_same_text(sdk: openai.OpenAI) -> None:
    """It builds the response from the events and would stumble over a wrong one."""
    with sdk.responses.stream(model="gpt-5.4", input="Hi", reasoning={"summary": "auto"}) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_response()
    assert "response.reasoning_summary_text.delta" in kinds
    assert final.output_text.startswith(("This is the simulator", "You are talking to", "Here speaks"))


def test_the_asynchronous_sdk_streams(server: LocalServer) -> None:
    """Several streams side by side each get their own text."""

    async def text_of(client: openai.AsyncOpenAI, prompt: str) -> str:
        stream = await client.responses.create(model="gpt-4.1", input=prompt, stream=True)
        return "".join([event.delta async for event in stream if event.type == "response.output_text.delta"])

    async def work() -> list[str]:
        async with openai.AsyncOpenAI(api_key="sk-made-up-key", base_url=server.base_url) as client:
            return await asyncio.gather(*(text_of(client, f"prompt-{n}") for n in range(8)))

    for number, text in enumerate(asyncio.run(work())):
        assert f"`prompt-{number}`" in text


def test_the_sdk_sees_an_incomplete_response(sdk: openai.OpenAI) -> None:
    """With the reason, streamed or not."""
    body = sdk.responses.create(model="gpt-4.1", input="Hi", max_output_tokens=16)
    *_, last = sdk.responses.create(model="gpt-4.1", input="Hi", max_output_tokens=16, stream=True)
    assert last.type == "response.incomplete"
    for response in (body, last.response):
        assert response.status == "incomplete"
        assert response.incomplete_details is not None
        assert response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("400", openai.BadRequestError),
        ("401", openai.AuthenticationError),
        ("403", openai.PermissionDeniedError),
        ("404", openai.NotFoundError),
        ("429", openai.RateLimitError),
        ("500", openai.InternalServerError),
        ("503:model_not_found", openai.InternalServerError),
        ("cut", openai.APIConnectionError),
    ],
)
def test_the_sdk_maps_each_error(sdk: openai.OpenAI, fault: str, error: type[openai.APIError]) -> None:
    """Status by status, and a broken connection as one."""
    with pytest.raises(error):
        sdk.responses.create(model="gpt-5.4", input="Hi", metadata={"simulate": fault})


def test_the_sdk_names_code_and_request(sdk: openai.OpenAI) -> None:
    """An unknown model says so."""
    with pytest.raises(openai.NotFoundError, match=r"request id: [0-9a-f]{24}") as caught:
        sdk.responses.create(model="gpt-unheard-of", input="Hi")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_the_sdk_retries_what_is_over_after_a_while(server: LocalServer) -> None:
    """One refusal, then the answer; both requests were seen."""
    before = len(server.requests)
    with openai.OpenAI(api_key="sk-made-up-key", base_url=server.base_url, max_retries=1) as client:
        simulate = {"simulate": "429:times=1,retry_after=0"}
        assert (
            client.responses.create(model="gpt-5.4", input="Again?", metadata=simulate).status == "completed"
        )
    assert len(server.requests) - before == 2


def test_the_sdk_retrieves_lists_and_deletes(sdk: openai.OpenAI) -> None:
    """What the service keeps can be asked for by id."""
    response = sdk.responses.create(model="gpt-4.1", input="Keep this")
    assert sdk.responses.retrieve(response.id).output_text == response.output_text
    (item,) = sdk.responses.input_items.list(response.id).data
    assert item.to_dict()["content"] == [{"type": "input_text", "text": "Keep this"}]
    sdk.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError):
        sdk.responses.retrieve(response.id)


def test_the_sdk_waits_for_and_cancels_a_background_response() -> None:
    """One that takes for ever is cancelled while it runs."""
    with (
        running_server(tokens_per_s=0.001) as server,
        openai.OpenAI(api_key="sk-made-up-key", base_url=server.base_url, max_retries=0) as client,
    ):
        waiting = client.responses.create(model="gpt-4.1", input="Slowly", background=True)
        assert (waiting.status, client.responses.retrieve(waiting.id).status) == ("queued", "in_progress")
        assert client.responses.cancel(waiting.id).status == "cancelled"


def test_the_sdk_lists_the_models(sdk: openai.OpenAI) -> None:
    """The default model is among them."""
    assert "gpt-5.4" in {model.id for model in sdk.models.list()}


def test_a_cut_closes_the_socket_inside_an_event(server: LocalServer) -> None:
    """What came before is there; then the chunked body breaks."""
    body = {**_STREAM, "metadata": {"simulate": "cut"}}
    got: list[bytes] = []
    with (
        httpx.stream("POST", f"{server.base_url}/responses", json=body) as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        got.extend(answer.iter_raw())
    assert b"response.output_text.delta" in b"".join(got)
    assert not b"".join(got).endswith(b"\n\n")


def test_an_early_end_is_a_clean_one(server: LocalServer) -> None:
    """The body ends as it should; the events do not."""
    answer = httpx.post(f"{server.base_url}/responses", json={**_STREAM, "metadata": {"simulate": "eof"}})
    assert answer.content.endswith(b"\n\n")
    assert b"response.completed" not in answer.content


@pytest.mark.parametrize("settings", [{"tokens_per_s": 0.01}, {"first_token_s": 3600.0}, {"fault": "stall"}])
def test_a_client_that_goes_away_ends_the_work(settings: dict[str, Any]) -> None:
    """Whatever the stream is waiting for."""
    with running_server(**settings) as server:
        with httpx.stream("POST", f"{server.base_url}/responses", json=_STREAM, timeout=60) as answer:
            chunks = answer.iter_raw()
            next(chunks)
            assert server.open_streams == 1
        assert _until_idle(server)


def test_a_server_stops_with_a_stream_still_open() -> None:
    """Leaving the block does not wait for clients."""
    with running_server(fault="stall") as server:
        client = httpx.Client(timeout=60)
        answer = client.send(
            client.build_request("POST", f"{server.base_url}/responses", json=_STREAM), stream=True
        )
        chunks = answer.iter_raw()
        next(chunks)
    assert server.open_streams == 0
    answer.close()
    client.close()


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1/responses/resp_none"])
def test_what_is_not_there_is_an_error_in_json(server: LocalServer, path: str) -> None:
    """Not a web page of the server software, and no word about that software."""
    answer = httpx.get(server.base_url.removesuffix("/v1") + path)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "comet_api_error")
    assert "server" not in answer.headers


def test_settings_may_change_while_it_runs() -> None:
    """The engine is at hand."""
    with running_server(text="one") as server:
        server.engine.text = "two"
        answer = httpx.post(f"{server.base_url}/responses", json=_REQUEST).json()
        assert answer["output"][1]["content"][0]["text"] == "two"


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.2", "example.org", ""])
def test_a_host_that_others_can_reach_is_refused(host: str) -> None:
    """Two lines: the fact and what to use instead."""
    for start in (lambda: serve(host=host), lambda: running_server(host=host).__enter__()):
        with pytest.raises(ConfigError) as caught:
            start()
        assert repr(host) in caught.value.fact
        assert "127.0.0.1" in caught.value.next_step


def test_a_port_that_is_taken_is_named() -> None:
    """The error does not stay in the server's thread."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Port {port} ") as caught, running_server(port):
            pass
        assert caught.value.next_step


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_cannot_be_is_named(port: int) -> None:
    """Out of bounds is a settings error too."""
    with pytest.raises(ConfigError, match=f"Port {port} "):
        serve(port)


def test_serving_ends_quietly_when_interrupted() -> None:
    """In a process of its own it answers, and ends with status 0 and nothing on stderr."""
    program = (
        "from cometnb.client.server import serve\n"
        "serve(text='hello', ready=lambda base_url: print(base_url, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        assert httpx.get(f"{base_url}/nothing").status_code == 404
        assert httpx.post(f"{base_url}/responses", json=_REQUEST).json()["status"] == "completed"
        process.send_signal(2)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
