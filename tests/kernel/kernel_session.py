"""A real kernel in its own process, and every message that a cell makes it send."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

__all__ = ["CellRun", "KernelSession", "Message", "running_kernel"]

_POLL_S = 0.1


@dataclass(frozen=True)
class Message:
    """One iopub message.

    Attributes
    ----------
    type : str
        ``stream``, ``display_data``, ``update_display_data``, ``execute_result``, ``error``, ``status`` and so on.
    content, metadata : Mapping
        As sent.
    arrived_s : float
        Seconds from the sending of the cell to the arrival here.
    size_bytes : int
        All frames of the message on the wire: identities, signature, header, content, buffers.
    """

    type: str
    content: Mapping[str, Any]
    metadata: Mapping[str, Any]
    arrived_s: float
    size_bytes: int


@dataclass
class CellRun:
    """One execution of a cell: its messages in order of arrival, and the reply once it has come.

    Attributes
    ----------
    msg_id : str
        The id of the request, which every message below names as its parent.
    reply : Mapping or None
        Content of ``execute_reply``; None while the cell runs.
    """

    msg_id: str
    sent_at_s: float
    messages: list[Message] = field(default_factory=list)
    reply: Mapping[str, Any] | None = None
    is_idle: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the reply and the last message have come."""
        return self.reply is not None and self.is_idle

    def of(self, *types: str) -> list[Message]:
        """Return the messages of these types, in order."""
        return [message for message in self.messages if message.type in types]

    @property
    def displays(self) -> list[Message]:
        """Every ``display_data``."""
        return self.of("display_data")

    @property
    def updates(self) -> list[Message]:
        """Every ``update_display_data``."""
        return self.of("update_display_data")

    @property
    def errors(self) -> list[Message]:
        """Every ``error``; content holds ``ename``, ``evalue`` and ``traceback``."""
        return self.of("error")

    @property
    def stream_text(self) -> str:
        """What was printed, standard output and error together."""
        return "".join(message.content["text"] for message in self.of("stream"))

    @property
    def result(self) -> Mapping[str, Any] | None:
        """The mimetypes of the cell's value (``Out[n]``); None if it had none."""
        results = self.of("execute_result")
        return results[-1].content["data"] if results else None

    @property
    def display_bytes(self) -> int:
        """Wire bytes of everything that draws: displays, updates, clears, results and comm messages."""
        drawn = ("display_data", "update_display_data", "clear_output", "execute_result")
        comms = ("comm_open", "comm_msg", "comm_close")
        return sum(message.size_bytes for message in self.of(*drawn, *comms))


