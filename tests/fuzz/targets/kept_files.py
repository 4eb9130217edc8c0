"""Files and strings that somebody may hand over: conversations, presets, shared settings, checkpoints, settings in TOML."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cometnb.config.files import read_toml
from cometnb.errors import CometError
from cometnb.panel.packing import is_packed, packed, unpacked
from cometnb.panel.presets import Presets
from cometnb.session.batch.checkpoint import ANSWERED, FAILED, Checkpoint
from cometnb.session.batch.record import error_of, response_of
from cometnb.session.conversation import Conversation
from cometnb.session.settings import Settings
from cometnb.view.tree import as_markdown, as_text, summary
from tests.fuzz.looking import check_error, check_text
from tests.fuzz.target import Target
from tests.fuzz.targets.cell_text import text_of

__all__ = ["TARGETS", "checkpoint", "conversation", "preset", "shared_settings", "toml"]

_PRESET = {
    "preset": 1,
    "name": "mine",
    "settings": {"version": 1, "prompt": "Hi", "params": {"temperature": 0.2}},
}


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="cometnb-fuzz-"))


def conversation(data: bytes) -> None:
    """Load a conversation: one that can be drawn, gone on with and saved again, or a ConfigError."""
    file = _folder() / "chat.json"
    file.write_bytes(data)
    try:
        chat = Conversation.load(file)
    except CometError as error:
        check_error(error)
        return
    for text in (as_markdown(chat), as_text(chat), summary(chat), repr(chat)):
        check_text(text)
    assert "<" not in as_markdown(chat)
    for turn in chat.turns:
        check_text(turn.text)
        assert chat.turns.path_to(turn)[-1] is turn
        chat.turns.latest(turn)
    chat.save(file)
    assert len(Conversation.load(file).turns) == len(chat.turns)


def preset(data: bytes) -> None:
    """Read a preset's file: settings, or it is set aside and nothing is lost."""
    folder = _folder() / "presets"
    folder.mkdir(exist_ok=True)
    for left in folder.iterdir():
        left.unlink()
    presets = Presets(folder)
    file = presets._file("mine")
    file.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: presets[name] for name in presets.own if name == "mine"}
    assert [one.read_bytes() for one in folder.iterdir()] == [data]
    for settings in found.values():
        _check_settings(settings)


def shared_settings(data: bytes) -> None:
    """Unpack a string, or JSON packed as one: settings that pack again, or a ConfigError; never more than its bound."""
    checked = zlib.compress(data, 1)
    code = base64.urlsafe_b64encode(checked).decode().rstrip("=")
    whole = f"cometnb1.{code}.{hashlib.sha256(checked).hexdigest()[:8]}"
    for text in (text_of(data), whole, whole[:-1]):
        is_packed(text)
        try:
            settings = unpacked(text)
        except CometError as error:
            check_error(error)
            continue
        _check_settings(settings)
        assert unpacked(packed(settings)).as_json() == settings.as_json()


def _check_settings(settings: Settings) -> None:
    json.dumps(settings.as_json(), allow_nan=False)
    assert settings.is_literal in (True, False)
    settings.normal().as_template()


def checkpoint(data: bytes) -> None:
    """Open a database as a checkpoint and read rows of it: records, or a BatchError; a foreign file stays as it is."""
    file = _folder() / "rows.sqlite"
    for left in _folder().glob("rows.sqlite*"):
        left.unlink()
    file.write_bytes(data)
    try:
        with Checkpoint(file, batch="b", title="t") as kept:
            for key in ("a", "b"):
                _check_stored(kept, key)
            kept.counts()
    except CometError as error:
        check_error(error)
    if not data.startswith(b"SQLite format 3\0") and data:
        assert file.read_bytes() == data


def _check_stored(kept: Checkpoint, key: str) -> None:
    stored = kept.get(key)
    if stored is not None:
        response_of(stored.record)
        error_of(stored.record)


def toml(data: bytes) -> None:
    """Read TOML: a dict, or a ConfigError that shows nothing of what stands there."""
    file = _folder() / "config.toml"
    file.write_bytes(b"secret-word = '" + data)
    try:
        read_toml(file)
    except CometError as error:
        check_error(error)
        assert "secret-word" not in str(error)


def _chat_seeds() -> Iterator[bytes]:
    turn = {
        "turn_id": "0123abcd", "parent_id": None, "owner": "cell-1", "prompt": "Hi <b>", "instructions": "Be brief.",
        "n_input": 1, "n_kept": 2, "response_ids": ["resp_1"], "status": "completed", "model": "m", "replaced_by": None,
        "place": "https://api.cometapi.com/v1",
        "items": [
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Ho"}]},
        ],
    }  # fmt: skip
    second = {**turn, "turn_id": "b", "parent_id": "0123abcd", "owner": "", "response_ids": [], "place": ""}
    file = _folder() / "seed.json"
    Conversation("plan").save(file)
    empty = json.loads(file.read_text("utf-8"))
    yield json.dumps(empty).encode()
    yield json.dumps({**empty, "turns": [turn, second], "head_id": "b"}).encode()
    yield json.dumps({**empty, "turns": [{**turn, "replaced_by": "b"}, second], "head_id": "b"}).encode()


def _preset_seeds() -> Iterator[bytes]:
    yield json.dumps(_PRESET).encode()
    yield json.dumps(
        {
            **_PRESET,
            "settings": {"version": 1, "tools": ["f", {"type": "x"}], "images": ["a"], "is_raw": True},
        }
    ).encode()
    yield json.dumps({**_PRESET, "settings": {"version": 2}}).encode()


def _shared_seeds() -> Iterator[bytes]:
    yield json.dumps(_PRESET["settings"]).encode()
    yield packed(
        Settings(prompt="Hi {{x}}", params={"reasoning": {"effort": "low"}}, tools=("web_search",))
    ).encode()
    yield b'{"version": 1, "prompt": "' + b"a" * 4_100_000 + b'"}'


def _checkpoint_seeds() -> Iterator[bytes]:
    file = _folder() / "seed.sqlite"
    if not file.exists():
        with Checkpoint(file, batch="b", title="t") as kept:
            kept.put(
                "a",
                ANSWERED,
                {"raw": {"id": "r", "output": []}, "status": "completed", "timing": {"sent_at": None}},
            )
            kept.put("b", FAILED, {"class": "RateLimitError", "fact": "No.", "details": {"status_code": 429}})
    yield file.read_bytes()
    yield b"no database"


def _toml_seeds() -> Iterator[bytes]:
    yield b'x\'\nmodel = "gpt-5.4"\nprice_ratio = 0.8\n[a.b]\nc = [1, {d = 1979-05-27T07:32:00Z}]\n'


_TOKENS = (
    b'"turn_id":',
    b'"parent_id":',
    b'"version":1',
    b'"params":',
    b"cometnb1.",
    b'"replaced_by":"b"',
    b"<img>",
    b"](",
    b"[[",
)

TARGETS = (
    Target("conversation", conversation, _chat_seeds, tokens=_TOKENS, n_tested=150),
    Target("preset", preset, _preset_seeds, tokens=_TOKENS, n_tested=100),
    Target("shared_settings", shared_settings, _shared_seeds, tokens=_TOKENS, n_tested=100),
    Target("checkpoint", checkpoint, _checkpoint_seeds, n_tested=60),
    Target(
        "toml", toml, _toml_seeds, tokens=(b"[[a]]", b"'''", b'"""', b"=", b"[", b"{", b"1e400"), n_tested=100
    ),
)
