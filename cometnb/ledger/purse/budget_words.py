"""What a budget says: why a call was refused or stopped, and what to type about it."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from cometnb.errors import BudgetExceededError
from cometnb.ledger.purse.standing import Standing
from cometnb.protocol.counted import counted

if TYPE_CHECKING:
    from cometnb.ledger.purse.worst_case import Worst

__all__ = [
    "amount",
    "capped",
    "command",
    "left",
    "let_through_unpriced",
    "name",
    "nearly_spent",
    "refused",
    "spent_parts",
    "stopped",
    "uncounted",
    "unpriced",
]

_WHOSE = {"kernel": "this kernel", "day": "today"}
# What a call without a limit of its own is thought to need, when a larger budget is proposed.
_USUAL_TOKENS = 2_048


def amount(usd: float, limit_usd: float) -> str:
    """Return US dollars with as many decimals as it takes to compare them with a limit.

    Examples
    --------
    >>> amount(0.49731, 0.5), amount(12.3, 20.0), amount(0.5, 0.5)
    ('$0.4973', '$12.300', '$0.5000')
    """
    decimals = max(2, 3 - floor(log10(limit_usd)))
    return f"{'-' if usd < 0 else ''}${abs(usd):,.{decimals}f}"


def name(limit_usd: float, per: str, conversation: str = "", *, is_simulated: bool = False) -> str:
    """Return what a budget is called: ``$0.50 for this kernel``."""
    chat = f"the chat {conversation!r}" if conversation else "calls without a chat"
    money = "simulated " if is_simulated else ""
    return f"{money}${_plain(limit_usd)} for {_WHOSE.get(per, chat)}"


def command(limit_usd: float, standing: Standing, *, allows_unpriced: bool | None = None) -> str:
    """Return what sets this budget to another limit: the magic's line, or Python where one's own clients ask it."""
    is_open = standing.allows_unpriced if allows_unpriced is None else allows_unpriced
    is_other = standing.per != "kernel"
    if standing.is_shared:
        per = f" --per {standing.per}" if is_other else ""
        return f"%comet budget {_plain(limit_usd)}{per}{' --allow-unpriced' if is_open else ''}"
    per = f', per="{standing.per}"' if is_other else ""
    return f"budget.change({_plain(limit_usd)}{per}{', allows_unpriced=True' if is_open else ''})"


def left(standing: Standing) -> str:
    """Return what a call may still cost: ``$0.0500``, or ``nothing``."""
    return amount(standing.left_usd, standing.limit_usd) if standing.left_usd > 0 else "nothing"


def spent_parts(standing: Standing) -> str:
    """Return what counts against the limit: ``$0.4000 spent, $0.0500 reserved by 1 running call``."""
    limit_usd = standing.limit_usd
    parts = [f"{amount(standing.known_usd, limit_usd)} spent"]
    if standing.n_held:
        calls = counted(standing.n_held, "ended call of unknown cost", "ended calls of unknown cost")
        parts.append(f"{amount(standing.held_usd, limit_usd)} held for {calls}")
    if standing.n_running:
        calls = counted(standing.n_running, "running call", "running calls")
        parts.append(f"{amount(standing.reserved_usd, limit_usd)} reserved by {calls}")
    return ", ".join(parts)


def refused(
    worst: Worst, standing: Standing, *, fits_tokens: int | None, waiting_helps: bool
) -> BudgetExceededError:
    """Return why a call is not sent.

    Parameters
    ----------
    worst : Worst
    standing : Standing
    fits_tokens : int or None
        The ``max_output_tokens`` that would do; None if none does.
    waiting_helps : bool
        Whether more would do once the running calls have ended.
    """
    limit_usd = standing.limit_usd
    wanted = worst.max_output_tokens
    output_tokens = 16 if wanted is None else wanted
    up_to = "the fewest tokens of output, 16" if wanted is None else f"max_output_tokens={wanted}"
    fees = f", {amount(worst.fees_usd, limit_usd)} of tool fees" if worst.fees_usd else ""
    fact = (
        f"Not sent: it could cost {amount(worst.usd(output_tokens), limit_usd)} "
        f"({amount(worst.input_usd, limit_usd)} for at most {worst.input_tokens:,} tokens of input, "
        f"{amount(output_tokens * worst.usd_per_output_token, limit_usd)} for {up_to}{fees}), "
        f"and of the budget of {_named(standing)} {left(standing)} is left: "
        f"{spent_parts(standing)}."
    )
    needed_usd = (
        standing.spent_usd + standing.reserved_usd + worst.usd(_USUAL_TOKENS if wanted is None else wanted)
    )
    larger = command(_rounded_up(needed_usd), standing)
    flag = "--max-output-tokens " if standing.is_shared else "max_output_tokens="
    steps = [f"{flag}{fits_tokens} fits"] if fits_tokens is not None else []
    steps += ["wait for what is running"] if waiting_helps else []
    steps += [f"{'raise it' if steps else 'Raise it'}: {larger}"]
    return BudgetExceededError(fact, ", or ".join(steps))


def unpriced(model: str, reason: str, standing: Standing) -> BudgetExceededError:
    """Return why a call to a model is not sent whose price is not known."""
    line = command(standing.limit_usd, standing, allows_unpriced=True)
    return BudgetExceededError(
        f"Not sent: there is a budget of {_named(standing)}, and what {model} costs is not known ({reason}).",
        f"Give its price in your own table (%comet prices {model} says how), or let such models through: {line}",
    )


def stopped(output_tokens: int, so_far_usd: float, standing: Standing) -> BudgetExceededError:
    """Return why a stream was ended."""
    limit_usd = standing.limit_usd
    needed_usd = standing.spent_usd + standing.reserved_usd + so_far_usd
    larger = command(_rounded_up(needed_usd), standing)
    return BudgetExceededError(
        f"Stopped after about {output_tokens:,} tokens of output, {amount(so_far_usd, limit_usd)} so far: "
        f"the budget of {_named(standing)} is used up, with {spent_parts(standing)}.",
        f"The text so far is kept. Raise the budget to ask again: {larger}",
    )


def capped(max_output_tokens: int, standing: Standing) -> str:
    """Return the note on a call that was given a limit."""
    return (
        f"max_output_tokens={max_output_tokens} was added, so that the answer cannot cross the budget of "
        f"{_named(standing)}."
    )


def nearly_spent(standing: Standing) -> str:
    """Return the note on the first call after most of a budget is spent."""
    share = standing.spent_usd / standing.limit_usd
    return (
        f"{share:.0%} of the budget of {_named(standing)} is spent: {spent_parts(standing)}, "
        f"{left(standing)} left."
    )


def let_through_unpriced(reason: str) -> str:
    """Return the note on a call that no budget can count."""
    return f"The budget does not count this call: {reason}."


def uncounted(what: str) -> str:
    """Return the note on a call that may cost more than its worst case says."""
    return f"The budget can count {what} only once the call has ended."


def _named(standing: Standing) -> str:
    return name(standing.limit_usd, standing.per, standing.conversation, is_simulated=standing.is_simulated)


def _plain(usd: float) -> str:
    """Return a number without an exponent, with at least two decimals: ``0.50``, ``0.0005``."""
    decimals = max(2, 5 - floor(log10(usd)))
    whole, _, part = f"{usd:.{decimals}f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def _rounded_up(usd: float) -> float:
    """Return an amount with two digits that count, not below `usd`."""
    unit = 10.0 ** (floor(log10(usd)) - 1) if usd > 0 else 0.01
    return ceil(usd / unit) * unit
