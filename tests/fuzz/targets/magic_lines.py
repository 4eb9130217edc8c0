"""Lines typed in a notebook: ``%comet`` with anything behind it, and Tab at any place of any cell."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from IPython.core.completer import CompletionContext

from cometnb.errors import CometError
from cometnb.magics.comet import SUBCOMMANDS, comet
from cometnb.magics.completion import completed
from cometnb.magics.kernel import Kernel
from tests.fuzz.looking import check_error, check_text
from tests.fuzz.target import Target
from tests.fuzz.targets.cell_text import text_of
from tests.magics.shells import Shell, shell_with_extension

__all__ = ["TARGETS", "comet_line", "completion"]

_LONGEST = 3_000
# They ask for input, or call the service.
_LEFT_OUT = frozenset({"doctor", "key"})


class _Watched:
    """An object of the notebook that notes what is done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    @property
    def part(self) -> Any:
        """Note that it was asked for."""
        self.done.append("part")
        return self

    def __call__(self) -> Any:
        self.done.append("called")
        return self

    def __getitem__(self, key: Any) -> Any:
        self.done.append("item")
        return self


@cache
def _shell() -> tuple[Shell, Kernel, _Watched]:
    stack = ExitStack()
    shell = stack.enter_context(shell_with_extension())
    atexit.register(stack.close)
    shell.shared.configure(ledger="off")
    watched = _Watched()
    shell.ip.user_ns.update(watched=watched, df=[1], text="x", plan={"a": 1})
    return shell, Kernel(shell.shared, shell.ip), watched


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """Stand in an empty folder, with nothing printed: a line may name files to be written."""
    before = Path.cwd()
    with (
        tempfile.TemporaryDirectory(prefix="cometnb-fuzz-") as folder,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def comet_line(data: bytes) -> None:
    """Run a line: an answer, or a CometError of two lines."""
    shell, kernel, _ = _shell()
    line = text_of(data)[:_LONGEST].replace("/", "_")
    if any(word in line for word in _LEFT_OUT) or "panel" in line:
        return
    with _elsewhere():
        try:
            comet(kernel, line)
        except CometError as error:
            check_error(error)
        finally:
            shell.shared.configure(backend="simulator", ledger="off")
            shell.shared.chats.clear()


def completion(data: bytes) -> None:
    """Press Tab somewhere: words that begin as typed, and no name of the notebook is called or asked for its parts."""
    _, kernel, watched = _shell()
    text = text_of(data)[:_LONGEST]
    rng = random.Random(data)
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    for position in {len(lines[at]), rng.randint(0, len(lines[at]))}:
        context = CompletionContext(
            token="", full_text=text, cursor_position=position, cursor_line=at, limit=None
        )
        found = completed(kernel, context)
        for one in found["completions"]:
            check_text(one.text)
    assert watched.done == []


def _comet_seeds() -> Iterator[bytes]:
    for name, one in SUBCOMMANDS.items():
        yield f"{name} {one.usage}".encode()
        yield name.encode()
    yield b"budget set 5 --day 1 --action stop"
    yield b"usage --since 7d --model gpt-5.4 --tag 'a b' --save x.csv"
    yield b"chats save plan plan.json"
    yield b"record a.jsonl --new"


def _tab_seeds() -> Iterator[bytes]:
    yield b"%%respond -m gpt-5.4 --tools a,web --image da --sweep model=a,b effort=lo"
    yield b"%%respond --chat x\nHello {{watched.part.x}} {{watched().y {{df[0]."
    yield b"%%respond\n{{watched.part."
    yield b"%%respond -s @sty --schema {{watched().part."
    yield b"x = %comet usage --model gpt --since 7d --by"
    yield b"%comet replay ~/x --auto\n%comet plot cost --save ../"
    yield b"\n\n%%respond --instructions te"


_WORDS = (
    b" --since ", b" --by ", b"'", b" 9999999999d", b" 0001-01-01", b" nan", b" -1", b" 1e400", b" ~x/y", b"\\", b" load ", b" save ",
    b" record ", b"cost ", b"usage ", b"plot ", b"budget ", b"prices ", b" --save x.png", b"code ", b"chats ",
)  # fmt: skip
_TAB_WORDS = (
    b"%%respond ",
    b"%comet ",
    b"{{",
    b"}}",
    b"watched.",
    b"watched.part.",
    b"watched()",
    b" --",
    b"=",
    b",",
    b"~/",
    b"\0",
)

TARGETS = (
    Target("comet_line", comet_line, _comet_seeds, tokens=_WORDS, limit_s=10.0, n_tested=40),
    Target("completion", completion, _tab_seeds, tokens=_TAB_WORDS, n_tested=80),
)
