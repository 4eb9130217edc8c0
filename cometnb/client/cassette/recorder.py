"""The file while it is recorded: one writer at a time, each line whole and at once, nothing silently replaced."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BufferedRandom
from pathlib import Path

from cometnb.client.cassette.tape import Recording, line_of, read_tape, written
from cometnb.errors import ConfigError
from cometnb.protocol.counted import counted

__all__ = ["Recorder", "Slot"]

if sys.platform == "win32":
    import msvcrt

    # Windows would keep others from reading what is locked; nobody reads behind the end.
    _FAR_BEHIND = 2**31 - 2

    def _lock(file: BufferedRandom) -> None:
        file.seek(_FAR_BEHIND)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: BufferedRandom) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Recorder:
    """Writes calls into a file, one after the other also where they overlap.

    Parameters
    ----------
    path : Path
    must_be_new : bool
        Refuse a file that holds something.
    replaces : bool
        Begin the file anew.
    found : callable
        Told the recordings in a file that is gone on with.

    Notes
    -----
    The call that began first is written line by line as it comes, so that a crash leaves what had come; the calls
    beside it wait in memory until it has ended. The system drops the lock of a process that is killed.
    """

    def __init__(
        self,
        path: Path,
        *,
        must_be_new: bool = False,
        replaces: bool = False,
        found: Callable[[list[Recording]], object] | None = None,
    ) -> None:
        self._file: BufferedRandom | None = None
        self._path = path
        self._must_be_new = must_be_new and not replaces
        self._replaces = replaces
        self._found = found
        self._slots: list[Slot] = []
        self._is_closing = False
        self._lock = threading.RLock()

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def open(self) -> None:
        """Take the file.

        Raises
        ------
        ConfigError
            Somebody else records into it, it holds something that may not be lost, or it cannot be written.
        """
        with self._lock:
            self._is_closing = False
            if self._file is None:
                self._file = self._opened()

    def slot(self) -> Slot:
        """Return a place for a call that is answered from now on."""
        with self._lock:
            self.open()
            slot = Slot(self)
            self._slots.append(slot)
            return slot

    def close(self) -> None:
        """Let go of the file, once no call runs that is recorded; a later one takes it again."""
        with self._lock:
            self._is_closing = True
            self._let_go()

    def write(self, slot: Slot, lines: Iterable[bytes], *, is_end: bool = False) -> None:
        """Write lines of a call, or keep them until it is its turn."""
        with self._lock:
            slot.waiting.extend(lines)
            slot.is_ended = slot.is_ended or is_end
            while self._slots:
                first = self._slots[0]
                self._put(first)
                if not first.is_ended:
                    return
                del self._slots[0]
            if self._is_closing:
                self._let_go()

    def _let_go(self) -> None:
        if self._file is not None and not self._slots:
            self._file.close()
            self._file = None

    def _put(self, slot: Slot) -> None:
        if not slot.waiting:
            return
        if self._file is None:
            self.open()
        if self._file is not None:
            self._file.write(b"".join(slot.waiting))
            # With the system, from where a kill cannot take it.
            self._file.flush()
        slot.waiting.clear()

    def _opened(self) -> BufferedRandom:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # As readable as any file of a repository: there is no secret in it.
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            file = os.fdopen(handle, "r+b")
        except OSError as error:
            raise ConfigError(
                f"{self._path} cannot be recorded into: {error.strerror or error}.", "Name another file."
            ) from error
        try:
            self._begin(file)
        except BaseException:
            file.close()
            raise
        return file

    def _begin(self, file: BufferedRandom) -> None:
        try:
            _lock(file)
        except OSError:
            raise ConfigError(
                f"{self._path} is being recorded by another kernel or process.",
                "Record into another file, or stop the other one: %comet record stop.",
            ) from None
        file.seek(0)
        data = file.read()
        if self._replaces:
            # A typing error must not cost a notebook: only a cassette is replaced.
            read_tape(data.partition(b"\n")[0], str(self._path))
            data = b""
        tape = read_tape(data, str(self._path))
        if tape.recordings and self._must_be_new:
            raise ConfigError(
                f"{self._path} holds {counted(len(tape.recordings), 'recorded call')} already.",
                "Add to it with --auto (mode='auto'), or begin it anew with --new (replace=True).",
            )
        if self._found is not None:
            self._found(tape.recordings)
        # Half a line is what a crash left of it.
        end = tape.n_whole_bytes if data.strip() else 0
        file.truncate(end)
        file.seek(end)
        # Taken again later, it is this recorder's own.
        self._must_be_new = self._replaces = False
        if not end:
            file.write(line_of(written(None)))
        elif not data[:end].endswith(b"\n"):
            file.write(b"\n")
        file.flush()


@dataclass(eq=False)
class Slot:
    """A call's place in the file.

    Attributes
    ----------
    waiting : list of bytes
        Lines whose turn has not come.
    is_ended : bool
    """

    recorder: Recorder
    waiting: list[bytes] = field(default_factory=list)
    is_ended: bool = False

    def write(self, *lines: bytes) -> None:
        """Write lines of the call."""
        self.recorder.write(self, lines)

    def end(self) -> None:
        """Let the next call have its turn."""
        self.recorder.write(self, (), is_end=True)
