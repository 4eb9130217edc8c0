"""What a service keeps: retrieve, cancel, delete, input items in pages, and the list of models."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cometnb import errors
from cometnb.client.client import AsyncClient, Client
from cometnb.client.simulator import Simulator
from tests.client.asking import Kind, both_kinds, called
from tests.client.transports import KEY, Answer, Script, body_of, json_answer

_BY_ID = ["retrieve", "cancel", "delete", "input_items"]


@both_kinds
@pytest.mark.parametrize(
    ("method", "verb", "path"),
    [
        ("retrieve", "GET", "/v1/responses/resp_1"),
        ("cancel", "POST", "/v1/responses/resp_1/cancel"),
        ("delete", "DELETE", "/v1/responses/resp_1"),
        ("input_items", "GET", "/v1/responses/resp_1/input_items"),
    ],
)
def test_each_has_its_path(kind: Kind, method: str, verb: str, path: str) -> None:
    """Verb and path are the API's, and white space around an id is dropped."""
    script = Script(json_answer(body_of() | {"data": []}))
    called(kind, method, " resp_1\n", transport=script)
    assert (script.requests[0].method, script.requests[0].url.path) == (verb, path)
    assert script.requests[0].headers["authorization"] == f"Bearer {KEY}"


@both_kinds
@pytest.mark.parametrize("method", _BY_ID)
@pytest.mark.parametrize(
    ("response_id", "quoted"),
    [
        ("a/b", b"a%2Fb"),
        ("a b?c=d#e", b"a%20b%3Fc%3Dd%23e"),
        ("../models", b"..%2Fmodels"),
        ("ünï", b"%C3%BCn%C3%AF"),
        ("100%", b"100%25"),
    ],
)
def test_an_id_stays_one_part_of_the_path(kind: Kind, method: str, response_id: str, quoted: bytes) -> None:
    """Whatever an id holds, it cannot lead elsewhere."""
    script = Script(json_answer(body_of() | {"data": []}))
    called(kind, method, response_id, transport=script)
    path = script.requests[0].url.raw_path.split(b"?")[0]
    assert path.removeprefix(b"/v1/responses/").split(b"/")[0] == quoted


@both_kinds
@pytest.mark.parametrize("method", _BY_ID)
@pytest.mark.parametrize("response_id", ["", " ", None, 7, ".", ".."])
def test_what_is_no_id_is_refused(kind: Kind, method: str, response_id: Any) -> None:
    """Nothing is sent: a blank id would ask for the list, a dotted one for something else."""
    script = Script(json_answer(body_of()))
    with pytest.raises(errors.ParamError, match="is no id") as caught:
        called(kind, method, response_id, transport=script)
    assert caught.value.param == "response_id"
    assert script.requests == []


@both_kinds
def test_a_stored_response_is_a_response(kind: Kind) -> None:
    """Retrieve gives text, status and usage as the first answer did."""
    simulator = Simulator()
    first = called(kind, "respond", "Hi", transport=simulator)
    again = called(kind, "retrieve", first.id, transport=simulator)
    assert again.raw == first.raw
    assert (again.output_text, again.status, again.backend) == (first.output_text, "completed", "simulator")


@both_kinds
def test_a_status_that_is_no_text_costs_no_stored_response(kind: Kind) -> None:
    """It is no end, so no duration is known; the answer is there."""
    body = {"id": "resp_1", "status": ["completed"], "created_at": 5, "completed_at": 9, "output": []}
    again = called(kind, "retrieve", "resp_1", transport=Script(json_answer(body)))
    assert again.id == "resp_1"
    assert again.timing.duration_s is None


@both_kinds
def test_a_deleted_response_is_gone(kind: Kind) -> None:
    """Delete acknowledges, and what is deleted is not found."""
    simulator = Simulator()
    response_id = called(kind, "respond", "Hi", transport=simulator).id
    assert called(kind, "delete", response_id, transport=simulator)["deleted"] is True
    with pytest.raises(errors.NotFoundError, match="HTTP 404"):
        called(kind, "retrieve", response_id, transport=simulator)


@both_kinds
def test_a_response_in_the_background_can_be_cancelled(kind: Kind) -> None:
    """Cancel gives the response with its new status."""
    simulator = Simulator(tokens_per_s=1)
    response = called(kind, "respond", "Hi", transport=simulator, background=True)
    assert response.status in ("queued", "in_progress")
    assert called(kind, "cancel", response.id, transport=simulator).status == "cancelled"


