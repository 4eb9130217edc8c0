"""The command: measure the rows asked for, print their tables and keep them in ``benchmarks/results``."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from benchmarks.child import ROOT
from benchmarks.concurrency import many_streams
from benchmarks.decoding import decoder_growth, folding_growth
from benchmarks.delay import delay
from benchmarks.feed import running_feed
from benchmarks.frame import usage_frame
from benchmarks.loading import import_cpu, load_cpu
from benchmarks.page import long_tasks
from benchmarks.recording import processes, recording
from benchmarks.streaming import client_cpu, client_growth
from benchmarks.tables import Section, as_json, as_markdown
from benchmarks.traffic import traffic, traffic_growth

__all__: list[str] = []

_RESULTS = ROOT / "benchmarks" / "results"
_PACKAGES = ("cometnb", "httpx", "openai", "chatlas", "ipykernel", "pandas", "SQLAlchemy")

# Rows of the table of numbers to reach -> what is measured for them.
_ROWS: dict[int, tuple[Callable[..., Section], ...]] = {
    1: (client_cpu,),
    2: (client_growth, folding_growth, decoder_growth),
    3: (traffic, traffic_growth),
    4: (long_tasks,),
    5: (delay,),
    6: (import_cpu, load_cpu),
    7: (many_streams,),
    8: (recording, processes),
    9: (usage_frame,),
}
_NEEDS_FEED = (client_cpu, client_growth, many_streams)


def _main() -> None:
    arguments = _arguments()
    sections = list(_measured(arguments.rows, is_quick=arguments.quick))
    versions = _versions()
    report = as_markdown(sections, versions)
    print(f"\n{report}")
    if arguments.quick:
        print("A quick run shows that it runs; its numbers mean nothing and are not kept.")
        return
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / "latest.md").write_text(report, "utf-8")
    (_RESULTS / "latest.json").write_text(json.dumps(as_json(sections, versions), indent=1) + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a small version in seconds, which keeps no results"
    )
    parser.add_argument(
        "--rows",
        type=_rows,
        default=sorted(_ROWS),
        metavar="N,N",
        help="which rows to measure (default: all there are)",
    )
    return parser.parse_args()


def _rows(given: str) -> list[int]:
    rows = [int(part) if part.strip().isdecimal() else -1 for part in given.split(",")]
    if not set(rows) <= set(_ROWS):
        raise argparse.ArgumentTypeError(f"{given!r} is not among the rows {','.join(map(str, _ROWS))}")
    return rows


def _measured(rows: list[int], *, is_quick: bool) -> Iterator[Section]:
    with running_feed() as feed_url:
        for row in rows:
            for measure in _ROWS[row]:
                print(f"row {row}: {measure.__doc__}", flush=True)
                bound = partial(measure, feed_url) if measure in _NEEDS_FEED else measure
                yield bound(is_quick=is_quick)


def _versions() -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


if __name__ == "__main__":
    _main()
