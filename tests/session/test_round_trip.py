"""Settings, cells, Python, httpx, curl and JSON: every form of a call becomes every other and sends the same."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout, suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

import cometnb
from cometnb.client.server import running_server
from cometnb.errors import CometError
from cometnb.protocol.request import prepare
from cometnb.session.cell_line import parsed
from cometnb.session.cell_request import cell_request
from cometnb.session.cell_text import cell_text
from cometnb.session.code_reader import read_code
from cometnb.session.export import FORMS, as_code
from cometnb.session.named_tools import toolbox_of
from cometnb.session.settings import Settings
from tests.magics.shells import shell_with_extension
from tests.needs import tool
from tests.session.requests_at_random import TEXTS, bodies


class _Trap(dict[str, Any]):
    """A notebook in which every word is a variable, and none is what a literal request means."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Any:
        return "the wrong thing"


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _sent(settings_: Settings, namespace: Mapping[str, Any]) -> dict[str, Any]:
    asked, toolbox = settings_.request(namespace)
    return prepare({**asked.params, **toolbox.offered()}).body


def _run_by_a_shell(cell: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """What `%%respond` makes of a cell after IPython's own changes to its text."""
    call = ast.parse(TransformerManager().transform_cell(cell)).body[0]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    magic, line, body = map(ast.literal_eval, call.value.args)
    assert magic == "respond"
    assert body
    arguments = parsed(line, namespace)
    asked = cell_request(arguments, body, namespace)
    return prepare({**asked.params, **toolbox_of(arguments.tools, namespace).offered()}).body


@settings(max_examples=50)
@given(bodies())
def test_settings_send_the_body_they_are_made_of(body: dict[str, Any]) -> None:
    """Whatever the notebook's variables are called."""
    assert _written(_sent(Settings.of_body(body), _Trap())) == _written(body)


@settings(max_examples=50)
@given(bodies())
def test_a_cell_run_by_a_shell_sends_the_body(body: dict[str, Any]) -> None:
    """Written, split and changed by IPython, read and filled in: the same request."""
    cell = cell_text(Settings.of_body(body))
    assert _written(_run_by_a_shell(cell, _Trap())) == _written(body)


@settings(max_examples=50)
@given(bodies())
def test_a_cell_reads_back_as_the_same_settings(body: dict[str, Any]) -> None:
    """Settings made of a body are what their cell says."""
    whole = Settings.of_body(body)
    assert _written(read_code(cell_text(whole)).as_json()) == _written(whole.as_json())


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=50)
@given(body=bodies())
def test_every_form_reads_back_as_the_body(form: str, body: dict[str, Any]) -> None:
    """A body written as code is read as the same body."""
    assert _written(_sent(read_code(as_code(body, form)), _Trap())) == _written(body)


_LINKS = ("https://example.org/a.png", "https://example.org/-m b.png")
_TEMPLATES = st.lists(
    st.sampled_from(["{{x}}", "{{ {1: {2: 3}} }}", '{{"}}"}}', "\\{{", "{{f(\n1)}}", "{ ", "\\{{{{x}}"])
    | TEXTS.map(lambda text: text.replace("{{", "\\{{").replace("{", "").rstrip("\\")),
    max_size=5,
).map("".join)


@given(_TEMPLATES, _TEMPLATES, st.booleans(), st.lists(st.sampled_from(_LINKS), max_size=2))
def test_a_template_stays_a_template(prompt: str, instructions: str, is_raw: bool, images: list[str]) -> None:
    """A prompt and instructions with expressions send the same through a cell, with the values filled in."""
    namespace = {"x": "value {{y}} \n", "f": lambda one: f"<{one}>", "low": "no"}
    params = {"model": "m", "instructions": instructions}
    one = Settings(prompt=f"{prompt}.", params=params, is_raw=is_raw, images=tuple(images))
    cell = cell_text(one)
    assert _written(_run_by_a_shell(cell, namespace)) == _written(_sent(one, namespace))
    assert _written(_sent(read_code(cell, namespace), namespace)) == _written(_sent(one, namespace))


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[bytes]]]:
    """The simulator on loopback: its base URL, and the bytes of every request for a response."""
    with running_server(tokens_per_s=None) as one:
        received: list[bytes] = []
        handle = one.engine.handle

        def noted(request: Any) -> Any:
            if request.method == "POST":
                received.append(request.body)
            return handle(request)

        # Only listened to: the engine keeps what it read, and here the bytes themselves count.
        one.engine.handle = noted  # type: ignore[method-assign]
        yield one.base_url, received


