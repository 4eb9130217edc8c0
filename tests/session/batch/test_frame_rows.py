"""From a row to the body that is sent: the prompt, what is attached, its own options, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from cometnb.errors import CellError, CometError, ParamError
from cometnb.session.batch.columns import Columns
from cometnb.session.batch.rows import Asking, RowRequests

_PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa7\x9a\xa0\xa0\x00\x00\x00\x00IEND\xaeB`\x82"
)


def _body(asking: Asking, row: dict[str, Any], **namespace: Any) -> dict[str, Any]:
    """What one row sends."""
    columns = Columns(list(row), [None], namespace)
    return RowRequests(asking, columns).of(columns.row(row.values(), 0))


def test_the_prompt_is_filled_in() -> None:
    """Text is inserted as text, other values as in a cell; blank lines around the prompt go."""
    body = _body(Asking("\nJudge: {{text}} ({{n}})\n", {"model": "m"}), {"text": "good", "n": 3})
    assert body == {"model": "m", "input": "Judge: good (3)"}


def test_instructions_are_a_template_too() -> None:
    """As `--instructions` of a cell is."""
    asking = Asking("Hi {{name}}", {"model": "m", "instructions": "Speak {{tongue}}."})
    assert _body(asking, {"name": "Ada", "tongue": "French"})["instructions"] == "Speak French."


def test_a_row_has_its_own_options() -> None:
    """By the path of the parameter; where the value is missing it has what all have."""
    asking = Asking(
        "Hi {{name}}",
        {"model": "m", "reasoning": {"summary": "auto"}, "temperature": 0.5},
        row_options={"model": "who", "reasoning.effort": "effort", "temperature": "heat"},
    )
    body = _body(asking, {"name": "Ada", "who": "big", "effort": "low", "heat": None})
    assert body["model"] == "big"
    assert body["reasoning"] == {"summary": "auto", "effort": "low"}
    assert body["temperature"] == 0.5
    assert asking.params["reasoning"] == {"summary": "auto"}


def test_a_number_of_numpy_is_a_number_of_json() -> None:
    """Columns of dtype object hold such."""
    import numpy as np

    asking = Asking("Hi {{name}}", {"model": "m"}, row_options={"max_output_tokens": "most"})
    body = _body(asking, {"name": "Ada", "most": np.int64(64)})
    assert type(body["max_output_tokens"]) is int


def test_images_come_from_a_column(tmp_path: Path) -> None:
    """As paths, links or bytes, one or several; behind the text."""
    (tmp_path / "a.png").write_bytes(_PNG)
    row = {"text": "x", "photo": [str(tmp_path / "a.png"), "https://example.org/b.png", _PNG]}
    body = _body(Asking("See {{text}}", {"model": "m"}, images=("photo",), detail="low"), row)
    parts = body["input"][0]["content"]
    assert [part["type"] for part in parts] == ["input_text", *["input_image"] * 3]
    assert {part["detail"] for part in parts[1:]} == {"low"}
    assert parts[2]["image_url"] == "https://example.org/b.png"


def test_a_file_comes_from_a_column(tmp_path: Path) -> None:
    """Text in a fence, as a cell attaches it."""
    (tmp_path / "a.txt").write_text("inside")
    body = _body(Asking("Read {{n}}", {"model": "m"}, files=("path",)), {"n": 1, "path": tmp_path / "a.txt"})
    assert "inside" in body["input"]


@pytest.mark.parametrize("column", ["text", "photo"])
def test_a_missing_value_is_the_rows_error(column: str) -> None:
    """Nothing is guessed: neither the word nan nor a prompt without its image is paid for."""
    row = {"text": "x", "photo": "https://example.org/b.png"} | {column: None}
    with pytest.raises(CellError, match="is missing in this row"):
        _body(Asking("See {{text}}", {"model": "m"}, images=("photo",)), row)


def test_a_text_may_stand_for_what_is_missing() -> None:
    """And the row without an image goes without."""
    asking = Asking("See {{text}}.", {"model": "m"}, images=("photo",), missing="nothing")
    assert _body(asking, {"text": float("nan"), "photo": None})["input"] == "See nothing."


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("{{1 / n}}", "ZeroDivisionError"),
        ("{{text.upper() + n}}", "TypeError"),
        ("{{thing}}", "no text of its own"),
        ("{{blank}}", "prompt of this row is empty"),
    ],
)
def test_an_error_in_a_row_names_the_expression(prompt: str, said: str) -> None:
    """It is the row's alone."""
    with pytest.raises(CellError, match=said):
        _body(Asking(prompt, {"model": "m"}), {"text": "x", "n": 0, "blank": " "}, thing=object())


def test_a_rows_own_option_is_checked() -> None:
    """By the parameter's bounds."""
    asking = Asking("Hi {{n}}", {"model": "m"}, row_options={"temperature": "n"})
    with pytest.raises(ParamError, match="above its maximum"):
        _body(asking, {"n": 9})


@pytest.mark.parametrize(
    ("asking", "said"),
    [
        (Asking("  ", {}), "asks nothing"),
        (Asking(cast("str", None), {}), "asks nothing"),
        (Asking("{{text}}", {}, row_options=cast("Any", ["text"])), "which column is which parameter"),
        (Asking("Judge {text}", {}), "names no column"),
        (Asking("{{text}}", {"temperature": 9}), "above its maximum"),
        (Asking("{{text}}", {"input": "x"}), "input cannot be given"),
        (Asking("{{text}}", {"stream": True}), "stream cannot be given"),
        (Asking("{{text}}", {}, images=("foto",)), "no column 'foto'"),
        (Asking("{{text}}", {}, row_options={"model": "modell"}), "no column 'modell'"),
        (Asking("{{text}}", {}, row_options={"modle": "text"}), "'modle', which there is not"),
        (Asking("{{text}}", {"instructions": "{{tex}}"}), "no column 'tex'"),
    ],
)
def test_what_is_wrong_for_all_is_said_at_once(asking: Asking, said: str) -> None:
    """Before any row is made, and so before anything is paid."""
    with pytest.raises(CometError, match=said):
        RowRequests(asking, Columns(["text", "photo", "model"], [None], {}))


def test_one_image_a_row_makes_rows_differ() -> None:
    """A prompt without a column is no mistake then."""
    requests = RowRequests(
        Asking("What is this?", {"model": "m"}, images=("photo",)), Columns(["photo"], [None], {})
    )
    assert not requests.is_same_for_all
