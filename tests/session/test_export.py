"""A call as code: what it says, and what reaches a server when it really runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.server import LocalServer, running_server
from cometnb.session.export import FORMS, as_code
from tests.needs import ROOT, tool

_KEY = "sk-canary1234567"

_NASTY = [
    "plain",
    'It\'s "both" quotes, `ticks`, $HOME $(id) ${x} and !!',
    "back\\slash \\n \\' and a trailing \\",
    "two\nlines\n\nand\ttabs\r\n",
    "ünïcödé ❤ 漢字 \u2028 \u202e",
    "'''\n\"\"\"\n```python\nx = {{1}}\n```\nJSON\n",
    "@file %s %% {} {0} <<'JSON'",
]
_BODY: dict[str, Any] = {
    "model": "gpt-5.4",
    "instructions": 'Don\'t $shout \\ "ever".',
    "reasoning": {"effort": "none"},
    "max_output_tokens": 64,
    "store": False,
    "metadata": {"a": "it's"},
    "future_field": {"list": [1, None, True, 0.5, "x"]},
    "class": 1,
}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """The simulator on loopback."""
    with running_server() as one:
        yield one


def _run(code: str, form: str, folder: Path, base_url: str) -> str:
    """Run code as a user would, from a file or pasted into a shell, and return what it printed."""
    env = os.environ | {"COMETAPI_KEY": _KEY, "COMETAPI_BASE_URL": base_url, "PYTHONPATH": str(ROOT)}
    file = folder / "call.txt"
    file.write_text(code, encoding="utf-8", newline="\n")
    program = [tool("bash")] if form == "curl" else [sys.executable]
    if form == "curl":
        tool("curl")
    done = subprocess.run(
        [*program, str(file)], env=env, cwd=folder, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("form", ["python", "httpx", "curl"])
def test_the_code_sends_the_body(form: str, server: LocalServer, tmp_path: Path) -> None:
    """Whatever stands in the prompt, the server gets the same request; the answer is printed."""
    for prompt in _NASTY:
        body = {**_BODY, "input": prompt}
        printed = _run(as_code(body, form, base_url=server.base_url), form, tmp_path, server.base_url)
        assert server.requests[-1] == body
        assert "simulator" in printed


@pytest.mark.parametrize("form", ["python", "httpx", "curl"])
def test_a_stream_stays_a_stream(form: str, server: LocalServer, tmp_path: Path) -> None:
    """A body that streams becomes code that reads a stream."""
    body = {**_BODY, "input": "Hi", "stream": True}
    printed = _run(as_code(body, form, base_url=server.base_url), form, tmp_path, server.base_url)
    assert server.requests[-1] == body
    assert "simulator" in printed


@pytest.mark.parametrize("form", ["python", "curl"])
def test_an_attached_image_fits(form: str, server: LocalServer, tmp_path: Path) -> None:
    """Input items go out as they are, also if they are too long for an argument of a program."""
    parts = [
        {"type": "input_text", "text": "What's this?"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{'iVBORw0K' * 20_000}"},
    ]
    body = {"model": "gpt-5.4", "input": [{"role": "user", "content": parts}], "max_output_tokens": 64}
    _run(as_code(body, form, base_url=server.base_url), form, tmp_path, server.base_url)
    assert server.requests[-1] == body


def test_python_names_only_what_was_given() -> None:
    """The call as one would write it: the prompt first, then the parameters."""
    code = as_code({"model": "gpt-5.4", "input": "Hi", "temperature": 0.2}, "python")
    assert code == (
        "import cometnb\n\nclient = cometnb.Client()\nresponse = client.respond(\n"
        "    'Hi',\n    model='gpt-5.4',\n    temperature=0.2,\n)\nprint(response)"
    )


def test_a_field_the_checks_would_refuse_passes_as_a_further_field() -> None:
    """What --set forced through is forced through by the code, too."""
    body = {"model": "gpt-5.4", "input": "Hi", "temperature": 9, "top_p": 0.5}
    code = as_code(body, "python")
    assert "    top_p=0.5,\n    extra_body={'temperature': 9},\n" in code


@pytest.mark.parametrize("form", FORMS)
def test_a_key_in_a_prompt_is_masked(form: str) -> None:
    """Code is pasted into places where a key must not be."""
    code = as_code({"model": "gpt-5.4", "input": f"My key is {_KEY}"}, form)
    assert "canary" not in code


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
        max_size=4,
    ),
    st.text(max_size=40),
)
def test_any_body_survives_as_json_and_as_python(extra: dict[str, Any], prompt: str) -> None:
    """JSON reads back as the body, and Python is valid Python."""
    body = {**extra, "input": prompt, "model": "m"}
    if "sk-" not in json.dumps(body):
        assert json.loads(as_code(body, "json")) == body
    compile(as_code(body, "python"), "call", "exec")
    compile(as_code(body, "httpx"), "call", "exec")
