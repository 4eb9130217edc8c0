"""Settings are read from two files; what is wrong with one is said with file and line, and without a key."""

from __future__ import annotations

import os
import warnings

import pytest

from cometnb.config.files import file_settings, own_file, shown_path
from cometnb.errors import CometWarning, ConfigError
from tests.config.stored import their_file, write

_KEY = "sk-canary1234567"


def _refused() -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        file_settings()
    assert len(str(caught.value).splitlines()) == 2
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def test_without_files_nothing_is_stored() -> None:
    """Nor is a folder made by looking."""
    assert file_settings() == {}
    assert not own_file().parent.exists()


def test_cometnbs_own_file_comes_first_and_is_named() -> None:
    """Each by the name that `%comet` shows, in the order they are looked at."""
    write(f'model = "m-own"\nprice_ratio = 0.9\napi_key = "{_KEY}"\n')
    write('default_model = "m-theirs"\noutput_format = "json"\naccess_token = "t"\n', their_file())
    assert file_settings() == {
        shown_path(own_file()): {"api_key": _KEY, "model": "m-own", "price_ratio": "0.9"},
        "~/.config/cometapi/config.toml": {"model": "m-theirs"},
    }
    assert list(file_settings()) == [shown_path(own_file()), "~/.config/cometapi/config.toml"]
    assert shown_path(own_file()).startswith("~/")


def test_a_byte_order_mark_is_no_part_of_a_file() -> None:
    """Editors on Windows write one."""
    write(b'\xef\xbb\xbfmodel = "m"\r\n')
    assert list(file_settings().values()) == [{"model": "m"}]


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not() -> None:
    """A kernel need not be restarted."""
    path = write('model = "one"\n')
    first = file_settings()[shown_path(path)]
    assert file_settings()[shown_path(path)] is first
    write('model = "another"\n')
    assert file_settings()[shown_path(path)] == {"model": "another"}
    path.unlink()
    assert file_settings() == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'model = "m"\napi_key = {_KEY}\n'.encode(), 2),
        (f'api_key = "{_KEY}\nmodel = "m"\n'.encode(), 1),
        (f'\n\napi_key = "{_KEY}" x\n'.encode(), 3),
        (f'api_key = "{_KEY}"\napi_key = "{_KEY}"\n'.encode(), 2),
        (f'api_key = """{_KEY}'.encode(), 1),
        (b'model = "m"\napi_key = "sk-canary\xff"\n', 2),
        (f'api_key = "{_KEY}"\n'.encode("utf-16"), 1),
    ],
)
def test_a_spoilt_file_is_named_with_its_line_and_no_key(text: bytes, line: int) -> None:
    """Every time it is looked at, for it may hold what the user counts on."""
    write(text)
    for error in (_refused(), _refused()):
        assert error.fact.startswith(f"{shown_path(own_file())}, line {line}, is not ")


def test_a_number_without_end_is_named_with_its_line() -> None:
    """Python reads no integer of so many digits."""
    write(f'model = "m"\na = {"9" * 5_000}\n')
    assert _refused().fact == f"{shown_path(own_file())}, line 2, has a number without end."


@pytest.mark.parametrize("value", ["5", "true", '["sk-canary1234567"]', '{ a = "sk-canary1234567" }'])
def test_a_setting_that_is_no_text_is_refused(value: str) -> None:
    """Its type is named, its value is not."""
    write(f"api_key = {value}\n")
    assert _refused().fact.startswith(f"api_key in {shown_path(own_file())} is ")


def test_what_is_no_file_is_refused() -> None:
    """A folder of that name would be an error of the system."""
    own_file().mkdir(parents=True)
    assert "is not a file" in _refused().fact


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser reads everything")
def test_a_file_that_may_not_be_read_says_the_command() -> None:
    """The next step is ready to copy."""
    path = write('model = "m"\n', mode=0o000)
    assert _refused().next_step == f"Run: chmod u+r {path}"


def test_a_name_that_is_no_setting_is_told_once() -> None:
    """A slip would otherwise be a setting that does nothing."""
    write(f'apikey = "{_KEY}"\nmodel = "m"\n')
    with pytest.warns(CometWarning, match="'apikey', which is no setting") as caught:
        assert list(file_settings().values()) == [{"model": "m"}]
    assert "canary" not in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file_settings()


@pytest.mark.parametrize("text", ["not toml\n", "default_model = 5\n"])
def test_cometapis_file_is_passed_over_when_it_is_spoilt(text: str) -> None:
    """It is another program's; a key in the environment must go on working."""
    write(text, their_file())
    with pytest.warns(CometWarning, match="passed over"):
        assert file_settings() == {}
    assert file_settings() == {}


@pytest.mark.skipif(os.name == "nt", reason="no such modes there")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_warns_with_the_command(mode: int) -> None:
    """Once, until it is changed; the key is used."""
    path = write(f'api_key = "{_KEY}"\n', mode=mode)
    with pytest.warns(CometWarning) as caught:
        assert list(file_settings().values()) == [{"api_key": _KEY}]
    assert f"chmod 600 {path}" in str(caught[0].message)
    assert "canary" not in str(caught[0].message)
    file_settings()


def test_a_file_without_a_key_may_be_read_by_all() -> None:
    """A model is no secret."""
    write('model = "m"\n', mode=0o644)
    assert list(file_settings().values()) == [{"model": "m"}]


def test_a_file_that_is_nested_too_deep_is_refused() -> None:
    """The parser would fail in Python's own words."""
    write("a = " + "[" * 5000)
    assert "nested too deep" in _refused().fact
