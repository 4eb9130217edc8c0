"""The names of the package itself: all there, nothing heavy loaded before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cometnb

_HEAVY = (
    "httpx",
    "pandas",
    "numpy",
    "sqlalchemy",
    "matplotlib",
    "IPython",
    "tornado",
    "pydantic",
    "anywidget",
)


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("name", cometnb.__all__)
def test_every_name_is_there(name: str) -> None:
    """Each can be had as an attribute, and stays the same object."""
    assert getattr(cometnb, name) is getattr(cometnb, name)


def test_a_star_import_gives_all_names() -> None:
    """`from cometnb import *` takes what `__all__` lists, in order of the alphabet."""
    names: dict[str, object] = {}
    exec("from cometnb import *", names)  # noqa: S102  # the statement under test
    assert set(cometnb.__all__) <= set(names)
    assert sorted(cometnb.__all__) == cometnb.__all__


def test_dir_lists_all_names() -> None:
    """So that completion offers them before they are loaded."""
    assert set(cometnb.__all__) | {"__version__"} == set(dir(cometnb))


@pytest.mark.parametrize("name", ["Clinet", "pandas", "_nothing", "session2"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    """As of any module, with the module's and the name's name."""
    with pytest.raises(AttributeError, match=f"module 'cometnb' has no attribute '{name}'"):
        getattr(cometnb, name)
    assert not hasattr(cometnb, name)


def test_the_objects_are_those_of_their_modules() -> None:
    """The short name and the long one are one class."""
    from cometnb.client.client import Client
    from cometnb.errors import CometError

    assert cometnb.Client is Client
    assert cometnb.CometError is cometnb.errors.CometError is CometError


@pytest.mark.parametrize(
    "module", ["cometnb", "cometnb.errors", "cometnb.options", "cometnb.protocol.exchange"]
)
def test_importing_loads_the_standard_library_only(module: str) -> None:
    """Nothing heavy, and nothing of anybody else's at all."""
    code = (
        f"import sys; before = set(sys.modules); import {module};"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(name for name in new if name not in sys.stdlib_module_names and name != 'cometnb'))"
    )
    assert _run(code) == "[]"


def test_a_client_loads_no_data_packages() -> None:
    """Asking needs httpx, and neither pandas nor SQLAlchemy."""
    code = (
        "import sys, cometnb; cometnb.Client; print([name for name in sys.argv[1:] if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *_HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['httpx']"


def test_the_version_is_a_version() -> None:
    """Three numbers."""
    assert [part.isdecimal() for part in cometnb.__version__.split(".")] == [True] * 3
