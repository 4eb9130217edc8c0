"""What a service sends instead of the stream that was to be taken up again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cometnb.protocol.resumed import ResumedExchange
from tests.protocol.streams import head, message


@pytest.mark.parametrize("status", [["completed"], {"a": 1}, 5, None])
def test_a_status_that_is_no_text_is_not_the_end(status: Any) -> None:
    """What had come before stays, as of any answer that is not finished."""
    exchange = ResumedExchange("resp_1", so_far={"id": "resp_1", "output": [message("So far")]})
    exchange.begin(head(200, "application/json"))
    exchange.receive_body(
        json.dumps({"id": "resp_1", "object": "response", "status": status, "output": []}).encode()
    )
    assert exchange.response().output_text == "So far"
