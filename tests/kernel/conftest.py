"""One real kernel for each module of kernel tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.kernel.kernel_session import KernelSession, running_kernel
from tests.needs import ROOT


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory, _home: object) -> Iterator[KernelSession]:
    """A kernel that can import cometnb, in a folder of its own, with no settings but a ledger."""
    folder = tmp_path_factory.mktemp("kernel")
    env = os.environ | {"PYTHONPATH": str(ROOT), "COMETNB_LEDGER": str(folder / "ledger.sqlite")}
    with running_kernel(folder, env) as session:
        yield session
