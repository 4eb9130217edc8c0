"""A missing optional package is two lines that say how to install it."""

from __future__ import annotations

import pytest

from cometnb._extras import extra
from cometnb.errors import MissingExtraError


def test_a_missing_package_names_its_extra() -> None:
    """The capability, the package and the command to copy."""
    with pytest.raises(MissingExtraError) as caught, extra("dask", "Batches on many machines"):
        import no_such_package_anywhere  # type: ignore[import-not-found]  # noqa: F401
    error = caught.value
    assert (
        error.fact
        == "Batches on many machines needs the package 'no_such_package_anywhere', which is not installed."
    )
    assert error.next_step == 'pip install "cometnb[dask]"'
    assert isinstance(error.__cause__, ModuleNotFoundError)


def test_an_import_error_without_a_name_names_the_extra() -> None:
    """Some packages raise one by hand."""
    with (
        pytest.raises(MissingExtraError, match="needs the package 'lab'"),
        extra("lab", "Opening JupyterLab"),
    ):
        raise ImportError("no")


def test_it_is_an_import_error_for_those_who_catch_one() -> None:
    """Code that falls back on ImportError goes on working."""
    with pytest.raises(ImportError), extra("lab", "Opening JupyterLab"):
        raise ImportError("no")


def test_a_present_package_and_other_errors_pass() -> None:
    """Nothing is changed where nothing is missing."""
    with extra("lab", "Opening JupyterLab"):
        import json
    assert json.loads("1") == 1
    with pytest.raises(ZeroDivisionError), extra("lab", "Opening JupyterLab"):
        _ = 1 // 0
