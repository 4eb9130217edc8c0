"""A key in the environment, and one pasted into prompts: neither is found in anything that a kernel writes or sends.

The environment's key has no form that anybody knows, so only who knows the key can hide it. The pasted one looks like
a key. It may stand where the user's own cells are kept, which is not for cometnb to change: in the message that echoes
a cell, in IPython's history, and in a notebook's sources, where the audit finds it.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter, MarkdownExporter, PythonExporter

from cometnb.client.server import running_server
from cometnb.panel.packing import unpacked
from tests.kernel.kernel_session import CellRun, KernelSession, running_kernel
from tests.loopback import served
from tests.needs import ROOT

_KEY = "gateway.Canary-1+4f9d27c6b08e/35a1"
_PASTED = "sk-Canary2x7Qm4Vt9Zp1Rw6Kb3"
_TEXT = f"My keys, line by line:\n{_PASTED}\nand typed as '\\n{_PASTED}', and in a header: Authorization: Bearer {_PASTED}"
_ARGUMENT = json.dumps(_TEXT)

_LOOK = f"""
import os
def look(word: str) -> str:
    "Look a word up."
    return {_ARGUMENT}
def fail(word: str) -> str:
    "Look another word up."
    raise ValueError(f"{{os.environ['PATH'][:0]}}" + {_ARGUMENT})
"""

# What is run, and the error that it ends with.
_ASKING = (
    (f"%%respond --tag {_PASTED}\n{_TEXT}", ""),
    (f"%%respond --no-stream -s {_ARGUMENT}\n{_TEXT}", ""),
    (f"%%respond --chat talk\n{_TEXT}", ""),
    ("%%respond --chat talk\nAnd now?", ""),
    ("%comet chats save talk talk.json", ""),
    ("%comet tree", ""),
    (_LOOK, ""),
    (f"%%respond --tools look,fail --chat tools\n{_TEXT}", ""),
    ("%comet chats save tools tools.json", ""),
    (f"%%respond --schema 'name, age int' --df people\n{_TEXT}", ""),
    (f"%%respond --background\n{_TEXT}", ""),
    (f"%%respond --code\n```python\n{_TEXT}\n```", ""),
    (f"cometnb.respond({_ARGUMENT})", ""),
    (f"cometnb.respond({_ARGUMENT}, temperature=7)", "ParamError"),
    (f"cometnb.respond('Hi', metadata={{'a': {_ARGUMENT} * 20}})", "ParamError"),
    (f"%comet key {_PASTED}", "CellError"),
    ("%comet last", ""),
    ("%comet", ""),
    ("%comet config", ""),
    ("%comet doctor", ""),
    ("repr(cometnb.defaults.shared.options), cometnb.defaults.shared.session.client", ""),
    ("client = cometnb.defaults.shared.session.client", ""),
    (
        "print(vars(client), vars(client._http), vars(cometnb.defaults.shared.session), vars(cometnb.defaults.shared), client._http.headers)",
        "",
    ),
    ("import copy, pickle\npickle.dumps(client.setup)", "ConfigError"),
    ("copy.deepcopy(cometnb.defaults.shared.options)", "ConfigError"),
    ("import faulthandler\nwith open('crash.txt', 'w') as file: faulthandler.dump_traceback(file)", ""),
)
_SHOWING = (
    *((f"%%respond --as {form} -s {_ARGUMENT}\n{_TEXT}", "") for form in ("python", "httpx", "curl", "json")),
    (f"%%respond --dry-run\n{_TEXT}", ""),
    (f'%%respond --dry-run --metadata \'{{"note": "{_PASTED}"}}\'\nHi', ""),
    *((f"%comet code {form}", "") for form in ("cell", "python", "httpx", "curl", "json")),
)
_RECORDING = (
    ("%comet record tape.jsonl", ""),
    (f"%%respond\n{_TEXT}", ""),
    (f"%%respond --tools look\n{_TEXT}", ""),
    ("%comet record stop", ""),
    ("%comet replay tape.jsonl", ""),
    (f"%%respond\n{_TEXT}", ""),
    (f"%%respond\nAnother text. {_TEXT}", "CassetteMissError"),
    ("%comet replay stop", ""),
)
_REFUSED = (
    (f"%%respond --chat refused\n{_TEXT}", "AuthenticationError"),
    ("%%respond --no-stream\nHi", "AuthenticationError"),
    ("cometnb.respond('Hi')", "AuthenticationError"),
    (
        """try:
    cometnb.respond('Hi')
