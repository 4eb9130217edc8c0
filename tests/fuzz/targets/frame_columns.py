"""A prompt over a frame's rows: columns of any name, cells of any value; nothing in a cell is evaluated."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cometnb.errors import CometError
from cometnb.protocol.exchange import encoded
from cometnb.session.batch.columns import Columns
from cometnb.session.batch.rows import Asking, RowRequests
from tests.fuzz.looking import check_error
from tests.fuzz.target import Target
from tests.fuzz.targets.cell_text import text_of

__all__ = ["TARGETS", "frame_columns", "frame_values"]

_LONGEST = 2_000
_ODD: tuple[Any, ...] = (
    None, float("nan"), float("-inf"), -0.0, 10**400, 10**5000, Decimal("sNaN"), Decimal("-Infinity"), Decimal("1E+999999"),
    Fraction(10**400, 3), True, b"\xff", [], {"a": {1, 2}}, complex(0, float("nan")), range(3), object(), ..., len,
)  # fmt: skip


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(one.strip() for one in text.split("\n")))[:8]


def frame_columns(data: bytes) -> None:
    """Name columns by any texts: each name between braces gives its own cell, whatever the others are called."""
    names = [name for name in _names(text_of(data)[:_LONGEST]) if not set("{}\\") & set(name)]
    seen: list[str] = []
    values = [f"{{{{spy({at})}}}}" for at in range(len(names))]
    columns = Columns(names, [None], {"spy": seen.append})
    row = columns.row(values, 7)
    for name, value in zip(names, values, strict=True):
        asked = f"{{{{{name}}}}}"
        try:
            parts = columns.parts(asked)
        except CometError as error:
            raise AssertionError(f"{asked!r} is not found: {error}") from error
        found = [part if isinstance(part, str) else part.value(columns.namespace(row)) for part in parts]
        assert found == ["", value, ""], (asked, found)
    assert seen == [], "a cell was evaluated"


def frame_values(data: bytes) -> None:
    """Put any text and any odd value into the cells: each row has a request that can be sent, or says why not."""
    text = text_of(data)[:_LONGEST]
    seen: list[str] = []
    cell = f"{{{{spy('cell')}}}} {text}"
    columns = Columns(["text", "odd", "Odd name", 0], ["id"], {"spy": seen.append})
    template = f"{text[:200]} {{{{text}}}} {{{{odd}}}} {{{{Odd name}}}} {{{{id}}}}"
    for prompt in ("{{text}}{{0}}", "{{text}} {{odd}} {{Odd name}} {{id}}", template):
        try:
            requests = RowRequests(
                Asking(prompt, {"model": "m", "instructions": "{{0}}"}, missing=""), columns
            )
        except CometError as error:
            check_error(error)
            continue
        seen.clear()
        for odd in random.Random(data).sample(_ODD, 4):
            row = columns.row([cell, odd, text, cell], odd)
            try:
                body = requests.of(row)
            except CometError as error:
                check_error(error)
                continue
            encoded(body)
            assert body["instructions"] == cell
            if prompt == "{{text}}{{0}}":
                assert body["input"] == (cell + cell).strip("\n")
        assert prompt is template or seen == [], "a cell was evaluated"


def _name_seeds() -> Iterator[bytes]:
    yield b"text\nReview text\nclass\n0\n_comet_column_0\n_comet_column_1\nrow"
    yield b"__builtins__\n__debug__\n__import__\nspy\nid\nprint"
    yield "é\n\u2028\nﬁ\nfi\n\u0130\n\u00ad\n\u202ea b\n1_000\n0x1\na.b\na[0]\n()".encode()
    yield b"a\na b\na b c\nb c\n'a'\n\"\"\n#\n\n*\n(a)\nlambda\nNone\nTrue"
    yield b"x\xed\xa0\x80\n\xed\xb0\x80\nx\0\n"


def _value_seeds() -> Iterator[bytes]:
    yield b"{{spy('x')}} {{text}} \\{{text}} }} {{ {1: {2: 3}} }}"
    yield b"\n\n \n"
    yield b""
    yield b"x\xed\xa0\x80 {{odd}} {{0}} {{row.label}} {{row['Odd name']}} {{id}}"
    yield b"{{Odd name}} {{ 0 }} {{row.titel}} {{[t for t in text]}}"


_NAME_TOKENS = (
    b"\n_comet_column_0", b"\n_comet_column_1", b"\n__builtins__", b"\n0", b"\nrow", b"\n ", b" ", b".", b"(", b"'",
    b"\nspy", b"\n__class__", b"\xed\xa0\x80", b"\nclass",
)  # fmt: skip
_VALUE_TOKENS = (
    b"{{",
    b"}}",
    b"\\{{",
    b"spy('x')",
    b"{{text}}",
    b"{{Odd name}}",
    b"{{0}}",
    b"row.",
    b"\n\n",
    b"\\",
)

TARGETS = (
    Target("frame_columns", frame_columns, _name_seeds, tokens=_NAME_TOKENS, n_tested=150),
    Target("frame_values", frame_values, _value_seeds, tokens=_VALUE_TOKENS, n_tested=80),
)
