"""Leaked keys: wherever in a file one stands, it is found and its place is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.ledger.audit import audit
from cometnb.ledger.audit.leaks import leaks_of
from cometnb.ledger.audit.notebook import read_notebook
from tests.ledger.notebooks import KEY, MASKED, a_cell, an_output, saved

_WIDGETS = {"application/vnd.jupyter.widget-state+json": {"state": {"m1": {"state": {"value": KEY}}}}}


def _places(path: str, **environ: str) -> list[tuple[int | None, str]]:
    return [(leak.cell, leak.place) for leak in audit(path, environ=environ).leaks]


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        (a_cell(f"a = 1\nkey = '{KEY}'"), "source, line 2"),
        (a_cell(["a = 1\n", f"key = '{KEY}'\n", "b"]), "source, line 2"),
        (a_cell(["a = 1\n", f"key = '{KEY[:20]}", f"{KEY[20:]}'"]), "source, line 2"),
        (a_cell(f"Use {KEY}", kind="markdown"), "source, line 1"),
        (a_cell(f"Use {KEY}", kind="raw"), "source, line 1"),
        (a_cell("", an_output(), an_output(KEY)), "output 2 (text/plain)"),
        (a_cell("", an_output([f"a {KEY}\n", "b"])), "output 1 (text/plain)"),  # type: ignore[arg-type]
        (a_cell("", an_output(f"<td>{KEY}</td>", "text/html")), "output 1 (text/html)"),
        (a_cell("", an_output(f"<svg>{KEY}</svg>", "image/svg+xml")), "output 1 (image/svg+xml)"),
        (a_cell("", an_output(KEY, "image/png")), "output 1 (image/png)"),
        (a_cell("", an_output({"rows": [[1, KEY]]}, "application/json")), "output 1 (application/json)"),  # type: ignore[arg-type]
        (a_cell("", {"output_type": "stream", "name": "stderr", "text": ["a\n", KEY]}), "output 1 (stderr)"),
        (
            a_cell(
                "",
                {"output_type": "error", "ename": "E", "evalue": "", "traceback": [f"\x1b[31m{KEY}\x1b[0m"]},
            ),
            "output 1 (traceback)",
        ),
        (a_cell("", an_output(metadata={"request": {"key": KEY}})), "output 1 (metadata.request.key)"),
        (a_cell("", metadata={"tags": ["a", KEY]}), "metadata.tags"),
        (a_cell("", metadata={KEY: 1}), "metadata"),
        (a_cell("", kind="markdown", attachments={"a.txt": {"text/plain": KEY}}), "attachment a.txt"),
        (a_cell("", id=KEY), "id"),
    ],
)
def test_a_key_in_a_cell_is_found_with_its_place(cell: Any, place: str, tmp_path: Path) -> None:
    """The cell by its number from 1, text cells counted, and its execution count."""
    path = saved(tmp_path / "a.ipynb", a_cell("# Title", kind="markdown"), cell)
    (leak,) = audit(path).leaks
    assert (leak.cell, leak.place, leak.masked) == (2, place, MASKED)
    assert leak.cell_kind == cell["cell_type"]
    assert leak.execution_count == cell.get("execution_count")


def test_a_key_outside_of_cells_is_found(tmp_path: Path) -> None:
    """In the notebook's metadata, such as the state of its widgets."""
    path = saved(tmp_path / "a.ipynb", a_cell(), metadata={"widgets": _WIDGETS})
    ((cell, place),) = _places(path)
    assert cell is None
    assert place.startswith("metadata.widgets.application/vnd.jupyter.")
    assert place.endswith("m1.state.value")


def test_a_name_beside_a_value_tells_a_key(tmp_path: Path) -> None:
    """Of a gateway whose keys have no form."""
    value = "a1B2c3D4e5F6g7H8i9J0"
    path = saved(tmp_path / "a.ipynb", metadata={"client": {"api_key": value, "build": value[::-1]}})
    assert _places(path) == [(None, "metadata.client.api_key")]


