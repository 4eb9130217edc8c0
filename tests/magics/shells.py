"""A shell in this process with the extension loaded, whose displays are kept instead of drawn."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from cometnb.defaults import Shared, shared

__all__ = ["Shell", "shell_with_extension"]


@dataclass
class Shell:
    """One interactive shell and what its cells showed.

    Attributes
    ----------
    ip : InteractiveShell
    shared : Shared
        The settings its magics use.
    """

    ip: InteractiveShell
    shared: Shared
    errors: list[BaseException] = field(default_factory=list)

    @property
    def displays(self) -> list[dict[str, Any]]:
        """Every display so far, as ``{data, metadata, …}``."""
        publisher = self.ip.display_pub
        assert isinstance(publisher, CapturingDisplayPublisher)
        return publisher.outputs

    def run(self, code: str) -> Any:
        """Run a cell and return its execution result; an error is in it and not raised."""
        result = self.ip.run_cell(code, store_history=True)
        if result.error_in_exec is not None:
            self.errors.append(result.error_in_exec)
        return result

    def error(self, code: str) -> BaseException:
        """Run a cell that must fail, and return its error."""
        error = self.run(code).error_in_exec
        assert isinstance(error, BaseException)
        return error


@contextmanager
def shell_with_extension() -> Iterator[Shell]:
    """A fresh shell on the simulator."""
    InteractiveShell.clear_instance()
    ip = InteractiveShell.instance(display_pub_class=CapturingDisplayPublisher, colors="nocolor")
    try:
        ip.run_line_magic("load_ext", "cometnb")
        shared.configure(backend="simulator", model=None, base_url=None, ledger=None, live=None)
        yield Shell(ip, shared)
    finally:
        shared.configure(backend=None)
        shared.simulator.text = shared.simulator.fault = None
        ip.run_line_magic("unload_ext", "cometnb")
        if ip.history_manager is not None:
            ip.history_manager.end_session()
        # At its end each shell collects garbage; with hundreds of them the run would not end for minutes.
        atexit.unregister(ip.atexit_operations)
        InteractiveShell.clear_instance()
