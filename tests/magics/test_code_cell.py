"""``--code``: which block of an answer goes into a new cell, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.magics.code_cell import first_code, place_code
from cometnb.magics.kernel import Recent
from cometnb.protocol.response import Response
from tests.magics.shells import Shell

_ANSWER = "Like this:\n\n```python\nx = 1\nprint(x)\n```\n\nor\n\n```py\ny = 2\n```\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (_ANSWER, "x = 1\nprint(x)"),
        ("```\nplain = True\n```", "plain = True"),
        ("```bash\nls\n```\n\n```Python title=x\nx\n```", "x"),
        ("1. So:\n\n   ~~~py\n   x = '```'\n   ~~~", "x = '```'"),
        ("Use `x = 1` inline.", ""),
        ("```json\n{}\n```", ""),
        ("```python\n```", ""),
        ("", ""),
    ],
)
def test_the_first_python_block_counts(text: str, code: str) -> None:
    """Of Python or of no language, also in a list; other languages and empty blocks do not count."""
    assert first_code(text) == code


def test_a_key_that_the_answer_repeats_is_masked() -> None:
    """A cell is saved with the notebook."""
    shell = _Shell()
    response = Response(
        {
            "status": "completed",
            "output": [
                {
                    "type": "message",
                    "content": [{"type": "output_text", "text": "```\nkey = 'sk-canary-0123456789'\n```"}],
                }
            ],
        }
    )
    assert place_code(shell, Recent(), response, "") == ""
    assert shell.cells == [("key = 'sk-***'", False)]


class _Shell:
    """Takes the calls that a shell takes for a new cell."""

    def __init__(self) -> None:
        self.cells: list[tuple[str, bool]] = []

    def set_next_input(self, text: str, replace: bool) -> None:
        self.cells.append((text, replace))


def _answer(text: str, status: str = "completed") -> Response:
    content = [{"type": "output_text", "text": text}]
    return Response({"status": status, "output": [{"type": "message", "content": content}]})


def test_a_cell_gets_the_same_code_once() -> None:
    """Run again it adds nothing, unless the code is another; without a cell id nobody can tell."""
    shell, recent = _Shell(), Recent()
    for cell_id, text in [("a", _ANSWER), ("a", _ANSWER), ("b", _ANSWER), ("a", "```\nnew\n```")]:
        assert place_code(shell, recent, _answer(text), cell_id) == ""
    assert [code.split()[0] for code, _ in shell.cells] == ["x", "x", "new"]
    assert {replaces for _, replaces in shell.cells} == {False}
    for _ in range(2):
        place_code(shell, recent, _answer(_ANSWER), "")
    assert len(shell.cells) == 5


@pytest.mark.parametrize(
    ("text", "status", "named"),
    [("No code.", "completed", "no block"), (_ANSWER, "incomplete", "incomplete")],
)
def test_no_cell_comes_with_a_reason(text: str, status: str, named: str) -> None:
    """No code, or code that may be cut, adds nothing and says so."""
    shell = _Shell()
    assert named in place_code(shell, Recent(), _answer(text, status), "a")
    assert shell.cells == []


def test_the_block_stays_in_the_answer(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """The cell asks the shell for a new one, and what it shows is whole."""
    asked: list[Any] = []
    shell.ip.set_next_input = lambda text, replace=False: asked.append((text, replace))
    shell.shared.simulator.text = _ANSWER
    shell.run("%%respond --code\nHi")
    assert asked == [("x = 1\nprint(x)", False)]
    assert "x = 1" in shell.displays[0]["data"]["text/markdown"]
    shell.shared.simulator.text = "No code here."
    shell.run("%%respond --code\nHi")
    assert len(asked) == 1
    assert "no block" in capsys.readouterr().out