_KEY = "sk-test0000000"


def _run(code: str) -> None:
    """Run Python; that the simulator refuses a request it was sent is no fault of the code."""
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()):
        patch.setenv("COMETAPI_KEY", _KEY)
        with suppress(CometError, httpx.HTTPStatusError):
            exec(compile(code, "call.py", "exec"), names)  # noqa: S102  # that it runs is what is tested
    if "client" in names:
        names["client"].close()


@pytest.mark.filterwarnings("ignore::cometnb.errors.CometWarning")
@settings(max_examples=30)
@given(body=bodies())
def test_exported_python_sends_the_bytes_of_the_client(
    server: tuple[str, list[bytes]], body: dict[str, Any]
) -> None:
    """What a panel's client sends and what its exported Python sends are the same bytes."""
    base_url, received = server
    asked, toolbox = Settings.of_body(body).request({})
    params = {**asked.params, **toolbox.offered()}
    prompt = params.pop("input")
    with cometnb.Client(api_key=_KEY, base_url=base_url) as client, suppress(CometError):
        list(client.stream(prompt, **params))
    sent = json.loads(received[-1])
    _run(as_code(sent, "python", base_url=base_url))
    assert received[-1] == received[-2]


@settings(max_examples=30)
@given(body=bodies())
def test_exported_httpx_sends_the_body_in_its_order(
    server: tuple[str, list[bytes]], body: dict[str, Any]
) -> None:
    """The same JSON, with its keys in the same order."""
    base_url, received = server
    _run(as_code(body, "httpx", base_url=base_url))
    assert json.dumps(json.loads(received[-1])) == json.dumps(body)


@settings(max_examples=15)
@given(body=bodies())
def test_exported_curl_sends_the_body_in_its_order(
    server: tuple[str, list[bytes]], body: dict[str, Any]
) -> None:
    """The same JSON, with its keys in the same order, through a real shell."""
    base_url, received = server
    tool("curl")
    code = as_code(body, "curl", base_url=base_url)
    env = {**os.environ, "COMETAPI_KEY": _KEY}
    subprocess.run([tool("bash"), "-c", code], env=env, capture_output=True, check=True, timeout=60)
    assert json.dumps(json.loads(received[-1])) == json.dumps(body)


def test_a_shell_runs_written_cells() -> None:
    """IPython itself, with the extension loaded, sends what the settings say."""
    nasty = {
        "model": "gpt-5.4",
        "input": "Say {{x}}:\n>>> 1\r\n\x85\u2028 'it''s' \\{{ \n",
        "instructions": "x",
        "max_output_tokens": 16,
        "metadata": {"a.b": "it's\n"},
        "future": {"": [None, 1.0, True]},
    }
    listed = {"model": "gpt-5.4", "input": [{"role": "user", "content": "{{x}}"}], "max_output_tokens": 16}
    with shell_with_extension() as shell:
        shell.ip.user_ns |= {"x": "the wrong thing", "y": "filled in"}
        for body in (nasty, listed):
            assert shell.run(cell_text(Settings.of_body(body))).error_in_exec is None
            sent = dict(shell.shared.simulator.requests[-1])
            assert sent.pop("stream") is True
            assert _written(sent) == _written(body)
        shown = Settings(prompt="\r{{y}}", params={"model": "gpt-5.4", "instructions": "{{y}}\n!"})
        assert shell.run(cell_text(shown)).error_in_exec is None
        assert shell.shared.simulator.requests[-1]["input"] == "\rfilled in"
        assert shell.shared.simulator.requests[-1]["instructions"] == "filled in\n!"


def test_the_last_call_is_shown_as_a_cell() -> None:
    """`%comet code cell` writes the cell that asks the same again."""
    with shell_with_extension() as shell:
        shell.run("%%respond -m gpt-5.4 -n 16 --set future=1\nHi \\{{x}}")
        sent = shell.shared.simulator.requests[-1]
        shell.run("%comet code cell")
        cell = shell.displays[-1]["data"]["text/plain"]
        assert cell == "%%respond -m gpt-5.4 -n 16 --set future=1 --raw\nHi {{x}}"
        shell.run(cell)
        assert shell.shared.simulator.requests[-1] == sent
