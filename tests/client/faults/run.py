"""Many calls against a server that does wrong, in one of several ways, with a ledger; then everything is judged."""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cometnb.client.attempt import Attempt, Observer
from cometnb.client.faults.server import FaultServer, Met, running_fault_server
from cometnb.ledger.store import Ledger
from tests.client.faults.frames import frame_judged
from tests.client.faults.judging import LIMITS, Limits, Outcome, Report, judged, judged_alone
from tests.client.faults.things import grown, open_things
from tests.client.faults.ways import WAYS

__all__ = ["run"]


def run(
    n_calls: int, seed: int, through: str = "client", names: Sequence[str] = (), limits: Limits = LIMITS
) -> Report:
    """Make calls, and judge every one and what is left behind.

    Parameters
    ----------
    n_calls : int
    seed : int
        Of the troubles' order and places.
    through : str
        A key of `WAYS`, or ``frame``.
    names : sequence of str
        Of the troubles to choose from; none is all.
    limits : dict, optional
        Of the clients.
    """
    _warm_up()
    usual = tempfile.tempdir
    with tempfile.TemporaryDirectory() as folder:
        # One of its own, so that what others leave in the usual one is not counted.
        tempfile.tempdir = folder
        try:
            before = open_things()
            report = _run(n_calls, seed, through, names, limits)
            report.wrong += grown(before, open_things())
        finally:
            tempfile.tempdir = usual
    return report


def _run(n_calls: int, seed: int, through: str, names: Sequence[str], limits: Limits) -> Report:
    met: list[Met] = []
    attempts: list[Attempt] = []
    outcomes: list[Outcome] = []
    wrong: list[str] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_fault_server(seed, names, on_request=met.append) as server,
        closing(Ledger(Path(folder) / "ledger.db")) as ledger,
    ):
        observers: list[Observer] = [ledger, attempts.append]
        if through == "frame":
            wrong += frame_judged(server, n_calls, observers, limits, Path(folder))
        else:
            calls = [str(number) for number in range(n_calls)]
            outcomes += WAYS[through](server.base_url, calls, observers, limits)
        wrong += _left(server)
        wrong += _unlike(ledger, attempts)
    report = Report(n_calls, len(met), len(attempts), wrong=wrong)
    if through in ("frame", "background"):
        # Looks at a response and rows of a table have no line of their own: their attempts are judged by number.
        report.wrong += [f"call {one.call}: {fault}" for one in outcomes for fault in judged_alone(one)]
        report.wrong += _uncounted(attempts, met)
        report.ends.update((one.error_code or "", one.status) for one in attempts)
    else:
        ends, faults = judged(outcomes, attempts, met)
        report.ends.update(ends)
        report.wrong += faults
    return report


def _unlike(ledger: Ledger, attempts: Sequence[Attempt]) -> list[str]:
    """Return what the ledger tells otherwise than its observers were told."""
    rows = ledger.usage()
    written = dict(zip(rows["attempt_id"], rows["status"], strict=True))
    told = {one.attempt_id: one.status for one in attempts}
    if written == told and len(rows) == len(told):
        return []
    return [
        f"the ledger has {len(rows)} rows, and {len(attempts)} attempts were told, or they differ in status"
    ]


def _uncounted(attempts: Sequence[Attempt], met: Sequence[Met]) -> list[str]:
    """Return whether a request for a response has no row; what was looked at later is told once, at its end."""
    n_posted = sum(1 for one in met if one.method == "POST")
    n_rows = sum(1 for one in attempts if one.method == "POST")
    return [f"{n_posted} requests were posted and {n_rows} attempts recorded"] * (n_posted != n_rows)


def _left(server: FaultServer) -> list[str]:
    until_s = time.monotonic() + 10
    while server.n_open and time.monotonic() < until_s:
        gc.collect()
        time.sleep(0.01)
    return [f"{server.n_open} connections are still open"] if server.n_open else []


def _warm_up() -> None:
    """Do once what leaves things behind for the whole process: modules that are loaded, and threads they start."""
    _run(2, 0, "client", ["none"], LIMITS)


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.client.faults.run", description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--through", choices=[*WAYS, "frame"], default="client")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="troubles to choose from")
    given = parser.parse_args()
    started_s = time.monotonic()
    report = run(given.calls, given.seed, given.through, given.only)
    print(f"{report}, {time.monotonic() - started_s:.0f} s")  # noqa: T201  # it is the command's answer
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(_main())