except cometnb.CometError as error:
    print(vars(error), repr(error), error.code, error.request_id, error.response.raw, error.response.error)""",
        "",
    ),
    ("%comet models", "AuthenticationError"),
    ("%comet doctor", ""),
    ("%comet record refused.jsonl", ""),
    ("%%respond\nHi", "AuthenticationError"),
    ("%comet record stop", ""),
    (
        "cometnb.respond_frame(pd.DataFrame({'a': [1]}), 'Say {{a}}', checkpoint='refused.sqlite', progress=False)",
        "AuthenticationError",
    ),
)
# The whole traceback of an error, as it is shown and as it is asked for afterwards.
_WHOLE = (
    ("%config CometMagics.tracebacks = True", ""),
    ("cometnb.respond('Hi')", "AuthenticationError"),
    ("%tb", "AuthenticationError"),
    ("import sys, traceback\nprint(traceback.format_exception(sys.last_value))", ""),
    ("%config CometMagics.tracebacks = False", ""),
)
# A program that the user starts from the notebook, and what others of the machine see of it.
_SERVING = (
    (
        """import subprocess, sys
serving = subprocess.Popen([sys.executable, '-m', 'cometnb', 'serve', '--port', '0'], stdout=subprocess.PIPE, text=True)
print(serving.stdout.readline())""",
        "",
    ),
    ("print(serving.terminate(), serving.communicate(), serving.wait())", ""),
)
_MANY = (
    (f"board = cometnb.panel({_ARGUMENT}, instructions={_ARGUMENT})", ""),
    ("board", ""),
    ("board.run()", ""),
    ("board.save_preset('mine')\nprint(board.share())", ""),
    ("print(board.code('curl'), board.code('cell'), board.code('json'))", ""),
    (
        f"""frame = pd.DataFrame({{'review': ['good', {_ARGUMENT}]}})
cometnb.respond_frame(frame, '{{{{review}}}}', checkpoint='batch.sqlite', progress=False)[['status']]""",
        "",
    ),
    (f"swept = cometnb.sweep({_ARGUMENT}, effort=['low', 'none'], checkpoint='sweep.sqlite')", ""),
    (f"%%respond --sweep effort=low,none\n{_TEXT}", ""),
    ("%comet usage", ""),
    ("cometnb.usage().to_csv('usage.csv')", ""),
    ("cometnb.Ledger().export('export.csv'), cometnb.Ledger().export('export.parquet')", ""),
    ("import sqlite3\ncometnb.defaults.shared.ledger.flush()", ""),
)


@dataclass
class _Found:
    """Everything that came out of the kernel.

    Attributes
    ----------
    texts : dict of str to bytes
        By where it stood: messages, replies, arguments, files.
    kept : dict of str to bytes
        Where the user's own cells are kept.
    """

    texts: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    printed: str = ""
    shown: list[Any] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def where(self, key: str, *, also_kept: bool = False) -> list[str]:
        """Return where a key stands, in any form, with what stands before it."""
        texts = self.texts | (self.kept if also_kept else {})
        forms = _forms(key)
        return [
            f"{place}: {text[max(0, text.index(form) - 90) : text.index(form)]!r}"
            for place, text in texts.items()
            for form in forms
            if form in text
        ]


def _forms(key: str) -> set[bytes]:
    """Return a key as it may stand in bytes: as it is, escaped, and inside of longer Base64."""
    forms = {key, urllib.parse.quote(key, safe=""), key.replace("/", "\\/"), key.encode().hex()}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + key.encode()).decode()
        # Without the letters that share their bits with what stands before and behind.
        inner = whole[4 if shift else 0 :].rstrip("=")[:-1]
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {form.encode() for form in forms}


@contextmanager
def _echoing() -> Iterator[str]:
    """Serve a gateway that refuses every key and repeats it wherever it can, and yield its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            key = str(self.headers["authorization"]).removeprefix("Bearer ")
            said = {"message": f"Incorrect API key provided: {key}", "code": key, "type": key, "param": key}
            body = json.dumps({"error": said}).encode()
            self.send_response(401)
            for name, value in (
                ("content-type", "application/json"),
                ("x-request-id", key),
                ("set-cookie", key),
            ):
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with served(Handler) as base_url:
        yield base_url


