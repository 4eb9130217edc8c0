"""Presets: kept, renamed, deleted, shared between kernels, and never lost."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import cometnb
from cometnb.errors import CellError, CometWarning, ConfigError
from cometnb.panel.presets import Presets
from cometnb.panel.request import asked_of, body_of
from cometnb.panel.shipped import SHIPPED
from cometnb.session.settings import Settings

_MINE = Settings("Say {{x}}.", {"temperature": 0.2, "reasoning": {"effort": "low"}}, ("web_search_preview",))


@pytest.fixture
def presets(tmp_path: Path) -> Presets:
    """Presets in a folder of their own."""
    return Presets(tmp_path / "deep" / "presets")


def test_a_saved_preset_comes_back(presets: Presets) -> None:
    """Also in another kernel, which is another object."""
    presets.save("  mine  and\tonly ", _MINE)
    assert Presets(presets.folder)["mine and only"] == _MINE
    assert presets.own == ("mine and only",)
    assert list(presets) == ["mine and only", *SHIPPED]
    assert len(presets) == 1 + len(SHIPPED)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_files_are_private(presets: Presets) -> None:
    """A prompt is nobody else's business."""
    presets.save("mine", _MINE)
    (file,) = presets.folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(presets.folder.stat().st_mode) == 0o700


def test_a_taken_name_is_replaced_on_demand_only(presets: Presets) -> None:
    """Nothing is lost by a slip."""
    presets.save("mine", _MINE)
    with pytest.raises(CellError, match="replace=True"):
        presets.save("mine", Settings("Other."))
    assert presets["mine"] == _MINE
    presets.save("mine", Settings("Other."), replace=True)
    assert presets["mine"] == Settings("Other.")


def test_names_differ_in_every_letter(presets: Presets) -> None:
    """Also where a file system or a file name would not tell them apart."""
    names = ["a/b", "a b", "A b", "../a", "ä", "x" * 100, "CON", "."]
    for number, name in enumerate(names):
        presets.save(name, Settings(str(number)))
    assert sorted(presets.own) == sorted(names)
    assert [presets[name].prompt for name in names] == [str(number) for number in range(len(names))]
    assert {file.parent for file in presets.folder.rglob("*")} == {presets.folder}


def test_renaming_moves_and_replaces_nothing(presets: Presets) -> None:
    """A name that is taken stays taken."""
    presets.save("one", _MINE)
    presets.save("two", Settings("Two."))
    with pytest.raises(CellError, match="already"):
        presets.rename("one", "two")
    presets.rename("one", "three")
    presets.rename("three", "three")
    assert presets.own == ("three", "two")
    assert presets["three"] == _MINE


def test_deleting_takes_one_away(presets: Presets) -> None:
    """Another is named if it is not there."""
    presets.save("mine", _MINE)
    with pytest.raises(CellError, match="Did you mean 'mine'"):
        presets.delete("mien")
    presets.delete("mine")
    assert presets.own == ()


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b", None])
def test_a_name_is_a_line_of_text(presets: Presets, name: str) -> None:
    """Of some length, and printable."""
    with pytest.raises(CellError, match="no name"):
        presets.save(name, _MINE)


def test_shipped_presets_stay(presets: Presets) -> None:
    """They can be loaded, and neither replaced nor taken away."""
    name = next(iter(SHIPPED))
    with pytest.raises(CellError, match="shipped"):
        presets.save(name, _MINE, replace=True)
    with pytest.raises(CellError, match="shipped"):
        presets.delete(name)
    with pytest.raises(CellError, match="shipped"):
        presets.rename(name, "x")
    assert presets[name] == SHIPPED[name].settings
    assert presets.doc(name)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_preset_can_be_sent(name: str) -> None:
    """As it is, with a prompt where it has none."""
    settings = SHIPPED[name].settings
    panel = cometnb.Panel("Hello.", {"df": "a table"})
    panel.load_preset(name)
    assert panel.problem == ""
    assert panel.prompt == (settings.prompt or "Hello.")
    body = body_of(asked_of(panel.settings, panel.namespace), "gpt-5.4")
    assert set(settings.params) <= set(body)
    assert panel.run().status == "completed"


@pytest.mark.parametrize(
    "spoilt", [b"", b"{", b'{"preset": 1}', b"\xff\xfe", b'{"preset":1,"name":"x","settings":{}}']
)
def test_a_spoilt_file_is_set_aside(presets: Presets, spoilt: bytes) -> None:
    """Its bytes are kept under another name, one warning says so, and its place is free."""
    presets.save("mine", _MINE)
    presets.save("other", _MINE)
    file = next(file for file in presets.folder.iterdir() if file.name.startswith("mine"))
    file.write_bytes(spoilt)
    with pytest.warns(CometWarning, match="cannot be read"):
        assert presets.own == ("other",)
    (aside,) = presets.folder.glob("*.spoilt")
    assert aside.read_bytes() == spoilt
    assert presets.own == ("other",)
    presets.save("mine", _MINE)
    assert presets["mine"] == _MINE


def test_a_file_of_a_later_version_is_left_alone(presets: Presets) -> None:
    """The later cometnb will want it again."""
    presets.save("mine", _MINE)
    (file,) = presets.folder.iterdir()
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"preset": 2}))
    assert presets.own == ()
    assert file.exists()


def test_a_file_that_was_cut_while_writing_is_no_preset(presets: Presets) -> None:
    """What a kernel that was killed leaves behind is neither read nor in the way."""
    presets.save("mine", _MINE)
    (presets.folder / ".abc.new").write_text("{")
    assert presets.own == ("mine",)


def test_no_key_is_kept(presets: Presets) -> None:
    """A prompt may hold one by mistake."""
    presets.save("mine", Settings("Use sk-abcdefghijklmnop1234."))
    (file,) = presets.folder.iterdir()
    assert "abcdefghijkl" not in file.read_text()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """In two lines."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be saved"):
        Presets(tmp_path / "file" / "presets").save("mine", _MINE)
    assert Presets(tmp_path / "file" / "presets").own == ()


def test_kernels_save_at_the_same_time(presets: Presets) -> None:
    """Each preset is whole, and none is lost."""
    code = (
        "import sys; from pathlib import Path; from cometnb.panel.presets import Presets;"
        "from cometnb.session.settings import Settings; presets = Presets(Path(sys.argv[1]));"
        "[presets.save(f'{sys.argv[2]} {n}', Settings(str(n))) for n in range(20)];"
        "[presets.save('same', Settings(sys.argv[2] * 1000), replace=True) for n in range(20)]"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(presets.folder), letter]) for letter in "ab"]
    assert [one.wait(60) for one in started] == [0, 0]
    assert len(presets.own) == 41
    assert presets["same"].prompt in ("a" * 1000, "b" * 1000)


def test_a_panel_saves_and_loads() -> None:
    """In the user's own folder."""
    panel = cometnb.panel("Say {{x}}.", temperature=0.5)
    panel.save_preset("mine")
    other = cometnb.panel("Other.")
    other.load_preset("mine")
    assert other.settings == panel.settings
    panel.presets.delete("mine")
    with pytest.raises(CellError, match="no preset"):
        other.load_preset("mine")