@both_kinds
def test_a_failed_response_is_retrieved_and_not_raised(kind: Kind) -> None:
    """Its error is its content."""
    failed = body_of(status="failed", error={"code": "server_error", "message": "out of memory"})
    response = called(kind, "retrieve", "resp_1", transport=Script(json_answer(failed)))
    assert (response.status, response.output_text) == ("failed", "Hello.")


def _page(ids: list[str], **fields: Any) -> Answer:
    return json_answer({"object": "list", "data": [{"id": name} for name in ids]} | fields)


@both_kinds
def test_input_items_come_from_every_page(kind: Kind) -> None:
    """Pages are asked for until there is none; each after the last id of the one before."""
    script = Script(
        _page(["a", "b"], has_more=True, last_id="b"),
        _page(["c"], has_more=True, last_id="c"),
        _page(["d"], has_more=False, last_id="d"),
    )
    items = called(kind, "input_items", "resp_1", transport=script)
    assert [item["id"] for item in items] == ["a", "b", "c", "d"]
    assert [request.url.params.get("after") for request in script.requests] == [None, "b", "c"]
    assert {request.url.params["limit"] for request in script.requests} == {"100"}


@both_kinds
def test_pages_without_a_last_id_go_on_after_their_last_item(kind: Kind) -> None:
    """A service that leaves out last_id loses nothing."""
    script = Script(_page(["a", "b"], has_more=True), _page(["c"], has_more=False))
    items = called(kind, "input_items", "resp_1", transport=script)
    assert [item["id"] for item in items] == ["a", "b", "c"]
    assert script.requests[1].url.params["after"] == "b"


@both_kinds
def test_a_service_that_never_ends_its_pages_does_not_hang(kind: Kind) -> None:
    """The same page again is the end."""
    script = Script(_page(["a"], has_more=True, last_id="a"))
    assert len(called(kind, "input_items", "resp_1", transport=script)) == 2


@both_kinds
def test_input_items_of_a_real_conversation(kind: Kind) -> None:
    """More items than fit a page come all."""
    simulator = Simulator()
    items = [{"role": "user", "content": f"Line {number}"} for number in range(130)]
    response = called(kind, "respond", items, transport=simulator)
    assert len(called(kind, "input_items", response.id, transport=simulator)) == 130


@both_kinds
@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": [{"no": "id"}, None, {"id": 7}]}])
def test_lists_are_read_tolerantly(kind: Kind, data: dict[str, Any]) -> None:
    """What is no list of models is none."""
    assert called(kind, "models", transport=Script(json_answer(data | {"object": "list"}))) == []


@both_kinds
def test_models_are_ids(kind: Kind) -> None:
    """In the order the service lists them."""
    script = Script(json_answer({"data": [{"id": "b"}, {"id": "a"}]}))
    assert called(kind, "models", transport=script) == ["b", "a"]
    assert script.requests[0].url.path == "/v1/models"


@both_kinds
@pytest.mark.parametrize("status", [404, 405])
def test_a_service_without_stored_responses_is_explained(kind: Kind, status: int) -> None:
    """A gateway may offer nothing but POST /responses."""
    script = Script(Answer(status, {"content-type": "text/plain"}, [b"no route"]))
    with pytest.raises(errors.APIError, match="POST /responses") as caught:
        called(kind, "retrieve", "resp_1", transport=script)
    assert len(str(caught.value).splitlines()) == 2


@both_kinds
@pytest.mark.parametrize("method", [*_BY_ID, "models"])
@pytest.mark.parametrize(
    "answer", [Answer(200, {"content-type": "text/html"}, [b"<html>"]), json_answer(None), json_answer([])]
)
def test_what_is_no_json_object_is_an_error(kind: Kind, method: str, answer: Answer) -> None:
    """A web page, null or a list instead of an object."""
    args = [] if method == "models" else ["resp_1"]
    with pytest.raises(errors.UnexpectedContentError):
        called(kind, method, *args, transport=Script(answer))


def test_a_context_manager_closes() -> None:
    """`with` and `async with` close the client's connections."""
    closed: list[str] = []

    class Closing(Script):
        def close(self) -> None:
            closed.append("sync")

        async def aclose(self) -> None:
            closed.append("async")

    async def run() -> None:
        async with AsyncClient(KEY, transport=Closing()):
            pass

    with Client(KEY, transport=Closing()):
        pass
    asyncio.run(run())
    assert closed == ["sync", "async"]
