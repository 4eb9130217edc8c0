"""Errors about stored responses: a service without such a call, or one that does not know the id."""

from __future__ import annotations

import pytest

from cometnb import errors
from cometnb.protocol.failure import api_error, unexpected_content
from cometnb.protocol.offered import unoffered


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_service_without_the_call_is_named(status: int) -> None:
    """The class and what the error knew stay; its own words follow."""
    error = unoffered(
        api_error(status, "no such route", request_id="req_1"), "retrieval of responses", "resp_1"
    )
    assert isinstance(error, errors.APIError)
    assert error.fact.startswith("The service does not offer retrieval of responses")
    assert "no such route" in error.fact
    assert "POST /responses" in error.next_step
    assert (error.status_code, error.request_id) == (status, "req_1")


def test_doubt_is_said() -> None:
    """A bare 404 may mean either; one that names the path means the call."""
    bare = unoffered(api_error(404, {"detail": "Not Found"}), "retrieval of responses", "resp_1")
    path = unoffered(api_error(404, "Cannot GET /v1/responses/resp_1"), "retrieval of responses", "resp_1")
    assert isinstance(bare, errors.CometError)
    assert isinstance(path, errors.CometError)
    assert "or does not keep resp_1" in bare.fact
    assert "does not keep" not in path.fact


@pytest.mark.parametrize(
    "error",
    [
        api_error(404, {"error": {"message": "Response resp_1 not found"}}),
        api_error(404, {"error": {"message": "gone", "code": "not_found"}}),
        api_error(400, "no route"),
        api_error(500, "no route"),
        unexpected_content(502, "text/html", "<html>"),
        errors.ConnectionFailedError("No connection.", "Try again."),
    ],
)
def test_any_other_error_stays_as_it_is(error: errors.CometError) -> None:
    """It is about the id, the request or the moment."""
    assert unoffered(error, "retrieval of responses", "resp_1") is error


def test_a_page_is_no_retrieval() -> None:
    """A gateway answers what it does not know with its front page."""
    error = unoffered(unexpected_content(200, "text/html", "<html>"), "cancelling of responses", "resp_1")
    assert isinstance(error, errors.UnexpectedContentError)
    assert error.fact.startswith("The service does not offer cancelling of responses: HTTP 200")
