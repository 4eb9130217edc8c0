"""What the project promises, and the tests that prove it: each that is named is there, and nothing is left without."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.needs import ROOT

_PAGES = ("SECURITY.md", "docs/threats.md", "docs/promises.md")
_PROOF = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
_HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)


def _text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


@cache
def _tests_of(file: Path) -> frozenset[str]:
    """Return the names of a file's tests, without running it."""
    tree = ast.parse(file.read_text("utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


@pytest.mark.parametrize("page", _PAGES)
def test_every_proof_is_there(page: str) -> None:
    """By its file and name; a file alone would prove whatever it holds today."""
    named = _PROOF.findall(_text(page))
    assert named
    gone = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file() or name not in _tests_of(ROOT / file)
    ]
    assert gone == []


@pytest.mark.parametrize("page", _PAGES[1:])
def test_every_promise_has_a_proof(page: str) -> None:
    """Each row of each table."""
    rows = [line for line in _text(page).splitlines() if line.startswith("| ")]
    assert [row for row in rows if not _PROOF.search(row) and "| proof |" not in row] == []


def test_no_section_of_the_readme_is_left_out() -> None:
    """A section that states facts has its promises on the page, under its own name."""
    sections = _HEADING.findall(_text("README.md"))
    proved = _HEADING.findall(_text("docs/promises.md"))
    assert [section for section in sections if section not in proved] == []
    assert [section for section in proved if section not in [*sections, "In one sentence"]] == []


def test_the_readme_leads_to_the_proofs() -> None:
    """And the pages to each other."""
    assert "docs/promises.md" in _text("README.md")
    assert "SECURITY.md" in _text("README.md")
    assert "threats.md" in _text("docs/promises.md")
