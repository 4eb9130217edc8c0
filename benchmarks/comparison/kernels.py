"""A real kernel in a tool's own environment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from traitlets import Unicode

from benchmarks.comparison.environments import Rival, kernel_environment, python_of
from benchmarks.comparison.tools import Tool
from tests.kernel.kernel_session import KernelSession

__all__ = ["START_S", "bare_kernel", "tool_kernel"]

START_S = 120.0
"""What a kernel, or the loading of a tool, may take."""


class _OneInterpreter(KernelManager):
    """A manager whose kernel is the interpreter it is told."""

    python = Unicode()

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel specification, made here instead of looked up."""
        argv = [self.python, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        argv.append("--IPKernelApp.log_level=ERROR")
        return KernelSpec(argv=argv, display_name="compared", language="python")


@contextmanager
def bare_kernel(rival: Rival, folder: Path, base_url: str) -> Iterator[KernelSession]:
    """Start a kernel in a rival's environment and stop it at the end.

    Parameters
    ----------
    rival : Rival
    folder : Path
        Of the environments.
    base_url : str
        The server that its calls go to.
    """
    with tempfile.TemporaryDirectory() as home:
        manager = _OneInterpreter(python=str(python_of(rival, folder)))
        manager.start_kernel(cwd=home, env=kernel_environment(rival, base_url, Path(home)))
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=START_S)
            yield KernelSession(manager, client)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


@contextmanager
def tool_kernel(tool: Tool, folder: Path, base_url: str) -> Iterator[KernelSession]:
    """Start the same, with the tool's set-up cell run, as a user would before the first question."""
    with bare_kernel(tool, folder, base_url) as kernel:
        set_up = tool.cell(tool.load, base_url) + "\n" + tool.cell(tool.connect, base_url)
        run = kernel.run(set_up, timeout_s=START_S)
        assert not run.errors, run.errors[0].content["traceback"]
        yield kernel
