"""``%comet record`` and ``%comet replay``: calls into a cassette, and answers out of one."""

from __future__ import annotations

from cometnb.client.cassette import Cassette
from cometnb.client.cassette.played import PACES
from cometnb.defaults import Shared
from cometnb.errors import CellError
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import say
from cometnb.options import is_cassette
from cometnb.protocol.cost import dollars
from cometnb.protocol.counted import counted

__all__ = ["RECORD_USAGE", "REPLAY_USAGE", "cassette_words", "record", "replay"]

RECORD_USAGE = "FILE|stop [--auto] [--new]"
REPLAY_USAGE = "FILE|stop [--pace real|fast|instant] [--auto]"

_DOES = {
    "replay": "answered from it",
    "auto": "answered from it or else added to it",
    "record": "recorded into it",
}


def record(kernel: Kernel, words: list[str]) -> None:
    """Record calls into a file, end that, or say how it stands.

    Raises
    ------
    CellError
        A word that it does not know.
    ConfigError
        The file holds calls already, or cannot be written. A missing key is the first call's error.
    """
    file, flags, _ = _read("record", RECORD_USAGE, words, {"--auto", "--new"})
    if {"--auto", "--new"} <= flags:
        raise CellError("--auto adds to a file, and --new begins it anew.", "Give one of them.")
    if not file or file == "stop":
        _stop_or_tell(kernel.shared, "record", stops=bool(file))
        return
    kind = "cassette-auto" if "--auto" in flags else "cassette-record"
    cassette = _switch(kernel.shared, f"{kind}:{file}", replace="--new" in flags)
    _say_where(cassette, file, "record")


def replay(kernel: Kernel, words: list[str]) -> None:
    """Answer calls from a file, end that, or say how it stands.

    Raises
    ------
    CellError
        A word that it does not know.
    ConfigError
        The file is not there, or is no cassette.
    """
    file, flags, pace = _read("replay", REPLAY_USAGE, words, {"--auto"})
    if not file or file == "stop":
        _stop_or_tell(kernel.shared, "replay", stops=bool(file))
        return
    cassette = _switch(kernel.shared, f"{'cassette-auto' if flags else 'cassette'}:{file}", pace=pace)
    _say_where(cassette, file, "replay")


def cassette_words(shared: Shared) -> str:
    """Return the cassette in use in a few words; empty if there is none."""
    cassette = shared.deck.cassette
    if cassette is None or not is_cassette(shared.options.backend):
        return ""
    counts = [f"{cassette.n_played:,} played"] if cassette.mode != "record" else []
    counts += [f"{cassette.n_recorded:,} recorded"] if cassette.mode != "replay" else []
    pace = "" if cassette.mode == "record" else f", {cassette.pace} pace"
    return f"{cassette.path}: calls are {_DOES[cassette.mode]}{pace}; {', '.join(counts)} so far"


def _say_where(cassette: Cassette, file: str, name: str) -> None:
    """Say where calls go from now on."""
    who = _name(cassette.behind)
    words = {
        "replay": f"Calls are answered from {file} ({_held(cassette)}): no key, no network, no cost.",
        "auto": f"Calls are answered from {file} ({_held(cassette)}); the rest goes to the {who} and is added.",
        "record": f"Calls go to the {who} and are recorded into {file}.",
    }
    say(f"{words[cassette.mode]} %comet {name} stop ends it.")


def _switch(shared: Shared, backend: str, *, pace: str | None = None, replace: bool = False) -> Cassette:
    """Put a cassette in; nothing changes if that fails."""
    before = shared.options.backend
    if not is_cassette(before):
        shared.deck.behind = before
    elif shared.deck.cassette is not None:
        # Recorded into at this moment, it is let go of first.
        shared.deck.cassette.close()
    behind = shared.simulator if shared.deck.behind == "simulator" else None
    cassette = shared.deck.put(backend, behind, pace, replace=replace)
    shared.configure(backend=backend)
    return cassette


def _stop_or_tell(shared: Shared, name: str, *, stops: bool) -> None:
    told = cassette_words(shared)
    if not is_cassette(shared.options.backend):
        raise CellError("No cassette is in use.", f"Write %comet {name} FILE.")
    if stops:
        backend = shared.deck.behind
        shared.configure(backend=backend)
        shared.deck.take_out()
        say(
            f"{told}\nCalls go to the {_name(backend)} again."
            if told
            else f"Calls go to the {_name(backend)} again."
        )
    else:
        say(told or f"{shared.options.backend}: no calls yet")


def _name(backend: str) -> str:
    return "API" if backend == "api" else backend


def _held(cassette: Cassette) -> str:
    n_calls = len(cassette)
    usd = cassette.recorded_usd
    cost = f", {dollars(usd)} when recorded" if usd else ""
    return f"{counted(n_calls, 'call')}{cost}"


def _read(name: str, usage: str, words: list[str], known: set[str]) -> tuple[str, set[str], str | None]:
    """Return the file (or ``stop``), the flags and the pace of a line."""
    file, flags, pace, left = "", set(), None, list(words)
    while left:
        word = left.pop(0)
        flag, _, value = word.partition("=")
        if word in known:
            flags.add(word)
        elif flag == "--pace" and "--pace" in usage:
            pace = value or (left.pop(0) if left else "")
            if pace not in PACES:
                raise CellError(
                    f"--pace {pace!r} is not one of: {', '.join(PACES)}.", f"Use one of: {', '.join(PACES)}."
                )
        elif word.startswith("-") or file:
            raise CellError(f"%comet {name} does not know {word!r}.", f"Usage: %comet {name} {usage}")
        else:
            file = word
    return file, flags, pace
