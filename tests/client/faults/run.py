"""Many calls against a server that does wrong: each must end in time, in a known way, recorded once, its text kept."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.client.client import AsyncClient, Client
from cometnb.errors import CometError
from cometnb.protocol.response import Response
from tests.client.faults.server import FaultServer, Met, running_fault_server
from tests.client.faults.troubles import TROUBLES

__all__ = ["Outcome", "Report", "run"]

_KEY = "sk-canary-0123456789abcdef"
_PROMPT = "Describe what you see, é世🙂, in a few words."

# Short, so that a server that stalls is left soon, and long enough for a machine that has other things to do.
_LIMITS: Mapping[str, Any] = {"timeout_s": 15.0, "idle_timeout_s": 5.0, "max_retries": 1}
# More than both attempts' limits and the wait between them.
_LONGEST_S = 60.0
_SIDE_BY_SIDE = 80


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
    faults : list of str
        What was wrong, a sentence each; empty if nothing was.
    """

    n_calls: int = 0
    n_requests: int = 0
    n_attempts: int = 0
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def run(n_calls: int, seed: int) -> Report:
    """Make calls in four ways (sync or not, streamed or not) and judge every one.

    Parameters
    ----------
    n_calls : int
    seed : int
        Of the troubles' order and places.
    """
    chance = random.Random(seed)
    names = [chance.choice(sorted(TROUBLES)) for _ in range(n_calls)]
    before = _open_things()
    attempts: list[Attempt] = []
    with running_fault_server(lambda metadata: names[int(metadata["call"])], seed) as server:
        outcomes = _all_called(server, n_calls, attempts)
        left = _left(server)
    report = Report(n_calls, len(server.met), len(attempts))
    report.faults += left + _grown(before)
    by_call = _by_call(server.met)
    for outcome in outcomes:
        own = [one for one in attempts if one.labels["tag"] == outcome.call]
        trouble = names[int(outcome.call)]
        report.ends[trouble, own[-1].status if own else "no row"] += 1
        found = _judged(outcome, trouble, own, by_call.get(outcome.call, []))
        report.faults += [f"call {outcome.call} ({trouble}): {fault}" for fault in found]
    return report


