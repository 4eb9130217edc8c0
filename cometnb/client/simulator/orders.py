"""What a request or a setting asks of the simulator itself: faults, missing features, and how to go on."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from cometnb.client.simulator.faults import FAULTS, Fault, parsed_fault
from cometnb.client.simulator.gaps import GAPS
from cometnb.client.simulator.reply import Refusal
from cometnb.errors import ConfigError

__all__ = [
    "NO_ORDERS",
    "NUMBERS",
    "SWITCHES",
    "Orders",
    "checked_fault",
    "known_faults",
    "listed",
    "parsed_orders",
]

NUMBERS: dict[str, tuple[int, int, str]] = {
    "rounds": (0, 100, "make that many rounds of function calls, then answer"),
    "calls": (1, 32, "make that many function calls in a round"),
    "rows": (0, 1000, "give the outermost list of a structured answer that many records"),
    "polls": (
        0,
        1000,
        "let a background response be done when it is asked for the Nth time, whatever the pace",
    ),
}
SWITCHES: dict[str, str] = {
    "refusal": "refuse to answer: a message with a refusal instead of text",
    "truncated": "end after half of the answer, as if max_output_tokens had been reached",
    "content_filter": "end after half of the answer, as a content filter does",
}


@dataclass(frozen=True, slots=True)
class Orders:
    """What is asked of the simulator.

    Attributes
    ----------
    fault : Fault or None
    gaps : frozenset of str
        Names of `GAPS`: features the service lacks.
    switches : frozenset of str
        Names of `SWITCHES`.
    rounds, calls, rows, polls : int or None
        As described in `NUMBERS`.
    """

    fault: Fault | None = None
    gaps: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()
    rounds: int | None = None
    calls: int | None = None
    rows: int | None = None
    polls: int | None = None

    def over(self, other: Orders) -> Orders:
        """Return these orders with those of `other` where they say nothing."""
        numbers = {name: _first(getattr(self, name), getattr(other, name)) for name in NUMBERS}
        fault = self.fault or other.fault
        return Orders(fault, self.gaps | other.gaps, self.switches | other.switches, **numbers)


NO_ORDERS = Orders()


def parsed_orders(text: str | None, without: Collection[str] = ()) -> Orders:
    """Read orders such as ``429:times=1``, ``rounds=5 calls=2`` or ``no_state; polls=3``.

    Parameters
    ----------
    text : str or None
        Words apart by white space or semicolons.
    without : collection of str
        Further features that are missing, by their names without ``no_``.

    Raises
    ------
    Refusal
        400, listing what there is, if a word is not known.
    """
    fault, gaps, switches = None, {f"no_{name.removeprefix('no_')}" for name in without}, set()
    numbers: dict[str, Any] = {}
    joined = re.sub(r"\s*([:,=])\s*", r"\1", text or "")
    for word in re.split(r"[\s;]+", joined.strip()):
        name, equals, value = word.partition("=")
        if equals and name in NUMBERS:
            numbers[name] = _number(name, value)
        elif word in SWITCHES:
            switches.add(word)
        elif word.startswith("no_"):
            gaps.add(word)
        elif word:
            fault = parsed_fault(word)
            if fault is None:
                raise _unknown(word)
    for gap in sorted(gaps - GAPS.keys()):
        raise _unknown(gap)
    return Orders(fault, frozenset(gaps), frozenset(switches), **numbers)


def checked_fault(text: str) -> str | None:
    """Return what a line or a command names as ``--fault``, before an answer fails by a name that is none.

    Parameters
    ----------
    text : str
        As for `parsed_orders`, or ``none``, which is no fault.

    Raises
    ------
    ConfigError
        It names no fault.
    """
    if text == "none":
        return None
    step = "Write --fault 429, for example; --fault none is without."
    try:
        orders = parsed_orders(text)
    except Refusal as refusal:
        raise ConfigError(refusal.message, step) from None
    if orders == NO_ORDERS:
        raise ConfigError("--fault names no fault.", step)
    return text


def known_faults() -> tuple[str, ...]:
    """Return the words for a fault, a missing feature or a bad end; each is one that `parsed_orders` takes."""
    return (*FAULTS, *SWITCHES, *GAPS)


def listed() -> str:
    """Return every word there is with what it does, a line each, for help."""
    lines = [f"{name}: {row.message}" for name, row in FAULTS.items()]
    lines += [f"{name}=N: {doc}" for name, (_, _, doc) in NUMBERS.items()]
    lines += [f"{name}: {doc}" for name, doc in SWITCHES.items()]
    lines += [f"{name}: {gap.doc}" for name, gap in GAPS.items()]
    return "\n".join(lines)


def _number(name: str, value: str) -> int:
    low, high, _ = NUMBERS[name]
    if not value.isdecimal() or not low <= int(value) <= high:
        raise Refusal(
            400, f"{name}={value} is not from {low} to {high}", "invalid_request", "metadata.simulate"
        )
    return int(value)


def _unknown(word: str) -> Refusal:
    known = ", ".join([*known_faults(), *(f"{name}=N" for name in NUMBERS)])
    message = f"The simulator knows no fault {word!r}. Known: {known}"
    options = "options of a fault: :times=N, :retry_after=SECONDS, :at=EVENTS"
    return Refusal(400, f"{message}; {options}", "invalid_request", "metadata.simulate")


def _first(value: int | None, default: int | None) -> int | None:
    return default if value is None else value
