"""Calls against the fault server, judged: each ends in time, in a known way, recorded once, with its text kept."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.client.faults.server import Met
from cometnb.client.faults.troubles import TROUBLES, Left
from cometnb.errors import CometError
from cometnb.protocol.response import Response

__all__ = [
    "KEY",
    "LIMITS",
    "LONGEST_S",
    "PROMPT",
    "Limits",
    "Outcome",
    "Report",
    "judged",
    "judged_alone",
    "params_of",
]

Limits = dict[str, Any]
"""Of a client: ``timeout_s``, ``idle_timeout_s`` and ``max_retries``."""

KEY = "sk-canary-0123456789abcdef"
PROMPT = "Describe what you see, é世🙂, in a few words."

# Nothing that ends comes near them, on a machine that has other things to do either; what never ends takes as long.
LIMITS: Limits = {"timeout_s": 60.0, "idle_timeout_s": 20.0, "max_retries": 1}
# More than a call's limit, and the waits of those before it.
LONGEST_S = 180.0

_LOST = frozenset({"truncated", "error", "failed"})
_ENDS: Mapping[Left, frozenset[str]] = {
    "all": frozenset({"completed"}),
    "part": _LOST,
    "any": _LOST | {"completed"},
}


@dataclass
class Outcome:
    """How one call ended for its caller.

    Attributes
    ----------
    call : str
    response : Response or None
        What the caller got, or what stood in the error.
    error : BaseException or None
    duration_s : float
    """

    call: str
    response: Response | None = None
    error: BaseException | None = None
    duration_s: float = 0.0


@dataclass
class Report:
    """What a run found.

    Attributes
    ----------
    n_calls, n_requests, n_attempts : int
        Asked for, seen by the server, and recorded.
    ends : Counter
        (trouble, status) to how often.
    wrong : list of str
        A sentence each; empty if nothing was.
    """

    n_calls: int = 0
    n_requests: int = 0
    n_attempts: int = 0
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = [f"{trouble:18} {status:12} {n:6,}" for (trouble, status), n in sorted(self.ends.items())]
        counts = f"{self.n_calls:,} calls, {self.n_requests:,} requests, {self.n_attempts:,} rows"
        return "\n".join(
            [*rows, *(f"WRONG: {fault}" for fault in self.wrong), f"{counts}, {len(self.wrong)} wrong"]
        )


def params_of(call: str) -> dict[str, Any]:
    """Return what a call sends besides the prompt; each has an order of troubles of its own."""
    return {"metadata": {"fault_line": call}, "reasoning": {"effort": "none"}}


def judged(
    outcomes: Sequence[Outcome], attempts: Sequence[Attempt], met: Sequence[Met]
) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Return how often each trouble ended how, and what was wrong."""
    ends: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    for outcome in outcomes:
        own = [one for one in attempts if one.labels["tag"] == outcome.call]
        of_call = [one for one in met if one.line == outcome.call]
        ends.update((one.trouble, row.status) for one, row in zip(of_call, own, strict=False))
        names = ", ".join(one.trouble for one in of_call)
        wrong += [f"call {outcome.call} ({names}): {fault}" for fault in _of_call(outcome, own, of_call)]
    return ends, wrong


def judged_alone(outcome: Outcome) -> Iterator[str]:
    """Yield what is wrong with an outcome, whatever the server did."""
    error = outcome.error
    if error is not None and not isinstance(error, CometError):
        yield f"ended with {error!r}"
    if error is not None and len(str(error).splitlines()) > 2:
        yield f"the error has more than two lines: {error}"
    if KEY in f"{error!r} {error}":
        yield "the key stands in the error"
    if outcome.duration_s > LONGEST_S:
        yield f"took {outcome.duration_s:.1f} s"


def _of_call(outcome: Outcome, own: Sequence[Attempt], met: Sequence[Met]) -> Iterator[str]:
    yield from judged_alone(outcome)
    if len(own) != len(met):
        yield f"{len(met)} requests were seen and {len(own)} attempts recorded"
    if len({one.attempt_id for one in own}) != len(own) or len({one.call_id for one in own}) > 1:
        yield "its attempts do not have an id each and one call's"
    for one, attempt in zip(met, own, strict=False):
        yield from _of_attempt(one, attempt)
    if own and (outcome.error is None) != (own[-1].status == "completed"):
        yield f"is recorded as {own[-1].status}, and its caller got {outcome.error!r}"


def _of_attempt(met: Met, attempt: Attempt) -> Iterator[str]:
    row = TROUBLES[met.trouble]
    ends = _ENDS["any" if met.is_behind_garbage else row.left]
    if attempt.status not in ends:
        yield f"{met.trouble} is recorded as {attempt.status}, {attempt.error_code}, and not {' or '.join(sorted(ends))}"
    text = attempt.response.output_text
    if attempt.status == "completed" and not text:
        yield f"{met.trouble} is completed without a text"
    if row.keeps_text and not met.is_behind_garbage and not text.startswith(sent := _text_sent(met)):
        yield f"{met.trouble}, {attempt.error_code}: {sent!r} was sent whole and is not in {text!r}"


def _text_sent(met: Met) -> str:
    """Return the text of the deltas that were sent whole."""
    # Framing may stand between two events, and within one only where the server cut it.
    events = re.findall(
        rb'data: ?(\{"type":"response\.output_text\.delta".*?\})(?:\r\n|\r|\n){2}', bytes(met.sent)
    )
    text = ""
    for event in events:
        try:
            delta = json.loads(event)["delta"]
        except ValueError:
            break
        text += delta if isinstance(delta, str) else ""
    return text
