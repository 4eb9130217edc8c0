"""Every plot is drawn without a screen."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Draw without a screen, find no figure of another test, and leave none behind."""
    before = mpl.get_backend(auto_select=False) if mpl.__version_info__ >= (3, 10) else mpl.get_backend()
    plt.switch_backend("agg")
    plt.close("all")
    yield
    plt.close("all")
    if before is not None:
        plt.switch_backend(before)
