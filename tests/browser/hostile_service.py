"""A service on loopback that fills every field it sends with words of its choice, for a kernel to ask."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Hostile"]

_USAGE = {"input_tokens": 9, "output_tokens": 9, "total_tokens": 18}
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked=1"><image href="https://leak.invalid/?svg"/></svg>'
_PICTURE = base64.b64encode(_SVG).decode()


class Hostile:
    """A service that answers every call with `words` wherever it may write.

    Attributes
    ----------
    words : str
        What it says.
    kind : str
        ``all`` for an answer with every kind of item, ``call`` for a call of the first function offered, ``rows`` for
        rows of a schema, ``text``, ``error`` for an HTTP error, ``failed`` for an answer that fails.
    base_url : str
        Where it is.
    """

    def __init__(self) -> None:
        self.words, self.kind = "", "all"
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service._reply(self, asked)

            def do_GET(self) -> None:
                _send(self, 200, "application/json", _json({"data": [{"id": service.words}]}))

            def log_message(self, *_: Any) -> None:
                """Write nothing into the notebook."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def _reply(self, handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        if self.kind == "error":
            error = {"message": self.words, "code": self.words, "type": self.words, "param": self.words}
            _send(handler, 400, "application/json", _json({"error": error}))
        elif asked.get("stream"):
            events = "".join(
                f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in self._events(asked)
            )
            _send(handler, 200, "text/event-stream", events.encode())
        else:
            _send(handler, 200, "application/json", _json(self._response(asked)))

    def _events(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        whole = self._response(asked)
        yield {"type": "response.created", "response": whole | {"output": [], "status": "in_progress"}}
        for at, item in enumerate(whole["output"]):
            place = {
                "output_index": at,
                "item_id": item.get("id", ""),
                "content_index": 0,
                "summary_index": 0,
            }
            empty = (
                item
                | ({"content": []} if "content" in item else {})
                | ({"summary": []} if "summary" in item else {})
            )
            yield {"type": "response.output_item.added", "item": empty, **place}
            for part in item.get("summary", ()):
                yield {"type": "response.reasoning_summary_text.delta", "delta": part["text"], **place}
            for number, part in enumerate(item.get("content", ())):
                kind, text = ("output_text", part["text"]) if "text" in part else ("refusal", part["refusal"])
                place["content_index"] = number
                empty = part | ({"text": "", "annotations": []} if "text" in part else {"refusal": ""})
                yield {"type": "response.content_part.added", "part": empty, **place}
                for start in range(0, len(text), 40):
                    yield {"type": f"response.{kind}.delta", "delta": text[start : start + 40], **place}
                for annotation in part.get("annotations", ()):
                    yield {"type": "response.output_text.annotation.added", "annotation": annotation, **place}
            yield {"type": "response.output_item.done", "item": item, **place}
        yield {"type": f"response.{whole['status']}", "response": whole}

    def _response(self, asked: dict[str, Any]) -> dict[str, Any]:
        words = self.words
        called = any(item.get("type") == "function_call_output" for item in _items(asked))
        kind = "text" if self.kind == "call" and called else self.kind
        status = {"failed": "failed", "all": "incomplete"}.get(kind, "completed")
        return {
            "id": words,
            "object": "response",
            "model": words,
            "status": status,
            "output": _OUTPUT[kind](words, asked),
            "error": {"message": words, "code": words} if kind == "failed" else None,
            "incomplete_details": {"reason": words} if kind == "all" else None,
            "service_tier": words,
            "usage": _USAGE,
        }


def _items(asked: dict[str, Any]) -> list[dict[str, Any]]:
    return (
        [item for item in asked["input"] if isinstance(item, dict)]
        if isinstance(asked["input"], list)
        else []
    )


def _text(words: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "content": [{"type": "output_text", "text": words}],
        }
    ]


def _rows(words: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    rows = {"rows": [{"name": words, "note": words, words: words}, {"name": words[:40], "note": words}]}
    return _text(json.dumps(rows), asked)


def _call(words: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "type": "function_call",
            "id": f"f{name}",
            "call_id": f"c{name}{words}",
            "name": name,
            "arguments": json.dumps({"text": words}),
        }
        for name in [tool["name"] for tool in asked.get("tools", ()) if tool["type"] == "function"]
    ] + [{"type": "function_call", "id": "f9", "call_id": "c9", "name": words, "arguments": words}]


def _all(words: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    pointed = [
        {"type": "url_citation", "url": words, "title": words, "start_index": 0, "end_index": 3},
        {"type": "url_citation", "url": "javascript:window.hacked=1", "title": words},
        {"type": "url_citation", "url": "https://safe.invalid/?a=1", "title": words},
        {"type": "file_citation", "file_id": words, "filename": words},
    ]
    content = [
        {"type": "output_text", "text": words, "annotations": pointed},
        {"type": "refusal", "refusal": words},
    ]
    picture = {"type": "image_generation_call", "result": _PICTURE}
    return [
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": words}]},
        {
            "type": "web_search_call",
            "id": "w",
            "status": words,
            "action": {"type": words, "query": words, "url": words},
        },
        {"type": "code_interpreter_call", "id": "c", "code": words, "status": words},
        {"type": "file_search_call", "id": "s", "queries": [words, words], "status": words},
        {
            "type": "mcp_call",
            "id": "p",
            "name": words,
            "server_label": words,
            "arguments": words,
            "output": words,
        },
        picture | {"id": "i", "output_format": "png"},
        picture | {"id": "j", "output_format": "svg"},
        {"type": "image_generation_call", "id": "k", "result": words, "output_format": words},
        {"type": words, "id": "u", "text": words},
        {"type": "message", "id": "m", "role": "assistant", "content": content},
    ]


_OUTPUT = {"all": _all, "call": _call, "rows": _rows, "text": _text, "failed": _text}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _send(handler: BaseHTTPRequestHandler, status: int, kind: str, body: bytes) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