def test_the_environments_key_is_found(tmp_path: Path) -> None:
    """Whatever it looks like."""
    path = saved(tmp_path / "a.ipynb", a_cell("print('my-gateway')"))
    assert _places(path) == []
    assert _places(path, COMETAPI_KEY="my-gateway") == [(1, "source, line 1")]


def test_each_place_is_told_once(tmp_path: Path) -> None:
    """And each of several keys in one place."""
    other = KEY[::-1].replace("-ks", "-").join(["sk-", ""])
    path = saved(tmp_path / "a.ipynb", a_cell(f"{KEY} {KEY} {other}", an_output(f"{KEY} {KEY}")))
    found = audit(path).leaks
    assert [(leak.place, leak.masked[-4:]) for leak in found] == [
        ("source, line 1", KEY[-4:]),
        ("source, line 1", other[-4:]),
        ("output 1 (text/plain)", KEY[-4:]),
    ]


def test_what_a_reader_of_json_skips_is_found(tmp_path: Path) -> None:
    """Of two fields of one name JSON keeps the last; both are in the file."""
    path = tmp_path / "a.ipynb"
    path.write_text('{"cells": [\n{"source": "' + KEY + '", "source": "x"}]}')
    assert _places(str(path)) == [(None, "line 2 of the file")]


@pytest.mark.parametrize(
    "content",
    [
        b'{"cells": [{"source": "%s"',
        b'\n["no notebook", "%s"]',
        b"key = %s  # \xff\xfe",
        b'{"cells": ' + b"[" * 100_000 + b'"%s"',
        b'{"cells": [], "n": ' + b"9" * 5_000 + b', "k": "%s"}',
    ],
)
def test_a_broken_file_is_searched_all_the_same(content: bytes, tmp_path: Path) -> None:
    """It is named as broken, and what leaked into it is told."""
    path = tmp_path / "a.ipynb"
    path.write_bytes(content.replace(b"%s", KEY.encode()))
    found = audit(path)
    assert [leak.masked for leak in found.leaks] == [MASKED]
    assert list(found.errors) == [str(path)]
    assert found.exit_status == 1


def test_older_formats_are_read(tmp_path: Path) -> None:
    """Format 3 has sheets, inputs and prompt numbers; format 4 before 4.5 has no ids."""
    old = {
        "cell_type": "code",
        "input": [f"a\n{KEY}"],
        "prompt_number": 7,
        "outputs": [{"output_type": "pyout", "text": KEY}],
    }
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": [old]}]}))
    found = audit(path)
    assert [(leak.cell, leak.execution_count, leak.place) for leak in found.leaks] == [
        (1, 7, "source, line 2"),
        (1, 7, "output 1 (text)"),
    ]
    assert not found.errors


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    """As editors on Windows save them."""
    path = tmp_path / "a.ipynb"
    path.write_bytes(json.dumps({"cells": [a_cell(KEY)]}).encode(encoding))
    assert _places(str(path)) == [(1, "source, line 1")]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["outputs", "source", "data", "metadata", "cometnb", "text", "usage", "cell_type", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.lists(_json, max_size=3), _json, st.integers(0, 10))
def test_a_key_anywhere_in_any_json_is_found(cells: list[Any], rest: Any, at: int) -> None:
    """Whatever shape the file has."""
    from tempfile import TemporaryDirectory

    text = json.dumps({"cells": cells, "metadata": rest})
    places = [index for index in range(len(text)) if text.startswith('""', index)]
    if places:
        place = places[at % len(places)]
        text = f'{text[:place]}"{KEY}{text[place + 1 :]}'
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.ipynb"
        path.write_text(text)
        found = leaks_of(read_notebook(str(path)), {})
        assert {leak.masked for leak in found} == ({MASKED} if places else set())
        str(audit(path))
