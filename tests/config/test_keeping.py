"""A key is kept in the keyring or in a file of the user's alone, whose other lines stay, and is removed again."""

from __future__ import annotations

import os
import stat
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.config.configured import KEYRING, configured
from cometnb.config.files import own_file, shown_path
from cometnb.config.keeping import Kept, _edited, forget_key, keep_key
from cometnb.errors import ConfigError
from tests.config.rings import LockedRing, MemoryRing
from tests.config.stored import use_ring, write

_KEY = "sk-canary1234567"
_FILE = '# mine\nmodel = "m"  # best\r\napi_key = "sk-before-123"\n\n[later]\napi_key = "not this"\n'


def test_a_keyring_takes_it_and_the_file_keeps_no_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is looked at first and would hide it."""
    ring = MemoryRing()
    use_ring(monkeypatch, ring)
    path = write('api_key = "sk-before-123"\nmodel = "m"\n')
    assert keep_key(_KEY) == Kept(KEYRING)
    assert path.read_text() == 'model = "m"\n'
    assert (configured().api_key, configured().sources["api_key"]) == (_KEY, KEYRING)
    assert (forget_key(), ring.kept, configured().api_key) == ((KEYRING,), {}, "")
    assert forget_key() == ()


def test_without_a_keyring_the_file_takes_it_for_the_user_alone() -> None:
    """It is made, with its folder, and nothing else is left in there."""
    assert keep_key(_KEY) == Kept(shown_path(own_file()))
    assert own_file().read_text() == f'api_key = "{_KEY}"\n'
    assert list(own_file().parent.iterdir()) == [own_file()]
    if os.name != "nt":
        assert stat.S_IMODE(own_file().stat().st_mode) == 0o600
        assert stat.S_IMODE(own_file().parent.stat().st_mode) == 0o700
    assert configured().sources["api_key"] == shown_path(own_file())
    assert forget_key() == (shown_path(own_file()),)
    assert (forget_key(), configured().api_key) == ((), "")


@pytest.mark.skipif(os.name == "nt", reason="no such modes there")
def test_nobody_else_can_read_the_file_while_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its first byte on, and whatever modes the user's other files have."""
    synced = os.fsync
    modes: set[int] = set()

    def looked_at(handle: int) -> None:
        modes.update(stat.S_IMODE(path.stat().st_mode) for path in own_file().parent.iterdir())
        modes.add(stat.S_IMODE(os.fstat(handle).st_mode))
        synced(handle)

    monkeypatch.setattr(os, "fsync", looked_at)
    former = os.umask(0)
    try:
        keep_key(_KEY)
    finally:
        os.umask(former)
    assert modes == {0o600}


def test_a_keyring_that_fails_leaves_it_to_the_file_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is in neither text."""
    use_ring(monkeypatch, LockedRing())
    assert keep_key(_KEY) == Kept(shown_path(own_file()), "failed (RuntimeError)")


@pytest.mark.filterwarnings("ignore:.*no setting")
def test_the_other_lines_of_the_file_stay() -> None:
    """Comments, too, and a table's own line of that name; others can no longer read it."""
    path = write(_FILE, mode=0o644)
    keep_key(_KEY)
    assert path.read_bytes().decode() == _FILE.replace("sk-before-123", _KEY)
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600
    forget_key()
    assert path.read_bytes().decode() == _FILE.replace('api_key = "sk-before-123"\n', "")


def test_a_link_stays_a_link() -> None:
    """Some keep such files elsewhere."""
    real = write('model = "m"\n', own_file().parent.parent / "dotfiles" / "c.toml")
    own_file().parent.mkdir()
    own_file().symlink_to(real)
    keep_key(_KEY)
    assert own_file().is_symlink()
    assert tomllib.loads(real.read_text()) == {"model": "m", "api_key": _KEY}


@pytest.mark.parametrize("text", ["not toml", 'model = """\napi_key = 1\n"""\napi_key = "sk-before-123"\n'])
def test_a_file_that_cannot_be_changed_safely_is_left_as_it_is(text: str) -> None:
    """Two lines say what to do instead."""
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        keep_key(_KEY)
    assert path.read_text() == text
    assert len(str(caught.value).splitlines()) == 2
    assert "canary" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser writes everywhere")
def test_a_folder_that_cannot_be_written_is_two_lines() -> None:
    """The next step is the environment."""
    write("").parent.chmod(0o500)
    with pytest.raises(ConfigError, match="cannot be written: Permission denied"):
        keep_key(_KEY)
    own_file().parent.chmod(0o700)


_LINES = st.sampled_from(
    [
        "",
        "# api_key = 'no'",
        "api_key = 'sk-1'",
        '"api_key"="sk-2" # x',
        'model = "m"',
        "[t]",
        "a = [",
        "[1]",
        "]",
        'b = """',
        'api_key = "sk-3"',
        '"""',
        "[[u]]",
        "\tapi_key\t= 'sk-4'",
        "api_key.x = 1",
        "c = '''",
        "'''",
    ]
)


@given(st.lists(_LINES, max_size=8), st.sampled_from([None, 'sk-\\new\\u0041#[x]="']))
def test_only_the_key_of_any_file_changes(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], key: str | None
) -> None:
    """Either the file says the same but for the key, or it is refused."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    text = "\n".join(lines)
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    path.write_text(text)
    wanted = {name: value for name, value in before.items() if name != "api_key"}
    wanted |= {"api_key": key} if key else {}
    try:
        after = _edited(path, key, wanted)
    except ConfigError:
        return
    assert tomllib.loads(after) == wanted
    assert [line for line in lines if line.startswith("#")] == [
        line for line in after.splitlines() if line.startswith("#")
    ]
