"""A real kernel in a tool's own environment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from traitlets import Unicode

from benchmarks.comparison.environments import kernel_environment, python_of
from benchmarks.comparison.tools import Tool
from tests.kernel.kernel_session import KernelSession

__all__ = ["tool_kernel"]

_START_S = 120.0


class _OneInterpreter(KernelManager):
    """A manager whose kernel is the interpreter it is told."""

    python = Unicode()

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel specification, made here instead of looked up."""
        argv = [self.python, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="compared", language="python")


@contextmanager
def tool_kernel(
    tool: Tool, folder: Path, base_url: str, *, is_set_up: bool = True
) -> Iterator[KernelSession]:
    """Start a kernel in the tool's environment and stop it at the end.

    Parameters
    ----------
    tool : Tool
    folder : Path
        Of the environments.
    base_url : str
        The server that its calls go to.
    is_set_up : bool
        Whether the tool's set-up cell is run, as a user would before the first question.
    """
    with tempfile.TemporaryDirectory() as home:
        manager = _OneInterpreter(python=str(python_of(tool, folder)))
        manager.start_kernel(cwd=home, env=kernel_environment(tool, base_url, Path(home)))
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=_START_S)
            kernel = KernelSession(manager, client)
            if is_set_up:
                run = kernel.run(
                    tool.cell(tool.load, base_url) + "\n" + tool.cell(tool.connect, base_url),
                    timeout_s=_START_S,
                )
                assert not run.errors, run.errors[0].content["traceback"]
            yield kernel
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
