"""What people type into a cell: its line, its template, and the way from settings to a cell and back."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

from cometnb.errors import CometError
from cometnb.session.cell_line import parsed
from cometnb.session.cell_text import cell_text
from cometnb.session.code_reader import read_code
from cometnb.session.settings import Settings, escaped
from cometnb.session.sweep_line import typed_axes
from cometnb.session.template import Expression, compiled, filled
from tests.fuzz.looking import check_error
from tests.fuzz.target import Target

__all__ = ["TARGETS", "cell_line", "code_reader", "template", "text_of"]

# shlex takes a line letter by letter.
_LONGEST_LINE = 20_000


def text_of(data: bytes) -> str:
    """Return any text for any bytes, halves of characters included."""
    return data.decode("utf-8", "surrogatepass") if _is_whole(data) else data.decode("latin-1")


def _is_whole(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def cell_line(data: bytes) -> None:
    """Read a line: options, or a CellError; what was read does not depend on when it is read."""
    line = text_of(data)[:_LONGEST_LINE].replace("\n", " ")
    names: dict[str, Any] = {"df": 1, "name": "text", "tools": [len], "a": {"b": 1}}
    for is_filled in (True, False):
        try:
            found = parsed(line, names if is_filled else {}, is_filled=is_filled)
            typed_axes(found.sweep, names)
        except CometError as error:
            _check_two_lines(error)
        else:
            assert all(isinstance(one, str) for one in (found.out, found.tag, found.form, found.schema))
            assert found.max_rounds is None or found.max_rounds > 0


def template(data: bytes) -> None:
    """Fill a template: braces in values are text, expressions stay in their order, and an escaped text is itself."""
    text = text_of(data)
    assert filled(escaped(text), {}) == text or text.endswith("\\") or "\\{{" in text or "\\{" in text
    seen: list[str] = []
    value = f"{{{{spy('value')}}}} {text}"
    names = {"spy": seen.append, "value": value, "items": [1, value], "df": _Cell(value)}
    try:
        parts = list(compiled(text))
    except CometError as error:
        _check_two_lines(error)
        return
    assert "".join(part for part in parts if isinstance(part, str)) in text.replace("\\{{", "{{") or any(
        isinstance(part, Expression) for part in parts
    )
    around = "".join(["<{{value}}>", *["{{items}}", "{{df}}"]])
    shown = filled(around, names)
    assert seen == [], "a value was evaluated"
    assert shown.startswith(f"<{value}>")


class _Cell:
    """An object whose rendering holds braces, as a cell of a table may."""

    def __init__(self, text: str) -> None:
        self._text = text

    def _repr_llm_(self) -> str:
        return self._text


def code_reader(data: bytes) -> None:
    """Read any code: settings that can be kept, and sent, and written as a cell that reads the same; never run it."""
    text = text_of(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            settings = read_code(text)
        except CometError as error:
            _check_two_lines(error)
            return
        kept = json.dumps(settings.as_json(), allow_nan=False)
        assert Settings.from_json(kept).as_json() == settings.as_json()
        _check_cell(settings)


def _check_cell(settings: Settings) -> None:
    try:
        cell = cell_text(settings)
    except CometError as error:
        _check_two_lines(error)
        return
    again = read_code(cell)
    first, second = (one.as_template().normal() for one in (settings.normal(), again))
    if "sk-" not in cell:
        assert _sent(second) == _sent(first), cell


def _sent(settings: Settings) -> str:
    """Return the parameters as they are sent, whether the table knows them or not."""
    rest = settings.params.get("extra_body", {})
    return json.dumps(
        {**{n: v for n, v in settings.params.items() if n != "extra_body"}, **rest}, sort_keys=True
    )


def _check_two_lines(error: CometError) -> None:
    check_error(error)
    assert "Traceback" not in str(error)


def _line_seeds() -> Iterator[bytes]:
    yield from (
        b"-m gpt-5.4 -e low -t 0.2 -n 400 --out answer --tag draft",
        b"--set a.b='[1, {\"c\": null}]' --set \"x.y\"=1 --include a,b --image fig --file 'a b.pdf'",
        b"--sweep model=a,b effort=low,high budget=0.5 --repeat 3",
        b"--chat plan --new --from resp_1 --tools a,b,web_search_preview --max-rounds 4 --confirm",
        b"--schema '[name, age int?, mood glad|sad, tags list[str]]' --df rows --dry-run --quiet --raw --code",
        b'--instructions @style.md --tool_choice \'{"type": "auto"}\' --no-store --as curl --text.verbosity=low',
        "-s 'Réponds en \u202efrançais {{name}}' --metadata '{\"a\": \"b\"}' --temperature a".encode(),
    )


def _template_seeds() -> Iterator[bytes]:
    yield from (
        b"Plain {x} $y$ \\frac{a}{b} {{value}} and \\{{not}} {{ {1: {2: 3}} }}",
        b"{{df}} {{items[0] + 1}}\n{{'}}'}} {{lambda: 1}} {{f'{1}'}}\n\n{{[x for x in items]}}",
        b"{{unclosed and {{spy('x')}}",
        "{{é}} {{'\u2028'}} }} {{}} {{ }} {{1;2}}".encode(),
    )


def _code_seeds() -> Iterator[bytes]:
    body = '{"model": "gpt-5.4", "input": "Hi {{x}}", "reasoning": {"effort": "low"}, "tools": [{"type": "web_search"}]}'
    yield body.encode()
    yield f"curl https://x/v1/responses \\\n  -H 'Authorization: Bearer $KEY' -d '{body}' | jq .".encode()
    yield f"curl -s x --json @- <<'EOF'\n{body}\nEOF".encode()
    yield b'curl x -d $\'{"input": "a\\n\\u00e9\\U0001f600"}\' -o out'
    yield b"import httpx\n%pip install x\nbody = {'input': 'a' + 'b', 'seed': -1}\nhttpx.post(url, json=body | {})"
    yield f"r = httpx.post(url, data=json.dumps({body}).encode(), timeout=5)".encode()
    yield b"name = 'x'\nargs = dict(model='m', metadata={'a': name})\nclient.responses.create(input=name, **args)"
    yield b"with client.stream('Hi', tools=[f, 'web_search'], schema=Person, temperature=0x1f) as s:\n    pass"
    yield b"%%respond -m gpt-5.4 -e low --set a=1 --schema 'name, age int'\nHello {{name}}\n"
    yield b"```python\nclient.respond('Hi', extra_body={'a': [1, None]}, max_output_tokens=16)\n```"


_LINE_TOKENS = (
    b" --set ", b" -m ", b" --", b"=", b"'", b'"', b"\\", b" --sweep ", b"{{df}}", b" @", b" -n ", b" --tools ",
    b" --repeat ", b",", b"~", b" --no-", b"[", b" --schema ", b"|",
)  # fmt: skip
_TEMPLATE_TOKENS = (
    b"{{",
    b"}}",
    b"\\{{",
    b"{",
    b"}",
    b"\\",
    b"'",
    b"\n\n",
    b"value",
    b"(",
    b")",
    b"lambda:",
    b"spy('x')",
)
_CODE_TOKENS = (
    b"curl ", b"-d ", b"<<E\n", b"$'", b"\\U", b"$(", b"`", b"client.respond(", b")", b"(", b"'", b'"""', b"\n%x\n", b"**",
    b"=", b"+", b"dict(", b"{", b"}", b"json=", b"```", b"%%respond ", b"{{", b"\\{{", b" --set a=", b"f'", b"not_given",
)  # fmt: skip

TARGETS = (
    Target("cell_line", cell_line, _line_seeds, tokens=_LINE_TOKENS, n_tested=300),
    Target("template", template, _template_seeds, tokens=_TEMPLATE_TOKENS, n_tested=300),
    Target("code_reader", code_reader, _code_seeds, tokens=_CODE_TOKENS, n_tested=300),
)
