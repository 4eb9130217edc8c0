"""A cell that asks an odd gateway: text shown, row written, two lines if it failed, and nothing of our inside."""

from __future__ import annotations

import json

import pytest

from cometnb.errors import CometError, UnexpectedContentError
from tests.magics.gateway import running_gateway
from tests.magics.shells import Shell
from tests.protocol.streams import wire
from tests.protocol.test_gateway_shapes import SHAPES


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_ends_in_a_cell_and_a_row(
    shell: Shell, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text is shown and bound, and the row says how it ended and where its usage comes from."""
    events, status, usage = SHAPES[shape]
    monkeypatch.setenv("COMETAPI_KEY", "sk-canary1234567")
    with running_gateway(wire(events)) as base_url:
        shell.shared.configure(backend="api", base_url=base_url)
        error = shell.run("%%respond --tag odd\nHello").error_in_exec
    row = shell.shared.ledger.usage(tag="odd").iloc[-1]
    assert str(shell.ip.user_ns["_"]) == "Hello there"
    assert "Hello there" in shell.displays[-1]["data"]["text/markdown"]
    assert row["status"] == shell.ip.user_ns["_"].status == status
    unreported = "estimated" if status == "truncated" else "none"
    assert row["usage_source"] == ("reported" if usage else unreported)
    assert (error is None) == (status in ("completed", "incomplete"))
    if error is not None:
        assert isinstance(error, CometError)
        assert len(error._render_traceback_()) == 2
        if status == "failed":
            assert "no capacity" in str(error)
    assert "canary" not in json.dumps(shell.displays) + str(error)


def test_a_page_instead_of_an_api_says_so(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status, the content type, the likely cause, and the setting to check."""
    monkeypatch.setenv("COMETAPI_KEY", "sk-canary1234567")
    with running_gateway(b"<html><title>Log in</title></html>", "text/html; charset=utf-8") as base_url:
        shell.shared.configure(backend="api", base_url=base_url)
        error = shell.error("%%respond --tag page\nHello")
    assert isinstance(error, UnexpectedContentError)
    assert "web page" in str(error)
    assert "COMETAPI_BASE_URL" in str(error)
    assert shell.shared.ledger.usage(tag="page")["status"].tolist() == ["error"]
