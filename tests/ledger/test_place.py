"""Where the ledger is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cometnb.errors import ConfigError
from cometnb.ledger.place import place_of, shown_place


def test_the_configured_place_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """COMETNB_LEDGER is where a ledger is that was given no place."""
    monkeypatch.setenv("COMETNB_LEDGER", str(tmp_path / "mine.sqlite3"))
    assert place_of(None) == str(tmp_path / "mine.sqlite3")


def test_the_default_place_is_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing said the ledger is one file for all of the user's notebooks."""
    monkeypatch.delenv("COMETNB_LEDGER", raising=False)
    place = Path(place_of(None))
    assert place.is_absolute()
    assert (place.parent.name, place.name) == ("cometnb", "ledger.sqlite3")


@pytest.mark.parametrize("url", ["off", " OFF ", ":memory:", "sqlite://", "sqlite:///:memory:"])
def test_a_ledger_can_be_off(url: str) -> None:
    """A database in memory ends with the process, as a ledger that is off does."""
    assert place_of(url) == "off"


def test_a_path_object_is_always_a_path() -> None:
    """A file may be called off."""
    assert place_of(Path("off")) == str(Path("off").absolute())


@pytest.mark.parametrize("path", ["~/usage.sqlite3", Path("~/usage.sqlite3")])
def test_the_home_folder_is_found(path: str | Path) -> None:
    """A tilde is the user's home."""
    assert place_of(path) == str(Path.home() / "usage.sqlite3")


@pytest.mark.parametrize("url", ["", "  ", "\ufeff\n"])
def test_a_blank_place_is_an_error(url: str) -> None:
    """A blank argument is a mistake, not a wish for the default."""
    with pytest.raises(ConfigError, match="blank"):
        place_of(url)


@pytest.mark.parametrize("url", [3, b"usage.sqlite3", ["usage.sqlite3"]])
def test_what_is_no_place_is_an_error(url: Any) -> None:
    """In two lines, as any mistake."""
    with pytest.raises(ConfigError, match=r"neither a path nor a URL\.\n"):
        place_of(url)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("postgresql+psycopg://ana:secret@db.test/usage", "postgresql+psycopg://ana:***@db.test/usage"),
        (
            "postgresql://db.test/usage?user=ana&password=secret&x=1",
            "postgresql://db.test/usage?user=ana&password=***&x=1",
        ),
        ("postgresql://ana@db.test/usage", "postgresql://ana@db.test/usage"),
        ("/data/a:b@c/usage.sqlite3", "/data/a:b@c/usage.sqlite3"),
    ],
)
def test_a_password_is_not_shown(place: str, shown: str) -> None:
    """A place is shown in warnings and errors; its password is not."""
    assert shown_place(place) == shown
