"""A request whose answer is plain JSON ends with that JSON or an error."""

from __future__ import annotations

import pytest

from cometnb import errors
from cometnb.protocol.answer import Fault
from cometnb.protocol.lookup import Lookup
from tests.protocol.streams import head


def _received(status: int, data: bytes, **headers: str) -> Lookup:
    lookup = Lookup()
    lookup.receive(head(status, "application/json", **headers), data)
    return lookup


def test_a_lookup_begins_with_nothing() -> None:
    """Before the answer there is neither result nor error."""
    lookup = Lookup()
    assert (lookup.result, lookup.error, lookup.is_retriable, lookup.head) == (None, None, False, None)


def test_json_is_the_result() -> None:
    """A list of models is as good as a response."""
    lookup = _received(200, b'{"object": "list", "data": []}')
    assert lookup.result == {"object": "list", "data": []}
    assert lookup.error is None


@pytest.mark.parametrize("status", [404, 405])
def test_a_call_the_service_may_not_offer_says_so(status: int) -> None:
    """The next step names both likely causes, and nothing the error knew is lost."""
    lookup = _received(
        status, b'{"error": {"message": "no", "type": "t", "param": "id"}}', x_request_id="req_1"
    )
    error = lookup.error
    assert isinstance(error, errors.APIError)
    assert "POST /responses" in error.next_step
    assert (error.status_code, error.error_type, error.param, error.request_id) == (
        status,
        "t",
        "id",
        "req_1",
    )
    assert not lookup.is_retriable


def test_an_error_with_a_code_keeps_its_own_step() -> None:
    """What the service says precisely is not guessed at."""
    lookup = _received(404, b'{"error": {"message": "no", "code": "model_not_found"}}')
    assert type(lookup.error) is errors.ModelNotFoundError
    assert "client.models()" in lookup.error.next_step


def test_a_busy_service_may_be_asked_again() -> None:
    """Reading is safe to repeat."""
    assert _received(503, b"").is_retriable


@pytest.mark.parametrize(("kind", "retriable"), [("connect", True), ("broken", False)])
def test_a_fault_is_the_error(kind: str, retriable: bool) -> None:
    """What the wire did stands for the answer."""
    lookup = Lookup()
    lookup.fail(Fault(kind, "it broke"))
    assert isinstance(lookup.error, errors.ConnectionFailedError)
    assert lookup.is_retriable is retriable
