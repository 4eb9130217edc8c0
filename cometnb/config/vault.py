"""The key in the system's keyring, which may be missing, locked or silent: that never stops a kernel."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

from cometnb.errors import CometWarning

__all__ = ["Vault"]

_SERVICE, _USER = "cometnb", "api_key"
# Where a window can ask for a password somebody needs time to type it; elsewhere nobody will answer.
_SEEN_LIMIT_S, _UNSEEN_LIMIT_S = 30.0, 3.0


class Vault:
    """The one entry of the keyring that is ours.

    The keyring is asked on a thread of its own and left alone when it does not answer in time; what it says later
    still counts. What was read is remembered, so that a kernel asks once.

    Parameters
    ----------
    limit_s : float, optional
        Longest wait. None is 30 s where the system can ask for a password in a window, and 3 s elsewhere.
    """

    def __init__(self, limit_s: float | None = None) -> None:
        self._limit_s = limit_s
        self._known = ""
        self._has_warned = False
        self._asking: threading.Thread | None = None

    @property
    def known(self) -> str:
        """The key, if it was read or kept in this process; the keyring is not asked."""
        return self._known

    def find(self) -> str:
        """Return the key, or nothing if there is none or no keyring.

        Warns
        -----
        CometWarning
            Once, if the keyring fails or does not answer.
        """
        if self._known:
            return self._known

        def look(ring: Any) -> bool:
            self._known = str(ring.get_password(_SERVICE, _USER) or "").strip()
            return True

        _, trouble = self._ask(look)
        if trouble and not self._has_warned:
            self._has_warned = True
            warnings.warn(f"The keyring {trouble}; it is passed over.", CometWarning, stacklevel=4)
        return self._known

    def keep(self, key: str) -> str:
        """Keep a key instead of the one before.

        Returns
        -------
        str
            Empty if it is kept, else why not, as the end of a sentence that begins with "The keyring".
        """

        def put(ring: Any) -> bool:
            ring.set_password(_SERVICE, _USER, key)
            # A keyring that is switched off takes everything and keeps nothing.
            return bool(ring.get_password(_SERVICE, _USER) == key)

        is_kept, trouble = self._ask(put)
        if is_kept:
            self._known = key
            return ""
        return trouble or "keeps nothing"

    def drop(self) -> bool:
        """Remove the key, and tell whether there was one and it is gone."""

        def remove(ring: Any) -> bool:
            if ring.get_password(_SERVICE, _USER) is None:
                return False
            ring.delete_password(_SERVICE, _USER)
            return True

        self._known = ""
        return self._ask(remove)[0]

    def _ask(self, work: Callable[[Any], bool]) -> tuple[bool, str]:
        """Return what `work` does with the keyring, and what went wrong; no keyring at all is nothing wrong."""
        if importlib.util.find_spec("keyring") is None:
            return False, ""
        if self._asking is not None and self._asking.is_alive():
            return False, "has not answered yet"
        limit_s = _limit_s() if self._limit_s is None else self._limit_s
        done: list[tuple[bool, str]] = []
        self._asking = threading.Thread(
            target=lambda: done.append(_tried(work)), name="cometnb-keyring", daemon=True
        )
        self._asking.start()
        self._asking.join(limit_s)
        return done[0] if done else (False, f"did not answer within {limit_s:g} s")


def _tried(work: Callable[[Any], bool]) -> tuple[bool, str]:
    try:
        import keyring
        from keyring.errors import NoKeyringError

        try:
            return work(keyring), ""
        except NoKeyringError:
            return False, ""
    except Exception as error:  # noqa: BLE001  # each system's keyring has errors of its own
        # Their texts may hold anything, a key too.
        return False, f"failed ({type(error).__name__})"


def _limit_s() -> float:
    is_seen = (
        sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return _SEEN_LIMIT_S if is_seen else _UNSEEN_LIMIT_S
