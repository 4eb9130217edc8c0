"""``%comet status``, ``config``, ``key`` and ``simulator``: what calls are made with, and how to change it."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from typing import Any

from cometnb.defaults import Shared
from cometnb.errors import CellError, CometError
from cometnb.magics.cassettes import cassette_words
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import no_more, say
from cometnb.options import is_cassette
from cometnb.session.origin import watching

__all__ = ["SIMULATOR_USAGE", "ask_for_key", "show_config", "show_status", "switch_simulator"]

SIMULATOR_USAGE = "[on|off] [--tokens-per-s N] [--seed N] [--fault NAME|none]"

# Of a shorter key, its end would be too much of it.
_SHORTEST_SHOWN_KEY, _SHOWN_OF_KEY = 12, 4

# What a setting that was given in this kernel came from: an argument of `Shared.configure`.
_GIVEN = "given in this kernel"


def show_status(kernel: Kernel, words: list[str]) -> None:
    """Print one screen of settings, and what this kernel has used."""
    no_more("status", words)
    shared = kernel.shared
    options = shared.options
    tally = shared.tally
    rows = {
        "backend": _backend(shared),
        "base URL": f"{options.base_url} ({_source(shared, 'base_url')})",
        "key": _key(shared),
        "model": f"{options.model} ({_source(shared, 'model')})",
        "this kernel": _spent(shared),
        "budget": _budget(shared),
        "ledger": f"{shared.ledger.location}, {shared.ledger.n_waiting} rows waiting",
        "live view": options.live,
    }
    if tally.n_unreported:
        rows["unreported"] = f"{tally.n_unreported} of {tally.n_attempts} attempts came without usage"
    _say_rows(rows)


def show_config(kernel: Kernel, words: list[str]) -> None:
    """Print every setting, its value, where that came from, and how to change it."""
    no_more("config", words)
    shared = kernel.shared
    options = shared.options
    rows = {
        name: f"{getattr(options, name)} ({_source(shared, name)})"
        for name in ("model", "base_url", "backend", "live", "prices", "price_ratio", "store_text")
    }
    # As the ledger says it: a database's URL may hold a password.
    rows["ledger"] = f"{shared.ledger.location} ({_source(shared, 'ledger')})"
    rows["tracebacks"] = "whole" if CometError.has_full_traceback else "two lines"
    rows["key"] = _key(shared)
    _say_rows(rows)
    say(
        "\nChange one: %config CometMagics.model = 'gpt-5.4'; None goes back to the environment.\n"
        "%config CometMagics.tracebacks = True shows errors whole; %comet key asks for the key."
    )


def ask_for_key(kernel: Kernel, words: list[str]) -> None:
    """Ask for the key without echo, and use it in this kernel only.

    Raises
    ------
    CellError
        Where nobody can answer, or nothing was typed.
    ConfigError
        What was typed is no key.
    """
    if words:
        raise CellError(
            "A key in a cell would be saved with the notebook.",
            "Delete it from the cell, and write %comet key alone: it asks without showing what you type.",
        )
    watcher = watching(kernel.shell)
    if watcher == "nobody" or (watcher == "terminal" and not sys.stdin.isatty()):
        raise CellError("Nobody can be asked for a key here.", "Set COMETAPI_KEY before the kernel starts.")
    key = getpass.getpass("CometAPI key: ").strip()
    if not key:
        raise CellError("No key was typed; nothing has changed.", "Run %comet key again.")
    kernel.shared.configure(api_key=key)
    shown = f" ending in …{key[-_SHOWN_OF_KEY:]}" if len(key) >= _SHORTEST_SHOWN_KEY else ""
    say(f"The key{shown} is used in this kernel; it is stored nowhere.")
    if kernel.shared.options.backend == "simulator":
        say("Calls still go to the simulator: %comet simulator off sends them to the API.")


def switch_simulator(kernel: Kernel, words: list[str]) -> None:
    """Send calls to the simulator, with the settings named, or to the API again."""
    shared = kernel.shared
    wanted = _wanted(words)
    if wanted.pop("off", False):
        shared.configure(backend="api")
        say("Calls go to the API again.")
        return
    for name, value in wanted.items():
        setattr(shared.simulator, name, value)
    shared.configure(backend="simulator")
    say("Calls go to the simulator: no key, no network, no cost. %comet simulator off goes back.")


def _say_rows(rows: dict[str, str]) -> None:
    say("\n".join(f"{name:12} {value}" for name, value in rows.items()))


def _source(shared: Shared, name: str) -> str:
    source = shared.options.sources[name]
    return _GIVEN if source == "argument" else source


def _backend(shared: Shared) -> str:
    options = shared.options
    if is_cassette(options.backend):
        told = cassette_words(shared) or options.backend
        return f"cassette {told} ({_source(shared, 'backend')})"
    if options.backend != "simulator":
        return f"{options.backend} ({_source(shared, 'backend')})"
    pace = shared.simulator.tokens_per_s
    speed = f"{pace:g} tokens/s" if pace else "as fast as it can"
    return f"simulator, {speed} ({_source(shared, 'backend')})"


def _key(shared: Shared) -> str:
    options = shared.options
    if options.api_key:
        source = _source(shared, "api_key")
        return f"set ({source})" if source == _GIVEN else f"set (from {source})"
    return (
        "none needed"
        if options.backend == "simulator" or options.backend.startswith("cassette:")
        else "missing: set COMETAPI_KEY, or %comet key, or %comet simulator"
    )


def _budget(shared: Shared) -> str:
    if shared.budget is None:
        return "none; %comet budget 0.50 sets one"
    from cometnb.ledger.purse.budget_words import left, name

    standing = shared.budget.standing("simulator" if shared.options.backend == "simulator" else "api")
    words = name(standing.limit_usd, standing.per, standing.conversation, is_simulated=standing.is_simulated)
    return f"{words}, {left(standing)} left"


def _spent(shared: Shared) -> str:
    tally = shared.tally
    if not tally.n_attempts:
        return "no calls yet"
    usage = tally.usage
    into, out, thought = usage.input_tokens, usage.output_tokens, usage.reasoning_tokens
    if into is None or out is None:
        return f"{tally.n_attempts} attempts, usage not reported, {tally.spent}"
    reasoning = f" ({thought:,} reasoning)" if thought else ""
    calls = "attempt" if tally.n_attempts == 1 else "attempts"
    return f"{tally.n_attempts} {calls}, {into:,} tokens in, {out:,} tokens out{reasoning}, {tally.spent}"


_SETTINGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "--tokens-per-s": ("tokens_per_s", lambda text: float(text) or None),
    "--seed": ("seed", int),
    "--fault": ("fault", lambda text: None if text == "none" else text),
}


def _wanted(words: list[str]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        if word in ("on", "off"):
            wanted["off"] = word == "off"
            continue
        flag, _, value = word.partition("=")
        if flag not in _SETTINGS:
            raise CellError(
                f"%comet simulator does not know {word!r}.", f"Usage: %comet simulator {SIMULATOR_USAGE}"
            )
        value = value or (left.pop(0) if left else "")
        name, convert = _SETTINGS[flag]
        try:
            wanted[name] = convert(value)
        except ValueError:
            raise CellError(f"{flag} {value!r} is not a number.", f"Write {flag} 100, for example.") from None
    return wanted
