"""Starts the servers that others wrote, on loopback and for as long as they are needed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.independent.installing import FOLDER, INSTALLED
from tests.needs import ROOT, installed

__all__ = ["KEY", "NAMES", "Theirs", "running"]

KEY = "sk-made-up-key"
"""The key they are told to expect."""

_HEAVY = ("litellm", "litellm-bridged", "transformers")
NAMES = ("aimock", *_HEAVY) if os.environ.get("COMETNB_INDEPENDENT") else ("aimock",)
"""Servers to test: the small one, and with COMETNB_INDEPENDENT=1 those that take gigabytes to install, too."""

_FIXTURES = Path(__file__).with_name("fixtures.json")
_STARTS_WITHIN_S = 180.0


@dataclass(frozen=True)
class Theirs:
    """A server that runs.

    Attributes
    ----------
    name : str
    base_url : str
    model : str
        One that it knows.
    is_scripted : bool
        It answers as ``fixtures.json`` says; else it makes up its words.
    """

    name: str
    base_url: str
    model: str
    is_scripted: bool = True


def running(name: str, folder: Path) -> AbstractContextManager[Theirs]:
    """Run a server for the length of a ``with`` block.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    folder : Path
        For its log and settings.
    """
    if name == "aimock":
        return _aimock(folder)
    if name == "transformers":
        return _transformers(folder)
    return _litellm(folder, "bridged" if name.endswith("bridged") else "native")


@contextmanager
def _aimock(folder: Path) -> Iterator[Theirs]:
    program, port = _program("aimock"), _free_port()
    command = [program, "-p", f"{port}", "-h", "127.0.0.1", "-f", str(_FIXTURES)]
    with _started(command, port, folder / "aimock.log", {}):
        yield Theirs("aimock", f"http://127.0.0.1:{port}/v1", "gpt-5.4")


@contextmanager
def _litellm(folder: Path, model: str) -> Iterator[Theirs]:
    program, port = _program("litellm"), _free_port()
    with _aimock(folder) as behind:
        settings = folder / "litellm.json"
        settings.write_text(json.dumps(_litellm_settings(behind.base_url)), "utf-8")
        command = [program, "--config", str(settings), "--host", "127.0.0.1", "--port", f"{port}"]
        quiet = {
            "LITELLM_MASTER_KEY": KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
        }
        with _started(command, port, folder / "litellm.log", quiet):
            yield replace(behind, name="litellm", base_url=f"http://127.0.0.1:{port}/v1", model=model)


def _litellm_settings(behind: str) -> dict[str, object]:
    """Return the proxy's settings: one model passed through as it is, one through its own adapter; no tries again."""
    models = {"native": "openai/gpt-5.4", "bridged": "hosted_vllm/gpt-5.4"}
    return {
        "model_list": [
            {"model_name": name, "litellm_params": {"model": model, "api_base": behind, "api_key": KEY}}
            for name, model in models.items()
        ],
        "litellm_settings": {"num_retries": 0},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }


@contextmanager
def _transformers(folder: Path) -> Iterator[Theirs]:
    program, port, model = _program("transformers"), _free_port(), FOLDER / "tiny-llama"
    if not (model / "config.json").exists():
        maker = ROOT / "tests" / "independent" / "tiny_llama.py"
        subprocess.run([str(FOLDER / "transformers" / "bin" / "python"), str(maker), str(model)], check=True)
    command = [program, "serve", str(model), "--host", "127.0.0.1", "--port", f"{port}", "--device", "cpu"]
    hub = folder / "hub"
    hub.mkdir()
    alone = {"HF_HUB_CACHE": str(hub), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with _started(command, port, folder / "transformers.log", alone):
        yield Theirs("transformers", f"http://127.0.0.1:{port}/v1", str(model), is_scripted=False)


def _program(name: str) -> str:
    return str(installed(INSTALLED[name], f"python tests/independent/installing.py {name}"))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _started(command: Sequence[str], port: int, log: Path, settings: Mapping[str, str]) -> Iterator[None]:
    # What a server was installed with goes before what the machine has.
    path = os.pathsep.join((str(Path(command[0]).parent), os.environ.get("PATH", "")))
    env = {**os.environ, "PATH": path, **settings}
    with log.open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said, env=env) as process:
        try:
            _wait_for(port, process, log)
            yield
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    ends_at = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the server did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
