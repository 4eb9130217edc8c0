"""Server-sent events from bytes in any chunking.

Rules (HTML standard, "Server-sent events", 9.2.5 and 9.2.6):
lines end with LF, CR or CRLF; a leading BOM is dropped; a line starting with a colon is a comment; one space after
the colon is dropped; ``data`` lines of one event are joined with LF; a blank line ends the event; an event
without data is dropped. Every byte is looked at a bounded number of times, however large an event is.
"""

from __future__ import annotations

__all__ = ["Decoder"]

_BOM = b"\xef\xbb\xbf"
_LF, _CR = 0x0A, 0x0D


class Decoder:
    """Turn chunks of bytes into (event name, data) pairs.

    The name is empty where no ``event`` field was sent. Bytes that are no UTF-8 become U+FFFD.
    """

    def __init__(self) -> None:
        self._line: list[bytes] = []  # pieces of a line whose end has not come yet
        self._data: list[bytes] = []
        self._name = b""
        self._at_start = True
        self._skip_lf = False
        # The line with a name and the name: most events have the name of the one before.
        self._last_named = (b"", "")

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[tuple[str, str]]:
        """Return the events that this chunk completes."""
        data = chunk if type(chunk) is bytes else bytes(chunk)
        if self._skip_lf and data:
            # The chunk before ended in CR; if this one starts with LF the two were one line end.
            self._skip_lf = False
            if data[0] == _LF:
                data = data[1:]
        if not data:
            return []
        # bytes.splitlines knows LF, CR and CRLF only, which is what the standard asks for.
        lines = data.splitlines()
        last = data[-1]
        self._skip_lf = last == _CR
        is_open = last not in (_LF, _CR)
        # A chunk is most often one whole event; then there is nothing to put together.
        if len(lines) == 3 and not (lines[2] or self._line or self._data or self._name or self._at_start):
            named, told = lines[0], lines[1]
            if named[:7] == b"event: " and told[:6] == b"data: ":
                if named != self._last_named[0]:
                    self._last_named = named, named[7:].decode("utf-8", "replace")
                return [(self._last_named[1], told[6:].decode("utf-8", "replace"))]
        if self._line:
            self._line.append(lines[0])
            if is_open and len(lines) == 1:
                return []
            lines[0] = b"".join(self._line)
            self._line = []
        if is_open:
            self._line.append(lines.pop())
        return self._read(lines)

    def close(self) -> list[tuple[str, str]]:
        """Return the last event if its blank line never came.

        The standard drops such an event; servers that forget the line are common, so it is kept.
        """
        lines = [b"".join(self._line)] if self._line else []
        self._line = []
        return self._read([*lines, b""])

    def _read(self, lines: list[bytes]) -> list[tuple[str, str]]:
        if self._at_start and lines:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_BOM)
        events: list[tuple[str, str]] = []
        for line in lines:
            if not line:
                if self._data:
                    data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
                    events.append((self._name.decode("utf-8", "replace"), data.decode("utf-8", "replace")))
                    self._data = []
                self._name = b""
                continue
            if line[:6] == b"data: ":
                self._data.append(line[6:])
                continue
            if line[:7] == b"event: ":
                self._name = line[7:]
                continue
            field, _, value = line.partition(b":")
            if field == b"data":
                self._data.append(value[1:] if value[:1] == b" " else value)
            elif field == b"event":
                self._name = value[1:] if value[:1] == b" " else value
        return events
