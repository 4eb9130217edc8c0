"""A PostgreSQL server of the tests' own: on loopback, in a folder that goes with it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.needs import postgresql_programs

__all__ = ["Server", "running_server"]

_START_S = 30.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    # Nothing here outlives the tests.
    "fsync": "off",
    "full_page_writes": "off",
}


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes
    ----------
    port : int
    """

    port: int

    def url(self, database: str) -> str:
        """Return the address of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements, each in a transaction of its own, and return the rows of the last."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server on a free port and stop it in the end."""
    programs = postgresql_programs()
    folder = Path(tempfile.mkdtemp(prefix="cometnb-postgresql-"))
    owner = _owner(folder)
    port = _free_port()
    try:
        _run(owner, programs / "initdb", "--pgdata", folder / "data", "--username=postgres", "--auth=trust",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [programs / "postgres", "-D", folder / "data", "-p", str(port), *settings]
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(command, stdout=log, stderr=log, **owner) as process,
        ):
            try:
                server = Server(port)
                _wait(server, process, folder / "log")
                yield server
            finally:
                # It ends the sessions that are open and then itself.
                process.send_signal(signal.SIGINT)
                process.wait(_START_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _owner(folder: Path) -> dict[str, Any]:
    """Return who is to run it: the server refuses to be root."""
    if os.geteuid() != 0:
        return {"cwd": folder}
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": folder}


def _run(owner: dict[str, Any], *command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **owner)
    assert done.returncode == 0, done.stdout + done.stderr


def _wait(server: Server, process: subprocess.Popen[Any], log: Path) -> None:
    end_s = time.monotonic() + _START_S
    while time.monotonic() < end_s and process.poll() is None:
        with suppress(psycopg.OperationalError):
            server.run("SELECT 1")
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text("utf-8", "replace"))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