def _all_called(server: FaultServer, n_calls: int, attempts: list[Attempt]) -> list[Outcome]:
    calls = [str(number) for number in range(n_calls)]
    outcomes: list[Outcome] = []
    with Client(_KEY, server.base_url, observers=[attempts.append], **_LIMITS) as client:
        threads = [
            threading.Thread(target=_called, args=(client, calls[start : n_calls // 2 : 40], outcomes))
            for start in range(40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    asyncio.run(_called_side_by_side(server, calls[n_calls // 2 :], attempts, outcomes))
    return outcomes


def _called(client: Client, calls: Sequence[str], outcomes: list[Outcome]) -> None:
    for call in calls:
        outcome, started_s = Outcome(call), time.monotonic()
        try:
            with client.stream(
                _PROMPT, stream=_streams(call), labels={"tag": call}, **_params(call)
            ) as stream:
                for _ in stream:
                    pass
            outcome.response = stream.response
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is judged
            outcome.error, outcome.response = error, getattr(error, "response", None)
        outcome.duration_s = time.monotonic() - started_s
        outcomes.append(outcome)


async def _called_side_by_side(
    server: FaultServer, calls: Sequence[str], attempts: list[Attempt], outcomes: list[Outcome]
) -> None:
    room = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def called(client: AsyncClient, call: str) -> None:
        async with room:
            outcome, started_s = Outcome(call), time.monotonic()
            try:
                stream = client.stream(_PROMPT, stream=_streams(call), labels={"tag": call}, **_params(call))
                async with stream:
                    async for _ in stream:
                        pass
                outcome.response = stream.response
            except BaseException as error:  # noqa: BLE001  # whatever it is, it is judged
                outcome.error, outcome.response = error, getattr(error, "response", None)
            outcome.duration_s = time.monotonic() - started_s
            outcomes.append(outcome)

    async with AsyncClient(_KEY, server.base_url, observers=[attempts.append], **_LIMITS) as client:
        await asyncio.gather(*(called(client, call) for call in calls))
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        outcomes.append(Outcome("0", error=RuntimeError(f"tasks are left: {others}")))


def _streams(call: str) -> bool:
    return int(call) % 2 == 0


def _params(call: str) -> dict[str, Any]:
    return {"metadata": {"call": call}, "reasoning": {"effort": "none"}}


def _judged(outcome: Outcome, trouble: str, own: Sequence[Attempt], met: Sequence[Met]) -> Iterator[str]:
    row = TROUBLES[trouble]
    if outcome.error is not None and not isinstance(outcome.error, CometError):
        yield f"ended with {outcome.error!r}"
    if outcome.error is not None and len(str(outcome.error).splitlines()) > 2:
        yield f"the error has more than two lines: {outcome.error}"
    if _KEY in f"{outcome.error!r} {outcome.error}":
        yield "the key stands in the error"
    if outcome.duration_s > _LONGEST_S:
        yield f"took {outcome.duration_s:.1f} s"
    if len(own) != len(met):
        yield f"{len(met)} requests were seen and {len(own)} attempts recorded"
    if len({one.attempt_id for one in own}) != len(own) or len({one.call_id for one in own}) > 1:
        yield "its attempts do not have an id each and one call's"
    if not own:
        return
    last = own[-1]
    if last.status not in row.ends:
        yield f"is recorded as {last.status}, not {' or '.join(sorted(row.ends))}"
    if (outcome.error is None) != (last.status == "completed"):
        yield f"is recorded as {last.status}, and its caller got {outcome.error!r}"
    if row.keeps_text and met and (missing := _missing(met[-1], last.response)):
        yield f"{missing!r} was sent whole and is not in {last.response.output_text!r}"


def _missing(met: Met, response: Response) -> str:
    """Return the text of the deltas that were sent whole, if the response does not begin with it."""
    # Framing may stand between two events, and within one only where the server cut it.
    events = re.findall(
        rb'data: ?(\{"type":"response\.output_text\.delta".*?\})(?:\r\n|\r|\n){2}', bytes(met.sent)
    )
    text = ""
    for event in events:
        try:
            text += json.loads(event)["delta"]
        except ValueError:
            break
    return "" if response.output_text.startswith(text) else text


def _by_call(met: Sequence[Met]) -> dict[str, list[Met]]:
    found: dict[str, list[Met]] = {}
    for one in met:
        found.setdefault(one.call, []).append(one)
    return found


def _left(server: FaultServer) -> list[str]:
    until_s = time.monotonic() + 10
    while server.n_open and time.monotonic() < until_s:
        time.sleep(0.01)
    return [f"{server.n_open} connections are still open"] if server.n_open else []


def _open_things() -> Mapping[str, int]:
    gc.collect()
    files = Path("/proc/self/fd")
    return {
        "threads": threading.active_count(),
        "files": len(list(files.iterdir())) if files.is_dir() else 0,
    }


def _grown(before: Mapping[str, int]) -> list[str]:
    after = _open_things()
    return [f"{after[name]} {name} are open, {n} before" for name, n in before.items() if after[name] > n]


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.client.faults.run", description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started_s = time.monotonic()
    report = run(given.calls, given.seed)
    for (trouble, status), count in sorted(report.ends.items()):
        print(f"{trouble:18} {status:12} {count:5}")  # noqa: T201  # it is the command's answer
    for fault in report.faults:
        print(f"WRONG: {fault}")  # noqa: T201
    counts = f"{report.n_calls} calls, {report.n_requests} requests, {report.n_attempts} rows"
    print(f"{counts}, {len(report.faults)} wrong, {time.monotonic() - started_s:.0f} s")  # noqa: T201
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(_main())
