"""The magics class, its settings for ``%config``, and loading and unloading it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleMatcherResult, context_matcher
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from traitlets import Bool, Bunch, Enum, Float, Unicode, observe

from cometnb.errors import CometError
from cometnb.session.cell_line import help_text

if TYPE_CHECKING:
    from cometnb.magics.kernel import Kernel

__all__ = ["CometMagics", "load", "unload"]

_SETTINGS = ("model", "base_url", "backend", "ledger", "live", "prices", "price_ratio", "store_text")

_MATCHER = "cometnb"

# Most of what is typed in a notebook is neither, and is told apart before anything is loaded.
_ASKS_US = re.compile(r"%%respond\b|%comet\b")


@magics_class
class CometMagics(Magics):
    """The magics of cometnb. None means: from the environment, the config file, else the default."""

    model = Unicode(None, allow_none=True, help="Model of calls that name none.").tag(config=True)
    base_url = Unicode(None, allow_none=True, help="Where requests go.").tag(config=True)
    backend = Unicode(
        None, allow_none=True, help="Who answers: api, simulator or cassette:PATH (also cassette-auto:PATH)."
    ).tag(config=True)
    ledger = Unicode(None, allow_none=True, help="Where usage is recorded: a path, a URL or off.").tag(
        config=True
    )
    live = Enum(
        ("auto", "off"), None, allow_none=True, help="auto streams into the cell; off shows once at the end."
    ).tag(config=True)

    prices = Unicode(None, allow_none=True, help="Path of your own price table (TOML).").tag(config=True)
    price_ratio = Float(None, allow_none=True, help="What is charged of official prices, such as 0.8.").tag(
        config=True
    )
    store_text = Enum(
        ("off", "on"),
        None,
        allow_none=True,
        help="on stores prompts and answers in the ledger, for --search.",
    ).tag(config=True)

    tracebacks = Bool(False, help="Show errors with their whole traceback instead of two lines.").tag(
        config=True
    )

    @observe(*_SETTINGS)
    def _setting_changed(self, change: Bunch) -> None:
        self._kernel.shared.configure(**{change["name"]: change["new"]})

    @observe("tracebacks")
    def _tracebacks_changed(self, change: Bunch) -> None:
        CometError.has_full_traceback = change["new"]

    @no_var_expand
    @cell_magic
    def respond(self, line: str, cell: str) -> None:
        """Send the cell's body as a prompt and stream the answer."""
        from cometnb.magics.respond import respond

        respond(self._kernel, line, cell)

    @no_var_expand
    @line_magic
    def comet(self, line: str) -> Any:
        """Settings, usage, costs, the simulator and more.

        %comet                 the settings in force, and what this kernel has used
        %comet help            every subcommand, with what may follow it
        %comet help usage      one of them
        %%respond?             how to ask, with every option
        """
        from cometnb.magics.comet import comet

        return comet(self._kernel, line)

    @cached_property
    def _kernel(self) -> Kernel:
        # The session, the client and httpx are loaded by the first cell that needs them, not by %load_ext.
        from cometnb.defaults import shared
        from cometnb.magics.kernel import Kernel

        return Kernel(shared, self.shell)

    @context_matcher(identifier=_MATCHER)
    def complete(self, context: CompletionContext) -> SimpleMatcherResult:
        """Complete a ``%%respond`` cell or a ``%comet`` line; IPython asks at every Tab."""
        if not _ASKS_US.search(context.full_text):
            return {"completions": []}
        from cometnb.magics.completion import completed

        return completed(self._kernel, context)


# `%%respond?` shows every option; the text is generated, so it cannot fall behind.
CometMagics.respond.__doc__ = help_text()


def load(shell: Any) -> None:
    """Register the magics with a shell, and teach it to show a Response."""
    magics = CometMagics(shell)
    shell.register_magics(magics)
    if hasattr(shell, "configurables") and not any(
        isinstance(one, CometMagics) for one in shell.configurables
    ):
        shell.configurables.append(magics)
    # A shell without a completer (a kernel of another kind) goes without.
    if getattr(shell, "Completer", None) is not None:
        shell.Completer.custom_matchers.append(magics.complete)


def unload(shell: Any) -> None:
    """Take the magics away again."""
    for kind, name in (("cell", "respond"), ("line", "comet")):
        shell.magics_manager.magics[kind].pop(name, None)
    if getattr(shell, "Completer", None) is not None:
        matchers = shell.Completer.custom_matchers
        matchers[:] = [one for one in matchers if getattr(one, "matcher_identifier", "") != _MATCHER]
    CometError.has_full_traceback = False
    shell.configurables[:] = [one for one in shell.configurables if not isinstance(one, CometMagics)]
