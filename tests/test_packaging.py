"""What is shipped installs in a clean environment, and works there as the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest

import cometnb
from tests.needs import ROOT

# A notebook's first cells, in an IPython without a terminal.
_FIRST_CELLS = """
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in ("%load_ext cometnb", "%comet simulator", "%%respond --out answer\\nHello"):
    shell.run_cell(cell).raise_error()

import cometnb, cometnb.view.widget
print(cometnb.__file__)
print(shell.user_ns["answer"].status, cometnb.__version__)
print(len(str(cometnb.view.widget.LiveView._esm)))
"""


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program in an environment that leads to no other source of cometnb, and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*command], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and from it the wheel; no network is used."""
    out = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    return out


@pytest.fixture(scope="module")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment that has the wheel, and takes what it needs from this one."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    _run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
    )
    ours = sysconfig.get_path("purelib")
    site = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # A path, not a .pth file's own lines: the editable cometnb of this environment is then not found.
    (site / "others.pth").write_text(f"{ours}\n", "utf-8")
    return python


def test_the_sdist_holds_the_project(built: Path) -> None:
    """All that its tests, its pages and Binder need."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "Makefile",
        "pyproject.toml",
        "locks/test.txt",
        "binder/postBuild",
        "docs/conf.py",
        "docs/images/respond.png",
        "notebooks/quickstart.ipynb",
        "tests/test_packaging.py",
        "cometnb/py.typed",
        "cometnb/view/static/live.js",
    }
    assert wanted - held == set()


def test_the_wheel_says_what_it_is(built: Path) -> None:
    """Version, Python, licence, a description, and nothing but the package."""
    (wheel,) = built.glob("*.whl")
    with ZipFile(wheel) as archive:
        (place,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        told = HeaderParser().parsestr(archive.read(place).decode())
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert (told["Name"], told["Version"]) == ("cometnb", cometnb.__version__)
    assert told["Requires-Python"] == ">=3.11"
    assert told["License-Expression"] == "MIT"
    assert told["Description-Content-Type"] == "text/markdown"
    assert tops == {"cometnb", f"cometnb-{cometnb.__version__}.dist-info"}


def test_the_first_cells_work_where_only_the_wheel_is(python: Path) -> None:
    """The magics load, a prompt is answered by the simulator, and the live view's script is there."""
    place, answer, n_characters = _run(python, "-c", _FIRST_CELLS, cwd=python.parent).splitlines()[-3:]
    assert Path(place).is_relative_to(python.parents[1])
    assert answer == f"completed {cometnb.__version__}"
    assert int(n_characters) > 1_000


def test_every_extra_that_the_code_asks_for_exists() -> None:
    """An error that says ``pip install "cometnb[x]"`` names an extra of the project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {name for file in (ROOT / "cometnb").rglob("*.py") for name in _extras_in(file)}
    assert asked - set(project["optional-dependencies"]) == set()
    assert {"postgres", "parquet"} <= asked


def _extras_in(file: Path) -> list[str]:
    return re.findall(r"^\s*with extra\(\"(\w+)\"", file.read_text("utf-8"), re.MULTILINE)
