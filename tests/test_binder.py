"""Binder: tested versions, cometnb itself, and a simulator that answers until a visitor says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import pytest

from tests.needs import ROOT

_BINDER = ROOT / "binder"

_ASK = "import cometnb; response = cometnb.respond('Hi'); print(response.backend, response.status)"


def _started(*command: str, **env: str) -> str:
    """Run a command as Binder's entrypoint does, and return what it printed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | env
    done = subprocess.run(
        [_BINDER / "start", *command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_binder_installs_what_was_tested() -> None:
    """The lock of the notebooks itself, so that no second list can fall behind."""
    assert (_BINDER / "requirements.txt").read_text("utf-8") == "-r ../locks/lab.txt\n"
    assert (ROOT / "locks" / "lab.txt").is_file()


def test_binder_runs_a_python_that_is_supported() -> None:
    """In the form that repo2docker reads: ``python-3.12``."""
    name, _, version = (_BINDER / "runtime.txt").read_text("utf-8").strip().partition("-")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert name == "python"
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]


@pytest.mark.parametrize("script", ["postBuild", "start"])
def test_scripts_can_be_run(script: str) -> None:
    """They are executable, and bash can read them."""
    assert os.access(_BINDER / script, os.X_OK)
    done = subprocess.run(["bash", "-n", _BINDER / script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_binder_answers_without_a_key() -> None:
    """A call works as soon as the server that Binder starts is up."""
    assert _started(sys.executable, "-c", _ASK) == "simulator completed"


def test_binder_leaves_another_backend_alone() -> None:
    """Whoever sets one has a reason."""
    show = "import os; print(os.environ['COMETNB_BACKEND'])"
    assert _started(sys.executable, "-c", show, COMETNB_BACKEND="api") == "api"
