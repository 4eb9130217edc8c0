"""Folders and notebooks that were made to hold an audit up, or to act on the terminal that shows its report."""

from __future__ import annotations

import base64
import json
import os
import pickle
from pathlib import Path

import pytest

from cometnb.__main__ import main
from cometnb.ledger.audit import audit
from cometnb.ledger.audit.notebook import notebook_files
from tests.ledger.notebooks import KEY, a_cell, an_answer, an_output, saved


class _Makes:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return open, ("made", "w")


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    """A pipe would wait for good, and a link to a device never end; the others are audited."""
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "zero.ipynb").symlink_to("/dev/zero")
    saved(tmp_path / "good.ipynb", a_cell(f"key = '{KEY}'"))
    found = audit(tmp_path)
    assert [Path(path).name for path in found.errors] == ["pipe.ipynb", "zero.ipynb"]
    assert all(why == "cannot be read: it is no regular file" for why in found.errors.values())
    assert len(found.leaks) == 1


def test_nothing_of_a_notebook_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No cell, no magic, no line for the shell, and no pickle that stands in an output; and no folder is written to."""
    monkeypatch.chdir(tmp_path)
    made = "open('made', 'w')"
    pickled = base64.b64encode(pickle.dumps(_Makes())).decode()
    outputs = [an_output(f"{{{{{made}}}}}"), an_output(pickled, "application/x-pickle"), an_answer()]
    cells = [a_cell(f"{made}\n!touch made\n%system touch made", *outputs), a_cell("%%bash\ntouch made")]
    before = saved(tmp_path / "a.ipynb", *cells)
    assert main(["audit", str(tmp_path)]) == 0
    assert "$0.25" in capsys.readouterr().out
    assert [str(path) for path in tmp_path.iterdir()] == [str(before)]


def test_a_file_without_end_is_not_read_whole(tmp_path: Path) -> None:
    """A sparse file takes no room on the disk, and would take all of the memory."""
    path = tmp_path / "large.ipynb"
    path.touch()
    os.truncate(path, 10**12)
    found = audit(path)
    assert found.errors == {str(path): "cannot be read: it is larger than 256 MB"}
    assert found.exit_status == 2


def test_a_pattern_does_not_go_round_in_links(tmp_path: Path) -> None:
    """Two links to their own folder would be taken in every order, forty deep."""
    saved(tmp_path / "a.ipynb", a_cell("1"))
    for name in ("one", "two", "three"):
        (tmp_path / name).symlink_to(".")
    (tmp_path / ".hidden").mkdir()
    saved(tmp_path / ".hidden" / "b.ipynb", a_cell("1"))
    for pattern in ("**/*.ipynb", "**", "*.ipynb"):
        assert [Path(one.path).name for one in notebook_files([str(tmp_path / pattern)])] == ["a.ipynb"]
    assert [Path(one.path).name for one in notebook_files([f"{tmp_path}/.hid*/*.ipynb"])] == ["b.ipynb"]


@pytest.mark.parametrize("depth", [900, 100_000])
def test_a_deep_notebook_is_searched_or_named(tmp_path: Path, depth: int) -> None:
    """Its key is found either way."""
    path = tmp_path / "deep.ipynb"
    cells = f'{{"cells": [{{"metadata": {"[" * depth}"{KEY}"{"]" * depth}}}]}}'
    path.write_text(cells)
    found = audit(path)
    assert found.leaks
    assert str(found)


def test_nothing_of_a_notebook_acts_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also the kind of a cell, which stands beside a leaked key."""
    evil = "\x1b]52;c;x\x07\u202e\x9b2J"
    cell = a_cell(f"'{KEY}'{evil}", kind=f"code{evil}", id=evil, metadata={evil: KEY})
    path = saved(tmp_path / f"a{evil}.ipynb", cell)
    assert main(["audit", path]) == 1
    assert all(line.isprintable() for line in capsys.readouterr().out.splitlines())
    assert main(["audit", "--json", path]) == 1
    out = capsys.readouterr().out
    assert all(line.isprintable() for line in out.splitlines())
    assert json.loads(out)["leaks"]
