"""``%comet budget``: how much calls may cost, how much of it is spent, and how to change it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from cometnb.errors import CellError
from cometnb.ledger.purse.budget_words import amount, left, name
from cometnb.ledger.purse.spending import Per
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import say
from cometnb.protocol.counted import counted

if TYPE_CHECKING:
    from cometnb.defaults import Shared
    from cometnb.ledger.budget import Budget
    from cometnb.ledger.purse.standing import Standing

__all__ = ["BUDGET_USAGE", "budget"]

BUDGET_USAGE = "[USD|off] [--per kernel|day|chat] [--allow-unpriced]"

# $0.50, 0.50 USD, USD 0.50; a number of another form is refused rather than guessed at.
_AMOUNT = re.compile(r"(?:\$|usd)?\s*([\d.,_eE+-]+|nan|inf)\s*(?:\$|usd)?", re.IGNORECASE)
_EXAMPLE = "%comet budget 0.50"
_PER: dict[str, Per] = {"kernel": "kernel", "day": "day", "chat": "chat"}


@dataclass
class _Wish:
    """What a line asks for; without an amount nothing is to change."""

    limit_usd: float | None = None
    is_off: bool = False
    per: Per = "kernel"
    allows_unpriced: bool = False


def budget(kernel: Kernel, words: list[str]) -> None:
    """Show the budget, set it, or take it away.

    Parameters
    ----------
    kernel : Kernel
    words : list of str
        As `BUDGET_USAGE` says. A budget that is set again keeps what was spent.

    Raises
    ------
    CellError
        No amount above 0, or a word that is none of these.
    """
    wish = _wish(words)
    shared = kernel.shared
    if wish.is_off:
        _take_away(shared)
    elif wish.limit_usd is not None:
        _set(shared, wish.limit_usd, wish)
        _show(shared)
    elif shared.budget is None:
        say(f"No budget is set: calls are sent whatever they cost. {_EXAMPLE} sets one for this kernel.")
    else:
        _show(shared)


def _take_away(shared: Shared) -> None:
    if shared.budget is None:
        say("No budget was set.")
        return
    shared.set_budget(None)
    say("The budget is off: calls are sent whatever they cost.")


def _set(shared: Shared, limit_usd: float, wish: _Wish) -> None:
    held = shared.budget
    if held is None:
        # It loads the prices; a kernel without a budget needs none.
        from cometnb.ledger.budget import Budget

        held = Budget(limit_usd)
        before = shared.tally.spent
        held.count_before(before.usd + before.fees_usd, "api")
        held.count_before(before.simulated_usd + before.simulated_fees_usd, "simulator")
        if before.n_unpriced and wish.per == "kernel":
            attempts = counted(before.n_unpriced, "attempt")
            say(f"Not counted, since the cost is not known: {attempts} before this budget.\n")
    held.change(limit_usd, per=wish.per, ledger=shared.ledger, allows_unpriced=wish.allows_unpriced)
    shared.set_budget(held)


def _show(shared: Shared) -> None:
    held = shared.budget
    if held is None:
        return
    used = "simulator" if shared.options.backend == "simulator" else "api"
    other = "api" if used == "simulator" else "simulator"
    lines = _purse(held, used)
    elsewhere = [held.standing(other, chat) for chat in (held.conversations(other) or [""])]
    if any(one.spent_usd or one.reserved_usd for one in elsewhere):
        lines += ["", *_purse(held, other)]
    if held.per == "day":
        lines += [
            "",
            f"A day begins at local midnight; the kernels that share it write to {shared.ledger.location}.",
        ]
    if held.allows_unpriced:
        lines.append("Models whose price is not known are asked, and not counted.")
    say("\n".join(lines))


def _purse(held: Budget, backend: str) -> list[str]:
    chats = (held.conversations(backend) or [""]) if held.per == "chat" else [""]
    return [line for chat in chats for line in _rows(held.standing(backend, chat))]


def _rows(standing: Standing) -> list[str]:
    limit_usd = standing.limit_usd
    rows = {
        "budget": name(limit_usd, standing.per, standing.conversation, is_simulated=standing.is_simulated),
        "spent": f"{amount(standing.known_usd, limit_usd)}{_SINCE[standing.per]}",
    }
    if standing.n_held:
        rows["held"] = (
            f"{amount(standing.held_usd, limit_usd)}, the worst case of {standing.n_held} ended "
            f"{'call' if standing.n_held == 1 else 'calls'} whose cost is not known"
        )
    if standing.n_running:
        rows["reserved"] = (
            f"{amount(standing.reserved_usd, limit_usd)} for {standing.n_running} running "
            f"{'call' if standing.n_running == 1 else 'calls'}"
        )
    else:
        rows["reserved"] = f"{amount(0.0, limit_usd)}, nothing is running"
    rows["left"] = left(standing)
    return [f"{label:12} {text}" for label, text in rows.items()]


_SINCE = {
    "kernel": " since the kernel started",
    "day": " today, by all kernels",
    "chat": " since the budget was set",
}


def _wish(words: list[str]) -> _Wish:
    wish = _Wish()
    amounts: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        flag, equals, value = word.partition("=")
        if flag == "--per":
            wish.per = _per(value if equals else (waiting.pop(0) if waiting else ""))
        elif word == "--allow-unpriced":
            wish.allows_unpriced = True
        elif word == "off":
            wish.is_off = True
        elif word.startswith("--"):
            raise CellError(f"%comet budget does not know {word!r}.", f"Usage: %comet budget {BUDGET_USAGE}")
        else:
            amounts.append(word)
    if wish.is_off and len(words) > 1:
        raise CellError("%comet budget off takes nothing else.", "Write %comet budget off alone.")
    if amounts:
        wish.limit_usd = _usd(" ".join(amounts))
    elif words and not wish.is_off:
        raise CellError(
            f"%comet budget {' '.join(words)} names no amount.", f"Write {_EXAMPLE} {' '.join(words)}"
        )
    return wish


def _per(word: str) -> Per:
    if word not in _PER:
        raise CellError(
            f"--per {word!r} is none of: {', '.join(_PER)}.", f"Write {_EXAMPLE} --per day, for example."
        )
    return _PER[word]


def _usd(text: str) -> float:
    found = _AMOUNT.fullmatch(text.strip())
    try:
        usd = float(found[1]) if found else 0.0
    except ValueError:
        usd = 0.0
    if not isfinite(usd) or usd <= 0:
        raise CellError(
            f"%comet budget {text!r} is no amount of US dollars above 0.",
            f"Write {_EXAMPLE} for 50 cents, or %comet budget off.",
        )
    return usd
