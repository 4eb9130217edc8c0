"""One turn of a conversation as a flow: ask, run the functions the model wants, answer with their results, ask again.

`asking` yields what it wants done and is sent what came of it, so that a cell, a client and a test drive the same flow.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from cometnb.errors import CometError
from cometnb.protocol.response import FunctionCall, Response
from cometnb.session.conversation import Conversation
from cometnb.session.turns import Turn

__all__ = ["DEFAULT_MAX_ROUNDS", "Ask", "Flow", "Run", "asking"]

DEFAULT_MAX_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Ask:
    """Make a call; the reply is its Response, whatever its status. An error is thrown into the flow.

    Attributes
    ----------
    params : dict
        The whole request.
    number : int
        The round, from 1.
    """

    params: dict[str, Any]
    number: int


@dataclass(frozen=True, slots=True)
class Run:
    """Run the notebook's functions; the reply is one output item per call, in order.

    Fewer items than calls mean that the user stopped: the rest is answered as cancelled when the conversation goes on.
    """

    calls: tuple[FunctionCall, ...]


Flow: TypeAlias = Generator[Ask | Run, Any, Response]


def asking(
    chat: Conversation,
    turn: Turn,
    base_url: str,
    params: Mapping[str, Any],
    *,
    runs_tools: bool = False,
    max_rounds: int = DEFAULT_MAX_ROUNDS,
) -> Flow:
    """Ask one turn to its end.

    Parameters
    ----------
    chat : Conversation
    turn : Turn
        As `Conversation.begin` returned it; it is kept however the flow ends, if anything was answered.
    base_url : str
        Who is asked.
    params : Mapping
        Everything but the input.
    runs_tools : bool
        Whether functions the model calls are run here; else the first answer is the last.
    max_rounds : int
        Most calls of the service, at least 1. When it is reached the last answer stands with its calls open.

    Yields
    ------
    Ask or Run

    Returns
    -------
    Response
        The last one.

    Raises
    ------
    CometError
        What was thrown in, unless the history could be sent instead.
    """
    number = 0
    try:
        while True:
            number += 1
            response = yield from _asked(chat, turn, base_url, params, number)
            calls = tuple(response.function_calls) if runs_tools and response.status == "completed" else ()
            if not calls:
                return response
            if number >= max_rounds:
                chat.remarks.append(f"Stopped after {number} rounds; the model wanted {_named(calls)} next.")
                return response
            outputs: Sequence[dict[str, Any]] = yield Run(calls)
            turn.items += outputs
            if len(outputs) < len(calls):
                return response
            params = _free_to_answer(params)
    finally:
        chat.settle(turn)


def _asked(
    chat: Conversation, turn: Turn, base_url: str, params: Mapping[str, Any], number: int
) -> Generator[Ask, Response, Response]:
    sent = chat.request(turn, base_url, params)
    try:
        response = yield Ask(sent, number)
    except CometError as error:
        if not chat.is_refused(error, sent):
            _keep(chat, turn, base_url, sent, error)
            raise
        chat.forget_at(base_url, sent, f"refused to go on from {sent['previous_response_id']}")
        sent = chat.request(turn, base_url, params)
        try:
            response = yield Ask(sent, number)
        except CometError as again:
            if type(again) is type(error):
                # It was not for want of the history.
                chat.remember_at(base_url, sent)
            _keep(chat, turn, base_url, sent, again)
            raise
    chat.add(turn, response, base_url, sent)
    return response


def _keep(chat: Conversation, turn: Turn, base_url: str, sent: Mapping[str, Any], error: CometError) -> None:
    if error.response is not None and error.response.output:
        chat.add(turn, error.response, base_url, sent)


def _free_to_answer(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let the model answer after a round of calls: one that must call something would never end."""
    return (
        params if params.get("tool_choice") in (None, "auto", "none") else {**params, "tool_choice": "auto"}
    )


def _named(calls: Sequence[FunctionCall]) -> str:
    return ", ".join(dict.fromkeys(call.name for call in calls))
