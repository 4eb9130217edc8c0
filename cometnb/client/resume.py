"""A stream that is taken up again: sent, retried and recorded as a call, and not billed as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cometnb.client.attempt import Attempt
from cometnb.client.call import Call
from cometnb.client.fetched import fetched, known_params
from cometnb.client.setup import Setup
from cometnb.client.steps import Send
from cometnb.client.stored import path_of, response_id_of
from cometnb.errors import ParamError
from cometnb.protocol.event_log import EventLog
from cometnb.protocol.response import Response
from cometnb.protocol.resumed import ResumedExchange
from cometnb.protocol.usage import Usage

__all__ = ["Resumption"]


class Resumption(Call):
    """One call of ``GET /responses/{id}?stream=true``.

    Parameters
    ----------
    setup : Setup
        Its gates are not asked: nothing is generated that was not admitted before.
    response : Response or str
        What had come, or an id.
    starting_after : int, optional
        The number of the last event that is known; of a Response its own.
    labels : Mapping of str to str, optional
        Handed on to observers.

    Raises
    ------
    ParamError
        Before anything is sent.
    """

    def __init__(
        self,
        setup: Setup,
        response: Response | str,
        starting_after: int | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        given = response if isinstance(response, Response) else Response({"id": response})
        known_after = given.event_log.last_sequence_number
        self._starting_after = known_after if starting_after is None else _checked(starting_after)
        # Text that came by other events than those up to this number would come twice.
        goes_on = known_after is not None and self._starting_after == known_after
        self._so_far = given.raw if goes_on else None
        self._response_id = response_id_of(given.raw.get("id"))
        self._path = path_of(self._response_id)
        if goes_on:
            self.text_before = _texts_of(given)
        elif self._starting_after is not None:
            self.text_before = None
        self._begin(replace(setup, gates=()), known_params(given), (), labels)

    def _request(self) -> Send:
        query: dict[str, Any] = {"stream": True}
        if self._starting_after is not None:
            query["starting_after"] = self._starting_after
        return Send("GET", self._path, query=query)

    def _new_exchange(self) -> ResumedExchange:
        return ResumedExchange(
            self._response_id,
            so_far=self._so_far,
            starting_after=self._starting_after,
            strict=self.setup.strict,
        )

    def _new_log(self) -> EventLog:
        # What is taken up a second time goes on from here, even if nothing comes now.
        return EventLog(self._starting_after)

    def _used(self, response: Response) -> Usage:
        # The service works on, whatever becomes of this stream.
        return Usage()

    def _attempt(self) -> Attempt:
        attempt = fetched(super()._attempt())
        return replace(attempt, params=known_params(attempt.response))


def _checked(starting_after: Any) -> int:
    if not isinstance(starting_after, int) or isinstance(starting_after, bool) or starting_after < 0:
        raise ParamError(
            f"starting_after={starting_after!r} is no number of an event, a whole number from 0.",
            "Pass the sequence_number of the last event you know, or leave it out.",
            param="starting_after",
        )
    return starting_after


def _texts_of(response: Response) -> list[tuple[str, str]]:
    """Return the texts of all messages so far, with their places as events name them."""
    return [
        (f"{place}/{index}", part["text"])
        for place, item in enumerate(response.output)
        if item.get("type") == "message" and isinstance(item.get("content"), list)
        for index, part in enumerate(item["content"])
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    ]