def _run_all(kernel: KernelSession, cells: Any, found: _Found, iopub: Any) -> None:
    for code, expected in cells:
        run = kernel.run(code)
        names = [error.content["ename"] for error in run.errors]
        if names != ([expected] if expected else []):
            found.wrong.append(f"{code[:200]}\n-> {[error.content['traceback'] for error in run.errors]}")
        _take(run, code, found)
        _drain(iopub, found)


def _take(run: CellRun, code: str, found: _Found) -> None:
    found.printed += run.stream_text
    found.shown += [message.content["data"] for message in (*run.displays, *run.updates)]
    found.texts[f"reply to {code[:60]!r}"] = json.dumps(run.reply, default=str).encode()


def _drain(iopub: Any, found: _Found) -> None:
    """Take every frame of every message, as it was on the wire."""
    while iopub.poll(20):
        frames = iopub.recv_multipart()
        kind = frames[0].rpartition(b".")[2].decode("utf-8", "replace")
        place = found.kept if b"execute_input" in b"".join(frames) else found.texts
        place[f"message {len(found.texts) + len(found.kept)} {kind}"] = b"\n".join(frames)


def _arguments(pid: int) -> dict[str, bytes]:
    """Return how a process and all that it has started were called, as any user of the machine may read it."""
    begun = {pid: "arguments"}
    found: dict[str, bytes] = {}
    while begun:
        pid, name = begun.popitem()
        home = Path(f"/proc/{pid}")
        found[name] = (home / "cmdline").read_bytes() if home.exists() else b""
        for task in home.glob("task/*/children"):
            begun |= {int(child): f"arguments of {child}" for child in task.read_text().split()}
    return found


def _exported(notebook: dict[str, Any]) -> dict[str, bytes]:
    """Return what nbconvert makes of a notebook, for people and as a script."""
    node = nbformat.from_dict(notebook)
    exporters: tuple[Any, ...] = (HTMLExporter, MarkdownExporter, PythonExporter)
    return {
        f"notebook by {one.__name__}": one().from_notebook_node(node)[0].encode("utf-8", "replace")
        for one in exporters
    }


