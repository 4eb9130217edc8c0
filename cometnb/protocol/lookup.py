"""One attempt of a request whose answer is plain JSON (retrieve, cancel, delete, lists), without I/O."""

from __future__ import annotations

from typing import Any

from cometnb.errors import APIError, CometError
from cometnb.protocol.answer import Fault, Head, is_retriable, judged

__all__ = ["Lookup"]


class Lookup:
    """One request and its JSON.

    Attributes
    ----------
    result : dict or None
        The JSON object, once it has come.
    error : CometError or None
        Why there is none.
    is_retriable : bool
        True if sending the same again may help.
    head : Head or None
    """

    def __init__(self) -> None:
        self.result: dict[str, Any] | None = None
        self.error: CometError | None = None
        self.is_retriable = False
        self.head: Head | None = None

    def receive(self, head: Head, data: bytes) -> None:
        """Take the whole answer."""
        self.head = head
        raw = judged(head, data)
        if isinstance(raw, APIError):
            self.error, self.is_retriable = raw, is_retriable(head, raw)
            if head.status in (404, 405) and self.error.code is None:
                self.error = type(raw)(
                    raw.fact,
                    "The id may be wrong or expired, or this service does not offer the call: it documents only"
                    " POST /responses.",
                    **vars(raw),
                )
        else:
            self.result = raw

    def fail(self, fault: Fault) -> None:
        """Take a fault on the wire."""
        self.error = fault.error()
        self.is_retriable = fault.is_before_sending
