"""The harness finds what is there to be found, makes it small, and finds the same again by the same seed."""

from __future__ import annotations

import itertools
import json

from tests.fuzz.engine import inputs
from tests.fuzz.target import Target
from tests.fuzz.trying import defect_of, shrunk


def _broken(data: bytes) -> None:
    """Fail where any object in the JSON names a type that is no text."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict) and isinstance(value.get("type"), dict):
        raise KeyError("type")


def _endless(data: bytes) -> None:
    while data:
        pass


def _target(run: object = _broken, **fields: float) -> Target:
    seeds = (b'{"type": "a", "b": [1, 2]}', b'{"type": "b", "c": {"d": null}}')
    return Target("planted", run, lambda: seeds, **fields)  # type: ignore[arg-type]


def test_the_same_seed_tries_the_same_inputs() -> None:
    """So whoever is told a seed finds the same."""
    first, second, other = (list(itertools.islice(inputs(_target(), seed), 50)) for seed in (1, 1, 2))
    assert first == second != other


def test_a_planted_defect_is_found_and_made_small() -> None:
    """A few hundred mutations of JSON are enough to put an object where a text should be."""
    target = _target()
    found = next(data for data in itertools.islice(inputs(target, 1), 3000) if defect_of(target, data))
    defect = defect_of(target, found)
    assert defect is not None
    assert defect.where.startswith("KeyError at test_engine.py:")
    small = shrunk(target, found, defect)
    assert len(small) <= len(found)
    assert isinstance(json.loads(small)["type"], dict)


def test_an_input_without_an_end_is_a_defect() -> None:
    """Whatever takes more than its time is stopped and told."""
    defect = defect_of(_target(_endless, limit_s=0.05), b"x")
    assert defect is not None
    assert defect.where == "TooSlow"
    assert defect_of(_target(_endless), b"") is None
