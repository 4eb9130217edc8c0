"""Fuzz: ``python -m tests.fuzz [NAME ...] --seconds 60 --seed 0 --engine random|atheris``."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

from tests.fuzz.engine import searched
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.fuzz.trying import defect_of, kept, shrunk
from tests.needs import ROOT

__all__ = ["main"]

_NO_ATHERIS = "The engine atheris is not installed. Install it: .venv/bin/python -m pip install atheris\n"


def main(arguments: list[str] | None = None) -> int:
    """Fuzz the targets named, or all of them; return 1 if a defect was found, 2 if it cannot be done."""
    asked = _parser().parse_args(arguments)
    unknown = [name for name in asked.names if name not in TARGETS]
    if unknown:
        sys.stderr.write(f"There is no target {', '.join(unknown)}.\nThere are: {', '.join(TARGETS)}\n")
        return 2
    # A defect may be about text that no terminal can show.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    targets = [TARGETS[name] for name in asked.names] or list(TARGETS.values())
    if asked.replay:
        return _replayed(targets[0], asked.replay)
    if asked.engine == "atheris":
        return _guided(targets, asked.seconds, asked.seed)
    return max(_searched(target, asked.seed, asked.seconds) for target in targets)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(TARGETS)}; else all")
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=0, help="the same seed tries the same inputs")
    parser.add_argument("--engine", choices=("random", "atheris"), default="random")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try this one input")
    return parser


def _searched(target: Target, seed: int, seconds: float) -> int:
    n_found = 0
    for n_tried, data, defect in searched(target, seed, seconds):
        if defect is None:
            sys.stdout.write(f"{target.name}: {n_tried:,} inputs, {n_found} defects\n")
            break
        n_found += 1
        file = kept(target, shrunk(target, data, defect))
        sys.stdout.write(f"{target.name}: {defect.where}, input {n_tried:,}\n{defect.told}")
        sys.stdout.write(f"  python -m tests.fuzz {target.name} --replay {file.relative_to(ROOT)}\n")
        sys.stdout.flush()
    return 1 if n_found else 0


def _guided(targets: list[Target], seconds: float, seed: int) -> int:
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write(_NO_ATHERIS)
        return 2
    command = [sys.executable, "-m", "tests.fuzz.guided"]
    codes = [
        subprocess.run([*command, target.name, str(int(seconds)), str(seed)], check=False).returncode
        for target in targets
    ]
    return 1 if any(codes) else 0


def _replayed(target: Target, file: Path) -> int:
    defect = defect_of(target, file.read_bytes())
    sys.stdout.write(f"{target.name}: all as documented\n" if defect is None else defect.told)
    return 0 if defect is None else 1


if __name__ == "__main__":
    sys.exit(main())
