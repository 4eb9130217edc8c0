"""A cassette by its setting: as a backend of clients, sessions and kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

import cometnb
from cometnb.client.cassette import Cassette
from cometnb.client.cassette.deck import Deck
from cometnb.client.client import Client
from cometnb.client.simulator import Simulator
from cometnb.errors import ConfigError
from cometnb.options import is_cassette, resolve
from cometnb.session.session import Session
from tests.client.cassette.recordings import recorded, said


def test_a_backend_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an argument, and in the environment; no key is needed."""
    path = said(tmp_path / "c.jsonl", "One.")
    assert Client(backend=f"cassette:{path}").respond("Hi").output_text == "One."
    monkeypatch.setenv("COMETNB_BACKEND", f"cassette:{path}")
    client = Client()
    assert (client.respond("Hi").output_text, client.backend) == ("One.", "cassette")
    assert cometnb.respond("Hi").output_text == "One."


def test_a_session_plays_it(tmp_path: Path) -> None:
    """On its own thread."""
    path = tmp_path / "c.jsonl"
    recorded(path, lambda client: client.respond("Hi", stream=True), text="One.")
    session = Session(backend=f"cassette:{path}")
    assert session.start("Hi").wait().output_text == "One."
    session.close()


def test_both_clients_of_a_session_share_it(tmp_path: Path) -> None:
    """What one has been answered the other is not answered again."""
    path = tmp_path / "c.jsonl"
    simulator = Simulator()
    with Client(transport=Cassette(path, "record", transport=simulator)) as client:
        for text in ("One.", "Two."):
            simulator.text = text
            client.respond("Hi", stream=True)
    session = Session(backend=f"cassette:{path}")
    assert session.start("Hi").wait().output_text == "One."
    assert session.client.respond("Hi", stream=True).output_text == "Two."
    session.close()


@pytest.mark.parametrize(
    "backend", ["cassette", "cassette:", "cassette: ", "cassette-loud:x", "cassette:PATH:"[:9]]
)
def test_a_backend_without_a_file_is_refused(backend: str) -> None:
    """With what may be written."""
    assert not is_cassette(backend)
    with pytest.raises(ConfigError, match="cassette:PATH"):
        resolve(backend=backend)


def test_a_kernel_goes_on_where_it_was(tmp_path: Path) -> None:
    """A session that is made anew, for a new setting, does not begin the cassette again."""
    path = said(tmp_path / "c.jsonl", "One.", "Two.")
    cometnb.defaults.shared.configure(backend=f"cassette:{path}")
    try:
        texts = [cometnb.respond("Hi").output_text]
        cometnb.defaults.shared.configure(live="off")
        texts.append(cometnb.respond("Hi").output_text)
    finally:
        cometnb.defaults.shared.configure(backend=None, live=None)
    assert texts == ["One.", "Two."]


def test_what_stands_behind_is_what_was_there_before(tmp_path: Path) -> None:
    """A recording is made from the simulator where that was in use."""
    deck, simulator = Deck(), Simulator()
    assert deck.transport("simulator", lambda: simulator) is simulator
    cassette = deck.transport(f"cassette-auto:{tmp_path / 'c.jsonl'}", lambda: simulator)
    assert (cassette.mode, cassette.behind, deck.behind) == ("auto", "simulator", "simulator")
    assert deck.transport("api", lambda: simulator) is None
    assert (deck.cassette, deck.behind) == (None, "api")


def test_nobody_waits_where_nobody_watches(tmp_path: Path) -> None:
    """Unless somebody has chosen the pace."""
    path, deck = said(tmp_path / "c.jsonl", "One."), Deck()
    deck.put(f"cassette:{path}")
    deck.hurry()
    assert deck.cassette is not None
    assert deck.cassette.pace == "instant"
    deck.put(f"cassette:{path}", pace="real")
    deck.hurry()
    assert deck.cassette.pace == "real"
