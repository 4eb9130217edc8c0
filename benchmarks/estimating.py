"""How far estimated tokens are off, and how fast they are: on the samples of the tests, and on files you name.

``python -m benchmarks.estimating [FILE ...]``. The samples carry their true number. For files it takes a tokenizer:
tiktoken, if it is installed and has its vocabulary.
"""

from __future__ import annotations

import platform
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean, median
from time import process_time
from typing import Any

from benchmarks.tables import Section, Target
from cometnb.protocol.estimate import estimated_tokens
from tests.protocol.token_samples import SAMPLES, Sample

__all__ = ["estimating"]

_ROUNDS, _CHARACTERS = 7, 1_000_000


def estimating(*, is_quick: bool = False, samples: Iterable[Sample] = SAMPLES) -> Section:
    """Error and speed of estimated tokens, by kind of text."""
    kinds: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        kinds[sample.kind].append(sample)
    errors = {kind: [_error(sample) for sample in group] for kind, group in kinds.items()}
    speeds = {kind: _speeds(group, is_quick=is_quick) for kind, group in kinds.items()}
    every = [abs(error) for group in errors.values() for error in group]
    return Section(
        title="Estimated tokens",
        note=(
            "Against o200k_base. Errors of single texts in per cent, more than true is above 0; megabytes of UTF-8 for"
            " a second of CPU, in the samples over and over; a long text of ever new words goes at a third of that."
        ),
        columns=("kind", "texts", "characters", "mean error", "worst error", "MB/s"),
        rows=[
            (
                kind,
                str(len(group)),
                f"{sum(len(sample.text) for sample in group):,}",
                f"{fmean(map(abs, errors[kind])):.1%}",
                f"{max(errors[kind], key=abs):+.1%}",
                median(speeds[kind]),
            )
            for kind, group in kinds.items()
        ],
        samples={f"error: {kind}": group for kind, group in errors.items()}
        | {f"MB/s: {kind}": group for kind, group in speeds.items()},
        targets=[Target("the mean error of a text", 100 * fmean(every), 10, unit="per cent")],
    )


def _error(sample: Sample) -> float:
    return estimated_tokens(sample.text) / sample.n_tokens - 1


def _speeds(group: list[Sample], *, is_quick: bool) -> list[float]:
    once = "\n\n".join(sample.text for sample in group)
    text = once * max(1, (_CHARACTERS // 20 if is_quick else _CHARACTERS) // len(once))
    size_mb = len(text.encode("utf-8", "replace")) / 1e6
    speeds = []
    for _ in range(1 if is_quick else _ROUNDS):
        started_s = process_time()
        estimated_tokens(text)
        speeds.append(size_mb / max(process_time() - started_s, 1e-9))
    return speeds


def _counter() -> Callable[[str], int]:
    try:
        import tiktoken  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        sys.exit("Files need a tokenizer to compare with: pip install tiktoken")
    encoding: Any = tiktoken.get_encoding("o200k_base")
    return lambda text: len(encoding.encode_ordinary(text))


def _files(names: list[str]) -> list[Sample]:
    count = _counter()
    texts = ((Path(name).suffix or name, Path(name).read_text("utf-8", errors="replace")) for name in names)
    return [Sample(kind, text, count(text)) for kind, text in texts if text]


if __name__ == "__main__":
    print(f"Python {platform.python_version()}.\n")
    print(estimating(samples=_files(sys.argv[1:]) if sys.argv[1:] else SAMPLES).as_markdown())
