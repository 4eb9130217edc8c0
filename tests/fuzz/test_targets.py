"""Every target survives its seeds, what was found before, and a few hundred seeded mutations."""

from __future__ import annotations

import itertools

import pytest

from tests.fuzz.engine import inputs
from tests.fuzz.target import FOUND, starts
from tests.fuzz.targets import TARGETS
from tests.fuzz.trying import defect_of


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_survives_its_seeds_and_mutations_of_them(name: str) -> None:
    """Nothing but the documented behaviour comes of any input."""
    target = TARGETS[name]
    n_starts = len(starts(target, recorded=False))
    for data in itertools.islice(inputs(target, 1, recorded=False), n_starts + target.n_tested):
        defect = defect_of(target, data, has_limit=False)
        assert defect is None, f"{data!r}\n{defect.told}"


def test_what_was_found_belongs_to_a_target() -> None:
    """A file of another name would never be tried."""
    names = [file.name.rpartition("-")[0] for file in FOUND.iterdir()] if FOUND.is_dir() else []
    assert set(names) <= set(TARGETS)
