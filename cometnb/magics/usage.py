"""``%comet usage``: the usage table, what it says of some rows, and the live panel."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from cometnb.errors import CellError
from cometnb.magics.filters import FILTERS_USAGE, filters_of, since_of, value_of
from cometnb.magics.kernel import Kernel
from cometnb.session.origin import watching
from cometnb.view.choose import shows_widgets
from cometnb.view.publish import publish
from cometnb.view.spending import BudgetLeft, Figures, bundle_of

if TYPE_CHECKING:
    import pandas as pd

    from cometnb.defaults import Shared
    from cometnb.view.spending_panel import SpendingPanel

__all__ = ["USAGE_USAGE", "forget_panel", "usage"]

USAGE_USAGE = f"[SINCE] [--all] {FILTERS_USAGE} [--search TEXT] [--live]"

# What one looks at first; `--all` gives the rest.
_COLUMNS = [
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

# A kernel has one panel: where it is shown anew, the one before keeps its last figures as a table.
_panel: deque[SpendingPanel] = deque(maxlen=1)


def usage(kernel: Kernel, words: list[str]) -> pd.DataFrame | None:
    """Return the usage table, or with ``--live`` show what this kernel spends.

    Parameters
    ----------
    kernel : Kernel
    words : list of str
        As `USAGE_USAGE` says.

    Returns
    -------
    DataFrame or None
        Its first columns, or with ``--all`` every column. With ``--search`` the prompts and answers that hold the
        text: ``created_at model status prompt answer``, or with ``--all`` the table with prompt and answer. None
        with ``--live``.

    Raises
    ------
    CellError
        A word that is none of these.
    LedgerError
        A search where no prompts and answers are stored; it says how to store them.
    """
    left, text = value_of(words, "--search", 'Write %comet usage --search "red kite".')
    is_all, is_live = "--all" in left, "--live" in left
    rest, filters = filters_of("usage", [word for word in left if word not in ("--all", "--live")])
    since = since_of("usage", rest)
    if is_live:
        if is_all or since or filters or text is not None:
            raise CellError(
                "%comet usage --live shows what this kernel spends, and takes nothing else.",
                "Write %comet usage --live alone, or leave --live out for the table.",
            )
        _show_live(kernel)
        return None
    ledger = kernel.shared.ledger
    if text is not None:
        found = ledger.search(text, since, **filters)
        if is_all:
            texts = found[["attempt_id", "prompt", "answer"]]
            return ledger.usage(since, **filters).merge(texts, on="attempt_id")
        return _shortened(found.drop(columns="attempt_id"))
    frame = ledger.usage(since, **filters)
    return frame if is_all else _shortened(frame[_COLUMNS])


def _shortened(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(created_at=frame["created_at"].dt.floor("s"))


def forget_panel() -> None:
    """Have an open panel begin anew."""
    for panel in _panel:
        panel.forget()


def _figures(shared: Shared) -> Figures:
    tally = shared.tally
    return Figures(tally.n_attempts, tally.n_unreported, tally.spent, tally.usage, _budget_left(shared))


def _budget_left(shared: Shared) -> BudgetLeft | None:
    """Return what the budget leaves to calls as they are made now; of several chats, to the one with least left."""
    held = shared.budget
    if held is None:
        return None
    from cometnb.ledger.purse import budget_words

    backend = "simulator" if shared.options.backend == "simulator" else "api"
    chats = (held.conversations(backend) if held.per == "chat" else []) or [""]
    least = min((held.standing(backend, chat) for chat in chats), key=lambda standing: standing.left_usd)
    left_usd = max(least.left_usd, 0.0)
    named = budget_words.name(least.limit_usd, least.per, least.conversation, is_simulated=least.is_simulated)
    return BudgetLeft(
        f"{budget_words.amount(left_usd, least.limit_usd)} left of {named}", left_usd / least.limit_usd
    )


def _show_live(kernel: Kernel) -> None:
    shared = kernel.shared
    while _panel:
        _panel.pop().close()
    watcher = "nobody" if shared.options.live == "off" else watching(kernel.shell)
    if watcher != "front end" or not shows_widgets(kernel.shell.user_ns):
        publish(bundle_of(_figures(shared)))
        return
    # anywidget takes 0.2 s to load, and only here.
    from cometnb.view.spending_panel import SpendingPanel

    _panel.append(SpendingPanel(lambda: _figures(shared), shared.watch))
