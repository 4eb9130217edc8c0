"""The engine that follows coverage: atheris mutates what reached new code. One target a process, as it ends with it."""

from __future__ import annotations

import importlib
import random
import sys
from typing import Any

from tests.fuzz.mutation import mutated
from tests.fuzz.target import Target, starts
from tests.fuzz.trying import defect_of, kept, shrunk
from tests.needs import ROOT

__all__ = ["main"]

_LONGEST = 65_536


def main(name: str, seconds: int, seed: int) -> None:
    """Try inputs on one target until time is up or a defect is found; the process ends then."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["cometnb"]):
        targets = importlib.import_module("tests.fuzz.targets")
    target: Target = targets.TARGETS[name]
    begun = starts(target)
    folder = ROOT / "build" / "fuzz" / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(begun):
        (folder / f"seed-{number}").write_bytes(data)

    # What is loaded only when it is used counts as nobody's time.
    target.run(begun[0])

    def try_one(data: bytes) -> None:
        defect = defect_of(target, data)
        if defect is not None:
            file = kept(target, shrunk(target, data, defect))
            sys.stdout.write(
                f"{name}: {defect.where}\n{defect.told}\n  python -m tests.fuzz {name} --replay {file}\n"
            )
            sys.stdout.flush()
            raise AssertionError(defect.where)

    def mutate(data: bytes, longest: int, number: int) -> bytes:
        rng = random.Random(number)
        if rng.random() < 0.3:
            changed: bytes = atheris.Mutate(data, longest)
            return changed
        return mutated(data, begun, target.tokens, rng)[:longest]

    flags = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-max_len={_LONGEST}",
        "-timeout=300",
        "-print_final_stats=1",
    ]
    flags += [
        f"-artifact_prefix={ROOT / 'build' / 'fuzz'}/",
        "-verbosity=1",
        "-rss_limit_mb=3000",
        "-close_fd_mask=0",
    ]
    atheris.Setup([sys.argv[0], *flags, str(folder)], try_one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
