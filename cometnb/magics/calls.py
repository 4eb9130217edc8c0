"""``%comet last``, ``code`` and ``reset``: the calls that were made."""

from __future__ import annotations

from cometnb.magics.kernel import Kernel, Recent
from cometnb.magics.line import no_more, one_of, say
from cometnb.magics.preview import show_code
from cometnb.magics.respond import bind
from cometnb.magics.usage import forget_panel
from cometnb.session.export import FORMS
from cometnb.session.origin import watching
from cometnb.view.mime import bundle
from cometnb.view.publish import publish

__all__ = ["forget", "show_last", "show_last_code"]


def show_last(kernel: Kernel, words: list[str]) -> None:
    """Show the last answer again, and bind it to ``_`` and ``Out[n]``.

    Raises
    ------
    CellError
        If there is none.
    """
    no_more("last", words)
    response = kernel.last_response()
    data, metadata = bundle(response, with_times=watching(kernel.shell) != "nobody")
    publish(data, metadata)
    bind(kernel.shell, response)


def show_last_code(kernel: Kernel, words: list[str]) -> None:
    """Show the last call as code.

    Raises
    ------
    CellError
        If there was none, or the form is unknown.
    """
    form = one_of("code", words, (*FORMS, "cell"))
    show_code(kernel.last_body(), form, kernel.shared.options, base_url=kernel.recent.base_url)


def forget(kernel: Kernel, words: list[str]) -> None:
    """Forget the last answer, what this kernel has used, and the simulator's fault; keep the settings."""
    no_more("reset", words)
    kernel.recent = Recent(models=kernel.recent.models)
    kernel.shared.tally.clear()
    kernel.shared.simulator.fault = None
    forget_panel()
    say("Forgotten: the last answer, this kernel's sum, the simulator's fault. Settings and ledger are kept.")
