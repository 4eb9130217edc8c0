"""What a response says with the help of a higher layer."""

from __future__ import annotations

import pytest

from cometnb.protocol import readers
from cometnb.protocol.response import Response


def test_a_registered_reader_answers() -> None:
    """The reader is handed the response, and its value is the attribute's."""
    readers.register("tests_length", lambda response: len(response.output_text))
    response = Response(
        {"output": [{"type": "message", "content": [{"type": "output_text", "text": "four"}]}]}
    )
    assert readers.read("tests_length", response) == 4


def test_an_unknown_reader_is_named() -> None:
    """The error says what nobody can read."""
    with pytest.raises(LookupError, match="tests_nothing"):
        readers.read("tests_nothing", Response({}))
