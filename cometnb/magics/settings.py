"""``%comet status``, ``config`` and ``simulator``: what calls are made with, and how to change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cometnb.config.configured import find_key
from cometnb.config.files import own_file, shown_path
from cometnb.defaults import Shared
from cometnb.errors import CellError, CometError
from cometnb.magics.cassettes import cassette_words
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import no_more, say
from cometnb.options import is_cassette

__all__ = ["SIMULATOR_USAGE", "show_config", "show_status", "switch_simulator"]

SIMULATOR_USAGE = "[on|off] [--tokens-per-s N] [--seed N] [--fault NAME|none]"

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
        rows["unreported"] = f"{tally.n_unreported} of {_attempts(tally.n_attempts)} came without usage"
    _say_rows(rows)


def show_config(kernel: Kernel, words: list[str]) -> None:
    """Print every setting, its value, where that came from, and how to change it."""
    no_more("config", words)
    shared = kernel.shared
    options = shared.options
    rows = {
        name: f"{_shown(getattr(options, name))} ({_source(shared, name)})"
        for name in ("model", "base_url", "backend", "live", "prices", "price_ratio", "store_text")
    }
    # As the ledger says it: a database's URL may hold a password.
    rows["ledger"] = f"{shared.ledger.location} ({_source(shared, 'ledger')})"
    rows["tracebacks"] = "whole" if CometError.has_full_traceback else "two lines"
    rows["key"] = _key(shared)
    rows["config file"] = f"{shown_path(own_file())} ({'read' if own_file().is_file() else 'not there'})"
    _say_rows(rows)
    say(
        "\nChange one: %config CometMagics.model = 'gpt-5.4'; None goes back to the environment.\n"
        'For every kernel: a line such as model = "gpt-5.4" in the config file.\n'
        "%config CometMagics.tracebacks = True shows errors whole; %comet key asks for the key."
    )


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


def _shown(value: str | float | None) -> str:
    return "not set" if value in (None, "") else str(value)


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
    fault = f", with --fault {shared.simulator.fault}" if shared.simulator.fault else ""
    return f"simulator, {speed}{fault} ({_source(shared, 'backend')})"


def _key(shared: Shared) -> str:
    needs_key = not _needs_none(shared.options.backend)
    if needs_key and not shared.options.api_key:
        find_key()
    options = shared.options
    if options.api_key:
        source = _source(shared, "api_key")
        return f"set ({source})" if source == _GIVEN else f"set (from {source})"
    return "missing: set COMETAPI_KEY, or %comet key, or %comet simulator" if needs_key else "none needed"


def _needs_none(backend: str) -> bool:
    return backend == "simulator" or backend.startswith("cassette:")


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
    attempts = _attempts(tally.n_attempts)
    if into is None or out is None:
        return f"{attempts}, usage not reported, {tally.spent}"
    reasoning = f" ({thought:,} reasoning)" if thought else ""
    return f"{attempts}, {into:,} tokens in, {out:,} tokens out{reasoning}, {tally.spent}"


def _attempts(number: int) -> str:
    return f"{number} attempt" if number == 1 else f"{number} attempts"


def _fault(text: str) -> str | None:
    from cometnb.client.simulator.orders import checked_fault  # as late as the simulator itself

    return checked_fault(text)


_SETTINGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "--tokens-per-s": ("tokens_per_s", lambda text: float(text) or None),
    "--seed": ("seed", int),
    "--fault": ("fault", _fault),
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