class KernelSession:
    """A kernel that runs cells one after another, as a front end would have it do.

    `running_kernel` makes one.
    """

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self._client = client
        self._runs: dict[str, CellRun] = {}

    def run(
        self,
        code: str,
        *,
        timeout_s: float = 60.0,
        metadata: Mapping[str, Any] | None = None,
        allow_stdin: bool = True,
        store_history: bool = True,
    ) -> CellRun:
        """Run one cell and wait for its reply and its last message; see `start` and `wait`."""
        run = self.start(code, metadata=metadata, allow_stdin=allow_stdin, store_history=store_history)
        return self.wait(run, timeout_s=timeout_s)

    def start(
        self,
        code: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        allow_stdin: bool = True,
        store_history: bool = True,
    ) -> CellRun:
        """Send one cell and return at once.

        Parameters
        ----------
        code : str
            The cell.
        metadata : Mapping, optional
            Metadata of the request; JupyterLab sends ``{"cellId": ...}``.
        allow_stdin : bool
            Whether the front end says that it can answer ``input()``. JupyterLab does, nbclient does not.
        store_history : bool
            Whether the cell counts: with False it gets no ``In[n]``.
        """
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": allow_stdin,
            "stop_on_error": True,
        }
        session = self._client.session
        request = session.msg("execute_request", content, metadata=dict(metadata or {}))
        run = CellRun(request["header"]["msg_id"], time.monotonic())
        self._runs[run.msg_id] = run
        self._client.shell_channel.send(request)
        return run

    def wait(self, run: CellRun, *, timeout_s: float = 60.0) -> CellRun:
        """Collect messages until `run` is done.

        Raises
        ------
        TimeoutError
            If `timeout_s` seconds pass before; says what had come.
        """
        self._collect(run, timeout_s, lambda: run.is_done)
        return run

    def wait_for(self, run: CellRun, *types: str, count: int = 1, timeout_s: float = 60.0) -> list[Message]:
        """Collect messages until `run` has `count` of these types, and return those it has by then."""
        self._collect(run, timeout_s, lambda: len(run.of(*types)) >= count)
        return run.of(*types)

    def settle(self, *, quiet_s: float = 0.3) -> None:
        """Collect late messages until none has come for `quiet_s` seconds (work on threads, comms)."""
        while self._receive(quiet_s):
            pass

    def interrupt(self) -> None:
        """Interrupt the kernel, as the stop button of a front end does."""
        self.manager.interrupt_kernel()

    def value(self, expression: str) -> str:
        """Return ``str()`` of an expression evaluated in the kernel, without a cell of its own."""
        run = self.run(f"print({expression}, end='')", store_history=False)
        if run.errors:
            raise RuntimeError("\n".join(run.errors[0].content["traceback"]))
        return run.stream_text

    def complete(self, code: str, cursor_pos: int) -> Mapping[str, Any]:
        """Return the content of the reply to Tab at `cursor_pos` characters: matches, cursor_start, cursor_end."""
        reply = self._client.complete(code, cursor_pos, reply=True, timeout=20)
        content: Mapping[str, Any] = reply["content"]
        return content

    def answer(self, text: str, *, timeout_s: float = 20.0) -> Mapping[str, Any]:
        """Wait until the kernel asks for input, type `text`, and return what it asked: prompt, password."""
        request = self._client.get_stdin_msg(timeout=timeout_s)
        self._client.input(text)
        content: Mapping[str, Any] = request["content"]
        return content

    def _collect(self, run: CellRun, timeout_s: float, is_enough: Any) -> None:
        deadline_s = time.monotonic() + timeout_s
        while not is_enough():
            self._receive(_POLL_S)
            self._take_reply()
            if time.monotonic() > deadline_s:
                kinds = [message.type for message in run.messages][-20:]
                raise TimeoutError(f"the cell was not done after {timeout_s} s; its last messages: {kinds}")
            if not self.manager.is_alive():
                raise RuntimeError("the kernel has died")

    def _receive(self, timeout_s: float) -> bool:
        """Take one iopub message off the wire; False if none came in time."""
        socket = self._client.iopub_channel.socket
        if not socket.poll(int(timeout_s * 1000)):
            return False
        frames = socket.recv_multipart()
        arrived_s = time.monotonic()
        _, parts = self._client.session.feed_identities(frames)
        message = self._client.session.deserialize(parts)
        run = self._runs.get(message["parent_header"].get("msg_id", ""))
        if run is not None:
            kind, content = message["msg_type"], message["content"]
            size_bytes = sum(len(frame) for frame in frames)
            arrival = Message(kind, content, message["metadata"], arrived_s - run.sent_at_s, size_bytes)
            run.messages.append(arrival)
            run.is_idle = kind == "status" and content["execution_state"] == "idle"
        return True

    def _take_reply(self) -> None:
        try:
            message = self._client.shell_channel.get_msg(timeout=0)
        except queue.Empty:
            return
        run = self._runs.get(message["parent_header"].get("msg_id", ""))
        if run is not None and message["msg_type"] == "execute_reply":
            run.reply = message["content"]


class _ThisPython(KernelManager):
    """A manager whose kernel is the interpreter that runs the tests, whatever kernels are installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel specification, made here instead of looked up."""
        argv = [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="tests", language="python")


@contextmanager
def running_kernel(folder: Path, env: Mapping[str, str], log: Path | None = None) -> Iterator[KernelSession]:
    """Start a kernel and stop it at the end.

    Parameters
    ----------
    folder : Path
        Where it runs.
    env : Mapping of str to str
        Its whole environment.
    log : Path, optional
        What takes its standard output and error; those of the tests if None.
    """
    manager = _ThisPython()
    if log is None:
        manager.start_kernel(cwd=str(folder), env=dict(env))
    else:
        with log.open("ab") as out:
            manager.start_kernel(cwd=str(folder), env=dict(env), stdout=out, stderr=out)
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield KernelSession(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
