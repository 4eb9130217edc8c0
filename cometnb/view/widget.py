"""The live view as a widget: state that a reloaded page can ask for, and messages that hold only what is new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from cometnb.errors import masked
from cometnb.view.bare_widget import TakenOver, joined

__all__ = ["LiveView", "keep_to_its_thread"]


class LiveView(TakenOver):
    """The front end's side of one streaming answer.

    Parameters
    ----------
    model : str
        The model asked for.
    on_stop : callable or None
        Called when the reader presses Stop, on whatever thread the kernel reads comms on; None hides the button.
    on_permit : callable or None
        Called with a call's id and whether it may run, when the reader presses one of the buttons of its card.

    Attributes
    ----------
    answer : dict
        Everything shown so far. It is changed in place and not sent: `tell` sends what is new, and a page that asks
        for the state (after a reload, or for a second view) gets it whole.
    """

    _esm = joined("element.js", "taken_over.js", "live.js")
    _css = joined("live.css")
    answer = traitlets.Dict().tag(sync=True)
    can_stop = traitlets.Bool(False).tag(sync=True)
    fallback = "The answer is streaming; it is shown here when it is complete."

    def __init__(
        self,
        model: str,
        on_stop: Callable[[], None] | None = None,
        on_permit: Callable[[str, bool], None] | None = None,
    ) -> None:
        self._on_stop, self._on_permit = on_stop, on_permit
        # A page sends a wish again until something comes of it: one about an answer or a question before is too late.
        self._begun_n, self._answered = 0, ""
        super().__init__(
            answer=_empty(model),
            can_stop=on_stop is not None,
        )
        self.on_msg(self._received)
        keep_to_its_thread(self.comm)

    def tell(self, **news: Any) -> None:
        """Send what is new, and keep it in the state.

        Parameters
        ----------
        **news
            ``blocks`` and ``thoughts`` (lists of HTML, added), and what replaces what was there: ``tail`` and
            ``thought`` (HTML), ``cards``, ``phase``, ``detail``, ``n_deltas``, ``elapsed_s``.
        """
        answer = self.answer
        answer["n"] += 1
        for name, value in news.items():
            if name in ("blocks", "thoughts"):
                answer[name].extend(value)
            else:
                answer[name] = value
        self.send({"n": answer["n"], **news})

    def clear(self, model: str = "") -> None:
        """Empty the view for another answer; without a model it waits until somebody runs one."""
        n, answer = self.answer["n"] + 1, self.answer
        answer.update(_empty(model) | {"n": n} | ({} if model else {"phase": "idle"}))
        self._begun_n = n
        self.send({"n": n, "answer": answer})

    def _received(self, widget: Any, content: Any, buffers: Any) -> None:
        wish = content if isinstance(content, dict) else {}
        if wish.get("op") == "stop" and self._on_stop is not None:
            n = wish.get("n")
            if isinstance(n, int) and n >= self._begun_n:
                self._on_stop()
        elif wish.get("op") == "permit" and self._on_permit is not None:
            asked = str(wish.get("asks"))
            if asked != self._answered and any(card.get("asks") == asked for card in self.answer["cards"]):
                self._answered = asked
                self._on_permit(asked.partition(":")[2], wish.get("yes") is True)


def _empty(model: str) -> dict[str, Any]:
    return {
        "n": 0,
        "blocks": [],
        "tail": "",
        "cards": [],
        "thoughts": [],
        "thought": "",
        "phase": "waiting for the answer",
        "detail": "",
        "n_deltas": 0,
        "elapsed_s": 0.0,
        "model": masked(model),
    }


def keep_to_its_thread(comm: Any) -> None:
    """Have messages handled on the thread the page chose for them, while a cell holds the main one.

    ipykernel 7.4 sends them to the thread that last wrote to the comm instead, which here is the one that waits.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, chosen: chosen