def _saved(found: _Found, source: str) -> dict[str, Any]:
    """Return a notebook as a front end saves it: a cell as typed, what was printed, and what was shown."""
    output = {"output_type": "stream", "name": "stdout", "text": found.printed}
    shown = [{"output_type": "display_data", "data": data, "metadata": {}} for data in found.shown]
    empty = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": []}
    cells = [{**empty, "source": source, "outputs": [output, *shown]}]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, _home: Path) -> _Found:
    """Run everything once in a kernel of its own, and collect what came out."""
    root = tmp_path_factory.mktemp("canary")
    home, work = root / "home", root / "work"
    work.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "COMET"))}
    env |= {"HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "PYTHONPATH": str(ROOT)}
    env |= {"COMETAPI_KEY": _KEY, "COMETNB_STORE_TEXT": "on", "PYTHONDONTWRITEBYTECODE": "1"}
    found = _Found()
    with (
        running_server() as server,
        _echoing() as gateway,
        running_kernel(work, env | {"COMETAPI_BASE_URL": server.base_url}, root / "process.log") as kernel,
    ):
        iopub = kernel.manager.connect_iopub()
        logging = "import logging, pandas as pd, cometnb\nlogging.basicConfig(level=logging.DEBUG, filename='log.txt')"
        _run_all(kernel, [(f"{logging}\n%load_ext cometnb", "")], found, iopub)
        _run_all(kernel, (*_ASKING, *_SHOWING, *_RECORDING), found, iopub)
        refused = (f"%config CometMagics.base_url = {gateway!r}", "")
        _run_all(
            kernel,
            (refused, *_REFUSED, *_WHOLE, ("%config CometMagics.base_url = None", "")),
            found,
            iopub,
        )
        (work / "mine.ipynb").write_text(json.dumps(_saved(found, _TEXT)))
        audit = "!{__import__('sys').executable} -m cometnb audit mine.ipynb; true"
        _run_all(kernel, (*_MANY, (audit, "")), found, iopub)
        _run_all(kernel, _SERVING[:1], found, iopub)
        found.texts |= _arguments(int(kernel.value("os.getpid()")))
        _run_all(kernel, _SERVING[1:], found, iopub)
        iopub.close(linger=0)
    # Without the cells as they were typed, where the pasted key may stand.
    found.texts |= _exported(_saved(found, "ask()"))
    for file in (path for path in root.rglob("*") if path.is_file()):
        is_users = file.name.startswith("history.sqlite") or file.suffix == ".ipynb"
        (found.kept if is_users else found.texts)[str(file.relative_to(root))] = file.read_bytes()
    return found


def test_every_cell_ended_as_it_should(found: _Found) -> None:
    """Otherwise the search below would search too little; and each kind of file is there."""
    assert found.wrong == []
    names = {Path(place).name for place in found.texts}
    files = {
        "talk.json",
        "tape.jsonl",
        "refused.jsonl",
        "batch.sqlite",
        "sweep.sqlite",
        "usage.csv",
        "export.csv",
        "export.parquet",
        "crash.txt",
        "log.txt",
    }
    assert names >= {*files, "ledger.sqlite3", "arguments"}
    assert any("presets" in place for place in found.texts)
    assert any(b"cometnb\0serve" in text for place, text in found.texts.items() if "arguments of" in place)
    log = found.texts["work/log.txt"]
    assert b"x-request-id" in log
    assert b"httpcore" in log


def test_the_key_of_the_environment_is_nowhere(found: _Found) -> None:
    """Also where the service repeats it in an error's message, code and headers."""
    assert found.where(_KEY, also_kept=True) == []


def test_a_pasted_key_is_only_where_cells_are_kept(found: _Found) -> None:
    """It is masked in answers that repeat it, saved conversations, checkpoints, presets, cassettes and stored texts."""
    assert found.where(_PASTED) == []
    assert found.where(_PASTED, also_kept=True)


def test_a_shared_preset_holds_no_key(found: _Found) -> None:
    """It is compressed, so it is read as whoever gets it would."""
    shared = next(word for word in found.printed.split() if word.startswith("cometnb1."))
    settings = repr(unpacked(shared))
    assert "Authorization: Bearer sk-***" in settings
    assert "Canary" not in settings


def test_the_audit_names_the_cell_without_the_key(found: _Found) -> None:
    """The pasted key is found in the notebook's source."""
    assert "LEAKED KEY" in found.printed
    assert "source, line 2" in found.printed


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("key", [_KEY, _PASTED])
def test_the_search_finds_what_is_encoded(key: str, encode: Any, before: str) -> None:
    """A key that leaks inside of Base64 would be found, wherever it begins."""
    text = encode(f"{before}{key} and more".encode())
    assert _Found(texts={"somewhere": text}).where(key)
