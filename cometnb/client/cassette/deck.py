"""Which cassette a kernel's calls go to, by the setting that names it."""

from __future__ import annotations

from typing import Any

from cometnb.client.cassette.transport import Cassette
from cometnb.options import CASSETTES, is_cassette

__all__ = ["Deck", "cassette_of"]


def cassette_of(backend: str, **settings: Any) -> Cassette:
    """Return the cassette that a backend names, such as ``cassette:calls.jsonl``.

    Raises
    ------
    ConfigError
        As `Cassette`.
    """
    kind, _, path = backend.partition(":")
    return Cassette(path.strip(), CASSETTES[kind], **settings)


class Deck:
    """Holds the cassette in use: a session that is made anew goes on with it where it was.

    Attributes
    ----------
    cassette : Cassette or None
    behind : str
        The backend to go back to, and to record from: ``api`` or ``simulator``.
    """

    def __init__(self) -> None:
        self.cassette: Cassette | None = None
        self.behind = "api"
        self._of = ""
        self._has_chosen_pace = False

    def put(
        self, backend: str, transport: Any = None, pace: str | None = None, *, replace: bool = False
    ) -> Cassette:
        """Put in the cassette that a backend names, from its beginning.

        Parameters
        ----------
        backend : str
        transport : httpx transport, optional
            Who answers what is recorded; the network if None.
        pace : str, optional
            As chosen by the user.
        replace : bool
            Begin a recording anew.

        Raises
        ------
        ConfigError
            As `Cassette`; the one before is kept then.
        """
        settings = {} if pace is None else {"pace": pace}
        cassette = cassette_of(backend, transport=transport, replace=replace, **settings)
        self.take_out()
        self.cassette, self._of, self._has_chosen_pace = cassette, backend, pace is not None
        return cassette

    def transport(self, backend: str, simulator: Any) -> Any:
        """Return what answers for a backend; None is the network.

        Parameters
        ----------
        backend : str
            As in the settings.
        simulator : callable
            Returns the kernel's simulator.
        """
        if not is_cassette(backend):
            self.take_out()
            self.behind = backend
            return simulator() if backend == "simulator" else None
        if self.cassette is None or backend != self._of:
            self.put(backend, simulator() if self.behind == "simulator" else None)
        return self.cassette

    def take_out(self) -> None:
        """Let go of the cassette."""
        if self.cassette is not None:
            self.cassette.close()
        self.cassette, self._of = None, ""

    def hurry(self) -> None:
        """Replay at once if nobody has chosen the pace: nobody watches."""
        if self.cassette is not None and not self._has_chosen_pace:
            self.cassette.pace = "instant"
