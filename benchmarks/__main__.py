"""The command: measure the rows asked for, print their tables and keep them in ``benchmarks/results``."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.child import ROOT
from benchmarks.comparison.environments import DEFAULT_FOLDER, prepare
from benchmarks.concurrency import many_streams
from benchmarks.decoding import decoder_growth, folding_growth
from benchmarks.delay import delay
from benchmarks.feed import running_feed
from benchmarks.frame import usage_frame
from benchmarks.loading import import_cpu, load_cpu
from benchmarks.machine import load_average, machine, versions
from benchmarks.page import long_tasks
from benchmarks.plan import RIVALS, Plan
from benchmarks.recording import processes, recording
from benchmarks.report import Measured, kept, page, save
from benchmarks.streaming import client_cpu, client_growth
from benchmarks.tables import Section
from benchmarks.traffic import traffic, traffic_growth

__all__: list[str] = []

_RESULTS = ROOT / "benchmarks" / "results"

# Rows of the table of numbers to reach -> what is measured for them, and whose versions belong to it.
_ROWS: dict[int, tuple[tuple[Callable[[Plan], Section], ...], tuple[str, ...]]] = {
    1: ((client_cpu,), ("httpx", "openai", "chatlas", "lisette")),
    2: ((client_growth, folding_growth, decoder_growth), ("httpx", "openai")),
    3: ((traffic, traffic_growth), ("chatlas", "lisette", "jupyter-ai-magic-commands", "jupyter-ai-magics")),
    4: ((long_tasks,), ()),
    5: ((delay,), ()),
    6: ((import_cpu, load_cpu), tuple(slug for slug in RIVALS if slug != "aiohttp")),
    7: ((many_streams,), ("httpx", "aiohttp", "openai")),
    8: ((recording, processes), ()),
    9: ((usage_frame,), ()),
}


def _main() -> None:
    arguments = _arguments()
    if not arguments.quick:
        wanted = {slug for row in arguments.rows for slug in _ROWS[row][1]}
        prepare([rival for slug, rival in RIVALS.items() if slug in wanted], arguments.environments)
    before = {} if arguments.quick else kept(arguments.results)
    with running_feed() as feed_url:
        plan = Plan(feed_url, arguments.environments, arguments.quick, arguments.rounds)
        for row in arguments.rows:
            measured = _measured(row, plan)
            print(f"\n{page([measured])}", flush=True)
            if not arguments.quick:
                before[row] = measured
                _keep(before, arguments.results)
    if arguments.quick:
        print("A quick run shows that it runs; its numbers mean nothing and are not kept.")


def _measured(row: int, plan: Plan) -> Measured:
    measures, slugs = _ROWS[row]
    load, began_s = load_average(), time.monotonic()
    sections = []
    for measure in measures:
        print(f"row {row}: {measure.__doc__}", flush=True)
        sections.append(measure(plan))
    return Measured(
        row=row,
        day=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=machine(),
        load=load,
        taken_s=time.monotonic() - began_s,
        versions=versions(),
        rivals=plan.versions(slugs),
        sections=sections,
    )


def _keep(rows: dict[int, Measured], folder: Path) -> None:
    """Write what is known by now, so that a run that is broken off leaves the rows it has finished."""
    from benchmarks.pictures import draw

    save(rows, folder)
    draw([section for row in sorted(rows) for section in rows[row].sections], folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a small version in a minute, which installs nothing and keeps no results",
    )
    parser.add_argument(
        "--rows",
        type=_rows,
        default=sorted(_ROWS),
        metavar="N,N",
        help="which rows to measure (default: all there are); the others keep what they have",
    )
    parser.add_argument(
        "--rounds", type=_positive, metavar="N", help="rounds of whatever is repeated (default: 2 to 5)"
    )
    parser.add_argument(
        "--environments",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="FOLDER",
        help=f"where the others are installed, each in an environment of its own (default: {DEFAULT_FOLDER})",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=_RESULTS,
        metavar="FOLDER",
        help=f"where the page, its pictures and the figures are kept (default: {_RESULTS})",
    )
    return parser.parse_args()


def _rows(given: str) -> list[int]:
    rows = [int(part) if part.strip().isdecimal() else -1 for part in given.split(",")]
    if not set(rows) <= set(_ROWS):
        raise argparse.ArgumentTypeError(f"{given!r} is not among the rows {','.join(map(str, _ROWS))}")
    return rows


def _positive(given: str) -> int:
    if not given.isdecimal() or not int(given):
        raise argparse.ArgumentTypeError(f"{given!r} is not a number of at least 1")
    return int(given)


if __name__ == "__main__":
    _main()
