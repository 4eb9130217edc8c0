"""Answers as gateways really send them: one stream of a real service, and the ways in which it is seen to arrive bent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.answer import events, text

__all__ = ["SHAPES", "Shape", "shaped_server"]

_N_DELTAS = 12
_WHOLE = text(_N_DELTAS)
_HALF = text(_N_DELTAS // 2)
_PAGE = b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>"
_ERROR = {
    "type": "error",
    "error": {"type": "server_error", "code": "upstream", "message": "The upstream broke."},
}

_Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to answer.

    Attributes
    ----------
    what : str
    content : bytes
        The whole body.
    kept : str
        The text that arrives.
    is_error : bool
        Whether the user has to be told that something went wrong.
    unstreamed : bytes
        What is answered where no stream was asked for; empty if the shape does not arise there.
    content_type : str
    """

    what: str
    content: bytes
    kept: str = _WHOLE
    is_error: bool = False
    unstreamed: bytes = b""
    content_type: str = "text/event-stream"


def _rows() -> _Rows:
    return [json.loads(event.partition(b"data: ")[2]) for event in events(_N_DELTAS)]


def _stream(rows: _Rows, *, named: bool = True, end: str = "") -> bytes:
    lines = ((f"event: {row['type']}\n" if named else "") + f"data: {json.dumps(row)}\n\n" for row in rows)
    return ("".join(lines) + end).encode()


def _changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    rows = _rows()
    for row in rows:
        change(row)
    return _stream(rows)


def _empty_output(row: dict[str, Any]) -> None:
    if row["type"] == "response.completed":
        row["response"]["output"] = []


def _other_ids(row: dict[str, Any]) -> None:
    number = row["sequence_number"]
    if "item_id" in row:
        row["item_id"] = f"msg_{number}"
    for name in ("item", "response"):
        if name in row:
            row[name]["id"] = f"{name}_{number}"


def _no_usage(row: dict[str, Any]) -> None:
    if "response" in row:
        row["response"]["usage"] = None


def _sparse(row: dict[str, Any]) -> None:
    if "response" in row:
        row["response"] = {name: row["response"][name] for name in ("id", "status", "model", "usage")}


def _deltas_only() -> bytes:
    wanted = ("response.created", "response.output_text.delta", "response.completed")
    return _stream([row for row in _rows() if row["type"] in wanted])


def _until_half() -> _Rows:
    rows = _rows()
    place = [index for index, row in enumerate(rows) if row["type"] == "response.output_text.delta"]
    return rows[: place[_N_DELTAS // 2]]


def _body(usage: Any = None) -> bytes:
    response = _rows()[-1]["response"]
    return json.dumps(response | ({"usage": None} if usage is None else {})).encode()


SHAPES: dict[str, Shape] = {
    "output": Shape("`output: []` in the last event", _changed(_empty_output)),
    "ids": Shape("ids that change with every event", _changed(_other_ids)),
    "unnamed": Shape(
        "no `event:` lines, `[DONE]` at the end", _stream(_rows(), named=False, end="data: [DONE]\n\n")
    ),
    "usage": Shape("`usage: null`", _changed(_no_usage), unstreamed=_body()),
    "sparse": Shape("response objects of four fields", _changed(_sparse)),
    "deltas": Shape("deltas without their items", _deltas_only()),
    "page": Shape(
        "an HTML page with status 200", _PAGE, "", is_error=True, unstreamed=_PAGE, content_type="text/html"
    ),
    "json": Shape("JSON where a stream was asked for", _body("as it is"), content_type="application/json"),
    "unasked": Shape("a stream where none was asked for", b"", unstreamed=_stream(_rows())),
    "error": Shape("an error event in mid-stream", _stream([*_until_half(), _ERROR]), _HALF, is_error=True),
    "early": Shape("a stream that ends early", _stream(_until_half()), _HALF, is_error=True),
}
"""Each stands under its own path: ``BASE/NAME/responses``."""


class _Handler(BaseHTTPRequestHandler):
    """Answers every POST below a shape's name with the shape."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        shape = SHAPES[self.path.strip("/").partition("/")[0]]
        content = shape.content if asked.get("stream") else shape.unstreamed
        is_json = content.startswith(b"{")
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if is_json else shape.content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def shaped_server() -> Iterator[str]:
    """Serve the shapes on loopback in a thread, and yield the address before their names."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
