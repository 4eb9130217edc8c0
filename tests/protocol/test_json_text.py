"""JSON with numbers that Python does not turn into integers."""

from __future__ import annotations

import pytest

from cometnb.protocol.json_text import finite, loaded

_LONG = "1" + "0" * 5_000


def test_an_integer_too_long_stays_text() -> None:
    """The rest of the JSON is read as ever."""
    assert loaded(f'{{"a": {_LONG}, "b": 7, "c": -{_LONG}}}') == {"a": _LONG, "b": 7, "c": f"-{_LONG}"}


def test_what_is_no_json_is_an_error() -> None:
    """Also behind such an integer."""
    for text in ("{", f"[{_LONG}", ""):
        with pytest.raises(ValueError, match=r"Expecting|char"):
            loaded(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_could_not_be_written_again_is_an_error(number: str) -> None:
    """It is named; all others are read as ever."""
    with pytest.raises(ValueError, match=f"^{number} is no JSON number$"):
        finite(f'{{"a": [{number}]}}')
    assert finite('{"a": [1, 0.5, 1e300]}', dict) == {"a": [1, 0.5, 1e300]}
