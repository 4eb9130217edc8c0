"""A service in a few lines that keeps conversations, or refuses to, and a driver for flows; requests are kept whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cometnb.errors import BadRequestError, CometError
from cometnb.protocol.response import FunctionCall, Response
from cometnb.session.conversation import Conversation
from cometnb.session.rounds import Ask, Flow, asking
from cometnb.session.turns import Turn

__all__ = ["PLACE", "Service", "ask", "call_item", "drive", "texts"]

PLACE = "https://service.example/v1"

Answer = Callable[[Mapping[str, Any]], Sequence[dict[str, Any]] | CometError]


class Service:
    """Answers every request with a message, or with what `answers` say, in order.

    Attributes
    ----------
    requests : list of dict
        As they came.
    keeps : bool
        Whether it knows the responses it has given.
    """

    def __init__(self, *answers: Sequence[dict[str, Any]] | CometError, keeps: bool = True) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keeps = keeps
        self._answers = list(answers)
        self._known: set[str] = set()

    def __call__(self, params: Mapping[str, Any]) -> Response:
        """Answer one request.

        Raises
        ------
        CometError
            As a service refuses an id it does not know.
        """
        self.requests.append(dict(params))
        before = params.get("previous_response_id")
        if before is not None and not (self.keeps and before in self._known):
            error = BadRequestError(f"Previous response with id '{before}' not found.", "Send the history.")
            error.code, error.param = "previous_response_not_found", "previous_response_id"
            raise error
        number = len(self.requests)
        output = self._answers.pop(0) if self._answers else [_message(f"answer {number}")]
        if isinstance(output, CometError):
            raise output
        response_id = f"resp_{number}"
        if params.get("store") is not False:
            self._known.add(response_id)
        raw = {"id": response_id, "status": "completed", "output": list(output)}
        return Response({**raw, **({"previous_response_id": before} if before else {})})


def _message(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"id": "msg_x", "type": "message", "role": "assistant", "status": "completed", "content": [part]}


def call_item(name: str, call_id: str, arguments: str = "{}") -> dict[str, Any]:
    """Return a call of a function as the model sends it."""
    return {
        "id": f"fc_{call_id}",
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def drive(
    flow: Flow, service: Service, run: Callable[[Sequence[FunctionCall]], list[dict[str, Any]]] | None = None
) -> Response:
    """Run a flow against a service."""
    step = next(flow)
    while True:
        try:
            if isinstance(step, Ask):
                try:
                    reply: Any = service(step.params)
                except CometError as error:
                    step = flow.throw(error)
                    continue
            else:
                reply = run(step.calls) if run is not None else []
            step = flow.send(reply)
        except StopIteration as end:
            response: Response = end.value
            return response


def ask(chat: Conversation, service: Service, text: str, owner: str = "", **params: Any) -> Turn:
    """Ask one turn to its end and return it."""
    after = params.pop("after", None)
    turn = chat.begin(text, owner=owner, after=after)
    drive(asking(chat, turn, PLACE, {"model": "gpt-5.4", **params}), service)
    return turn


def texts(request: Mapping[str, Any]) -> list[str]:
    """Return the texts of a request's input, in order; calls and results by their type."""
    found = []
    for item in request["input"]:
        content = item.get("content")
        if isinstance(content, str):
            found.append(content)
        elif content:
            found += [part["text"] for part in content]
        else:
            found.append(f"{item['type']} {item.get('call_id', '')}".strip())
    return found
