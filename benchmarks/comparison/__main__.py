"""The command: ``python -m benchmarks.comparison`` runs every tool through every question and prints what was seen."""

from __future__ import annotations

import argparse
import datetime as dt
import platform
from collections.abc import Iterator
from pathlib import Path

from benchmarks.comparison.environments import DEFAULT_FOLDER, installed, prepare
from benchmarks.comparison.kernels import tool_kernel
from benchmarks.comparison.observed import FACTS, Bench
from benchmarks.comparison.shapes import shaped_server
from benchmarks.comparison.tools import MODEL, TOOLS, UNKNOWN_MODEL, Tool
from cometnb.client.server import running_server

__all__: list[str] = []

_PAGE = "page"


def _main() -> None:
    arguments = _arguments()
    tools = [tool for tool in TOOLS if not arguments.tools or tool.slug in arguments.tools]
    if arguments.install:
        prepare(tools, arguments.environments)
    print(f"Python {platform.python_version()}, {dt.date.today():%Y-%m-%d}")  # noqa: DTZ011 - the reader's day
    for tool in tools:
        versions = installed(tool, arguments.environments)
        if not versions:
            print(f"\n## {tool.name}\n\nLeft out: not installed here. `--install` makes its environment.")
            continue
        print(
            f"\n## {tool.name}: {', '.join(f'{name} {version}' for name, version in versions.items())}\n",
            flush=True,
        )
        for name, seen in _seen(tool, arguments):
            print(f"- {name}: {seen}", flush=True)


def _seen(tool: Tool, arguments: argparse.Namespace) -> Iterator[tuple[str, str]]:
    wanted = arguments.facts or [*FACTS, _PAGE]
    with running_server(models=(MODEL, UNKNOWN_MODEL)) as server, shaped_server() as shapes_url:
        with tool_kernel(tool, arguments.environments, server.base_url) as kernel:
            bench = Bench(tool, arguments.environments, kernel, server, shapes_url)
            for name in FACTS:
                if name in wanted:
                    yield name, FACTS[name](bench)
        if _PAGE in wanted:
            from benchmarks.comparison.page import may_do

            yield _PAGE, may_do(tool, arguments.environments, server)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.comparison", description=__doc__)
    parser.add_argument("--install", action="store_true", help="make the environments that are missing")
    parser.add_argument(
        "--environments",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="FOLDER",
        help=f"default: {DEFAULT_FOLDER}",
    )
    parser.add_argument(
        "--tools", nargs="+", metavar="TOOL", choices=[tool.slug for tool in TOOLS], help="only these"
    )
    parser.add_argument("--facts", nargs="+", metavar="FACT", choices=[*FACTS, _PAGE], help="only these")
    return parser.parse_args()


if __name__ == "__main__":
    _main()
