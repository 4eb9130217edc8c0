"""``%comet key``: ask for the key without echo, keep it for other kernels, and forget it."""

from __future__ import annotations

import getpass
import sys

from cometnb.config.configured import KEYRING, configured, find_key
from cometnb.config.keeping import forget_key, keep_key
from cometnb.errors import CellError
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import say
from cometnb.session.origin import watching

__all__ = ["KEY_USAGE", "key"]

KEY_USAGE = "[--save|--forget]"

# Of a shorter key, its end would be too much of it.
_SHORTEST_SHOWN_KEY, _SHOWN_OF_KEY = 12, 4


def key(kernel: Kernel, words: list[str]) -> None:
    """Ask for the key and use it in this kernel; keep it, or forget the one that is kept, if that is wanted.

    Raises
    ------
    CellError
        Something else stands there; nobody can answer, or nothing was typed.
    ConfigError
        What was typed is no key; the place to keep it cannot be written.
    """
    if words not in ([], ["--save"], ["--forget"]):
        raise CellError(
            "A key in a cell would be saved with the notebook.",
            "Delete it from the cell, and write %comet key alone (or with --save, or --forget): "
            "it asks without showing what you type.",
        )
    if words == ["--forget"]:
        _forget(kernel)
        return
    typed = _typed(kernel)
    kernel.shared.configure(api_key=typed)
    shown = f" ending in …{typed[-_SHOWN_OF_KEY:]}" if len(typed) >= _SHORTEST_SHOWN_KEY else ""
    if words:
        _save(kernel, shown)
    else:
        say(f"The key{shown} is used in this kernel; it is stored nowhere.")
    if kernel.shared.options.backend == "simulator":
        say("Calls still go to the simulator: %comet simulator off sends them to the API.")


def _typed(kernel: Kernel) -> str:
    watcher = watching(kernel.shell)
    if watcher == "nobody" or (watcher == "terminal" and not sys.stdin.isatty()):
        raise CellError("Nobody can be asked for a key here.", "Set COMETAPI_KEY before the kernel starts.")
    typed = getpass.getpass("CometAPI key: ").strip()
    if not typed:
        raise CellError("No key was typed; nothing has changed.", "Run %comet key again.")
    return typed


def _save(kernel: Kernel, shown: str) -> None:
    wanted = kernel.shared.options.api_key
    kept = keep_key(wanted)
    if kept.trouble:
        say(f"The keyring {kept.trouble}.")
    place = "the keyring" if kept.place == KEYRING else f"{kept.place}, which only you can read"
    say(f"The key{shown} is kept in {place}, and used in this kernel. %comet key --forget removes it.")
    other = _elsewhere()
    if other == kept.place:
        # The kernel reads it where it is kept, so that %comet says that place.
        kernel.shared.configure(api_key=None)
    else:
        say(f"Other kernels use the key from {other}, which comes first, as long as there is one.")


def _forget(kernel: Kernel) -> None:
    places = forget_key()
    was_typed = kernel.shared.options.sources["api_key"] == "argument"
    kernel.shared.configure(api_key=None)
    if places:
        named = " and ".join("the keyring" if place == KEYRING else place for place in places)
        say(f"The key is removed from {named}, and no longer used in this kernel.")
    else:
        then = "the one that was typed into this kernel is forgotten" if was_typed else "nothing has changed"
        say(f"No key was kept in the keyring or the config file; {then}.")
    if (other := _elsewhere()) != "default":
        say(f"Calls use the key from {other} now.")


def _elsewhere() -> str:
    """Return where a kernel finds a key when none is typed into it; ``default`` is nowhere."""
    if not configured().api_key:
        find_key()
    return configured().sources["api_key"]
