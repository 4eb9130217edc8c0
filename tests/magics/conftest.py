"""A shell for every test of the magics."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.magics.shells import Shell, shell_with_extension


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A shell in this process, with the extension, on the simulator."""
    with shell_with_extension() as one:
        yield one
