"""A service of a few lines on this machine, which takes one key and remembers which it was shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.loopback import served

__all__ = ["KeyedService", "keyed_service"]

_ANSWER = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-5.4",
    "output": [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
    ],
    "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
}
_REFUSAL = {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}


@dataclass
class KeyedService:
    """Where it is, and the keys that were taken."""

    url: str = ""
    keys: set[str] = field(default_factory=set)


@contextmanager
def keyed_service() -> Iterator[KeyedService]:
    """Run one until the block ends."""
    service = KeyedService()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            key = self.headers.get("authorization", "")
            is_right = "canary" in key
            if is_right:
                service.keys.add(key)
            body = json.dumps(_ANSWER if is_right else _REFUSAL).encode()
            self.send_response(200 if is_right else 401)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with served(Handler) as service.url:
        yield service
