"""``%comet last``, ``code``, ``reset`` and ``usage``: the calls that were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cometnb.errors import CellError
from cometnb.magics.kernel import Kernel, Recent
from cometnb.magics.line import no_more, one_of, say
from cometnb.magics.origin import watching
from cometnb.magics.preview import show_code
from cometnb.magics.respond import bind
from cometnb.session.export import FORMS
from cometnb.view.mime import bundle
from cometnb.view.publish import publish

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["forget", "return_usage", "show_last", "show_last_code"]

# What one looks at first; `--all` gives the rest.
_USAGE_COLUMNS = [
    "created_at",
    "backend",
    "model",
    "effort",
    "tag",
    "status",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_usd",
    "duration_s",
]


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
    form = one_of("code", words, tuple(FORMS))
    show_code(kernel.last_body(), form, kernel.shared.options, base_url=kernel.recent.base_url)


def forget(kernel: Kernel, words: list[str]) -> None:
    """Forget the last answer, what this kernel has used, and the simulator's fault; keep the settings."""
    no_more("reset", words)
    kernel.recent = Recent(models=kernel.recent.models)
    kernel.shared.tally.clear()
    kernel.shared.simulator.fault = None
    say("Forgotten: the last answer, this kernel's sum, the simulator's fault. Settings and ledger are kept.")


def return_usage(kernel: Kernel, words: list[str]) -> pd.DataFrame:
    """Return the usage table: its first columns, or with ``--all`` every column.

    Raises
    ------
    CellError
        More than one time.
    """
    is_all = "--all" in words
    rest = [word for word in words if word != "--all"]
    if len(rest) > 1:
        raise CellError(
            f"%comet usage takes one time, not {' '.join(rest)!r}.", "Write %comet usage today, or 7d."
        )
    frame = kernel.shared.ledger.usage(rest[0] if rest else None)
    return frame if is_all else frame[_USAGE_COLUMNS].assign(created_at=frame["created_at"].dt.floor("s"))
