"""Features a gateway may lack, one row each: what then happens to a request that uses one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cometnb.client.simulator.reply import Refusal

__all__ = ["GAPS", "Gap", "without_gaps"]


@dataclass(frozen=True, slots=True)
class Gap:
    """A missing feature.

    Attributes
    ----------
    doc : str
        What it does, for help.
    param : str
        The parameter that is refused.
    uses : callable
        Tells whether a request uses the feature.
    drops : tuple of str
        Parameters that are dropped without a word instead of refused.
    words : str
        How it is refused; ``{param}`` stands for the parameter.
    """

    doc: str
    param: str = ""
    uses: Callable[[Mapping[str, Any]], bool] = lambda body: False
    drops: tuple[str, ...] = ()
    words: str = "{param} is not supported by this gateway"


def without_gaps(body: Mapping[str, Any], gaps: frozenset[str]) -> dict[str, Any]:
    """Return a request as a service with gaps understands it.

    Raises
    ------
    Refusal
        400, if the request uses what the service does not offer.
    """
    result = dict(body)
    for name in sorted(gaps):
        gap = GAPS[name]
        if gap.uses(result):
            message = gap.words.format(param=gap.param)
            raise Refusal(400, message, "unsupported_parameter", gap.param)
        result = {param: value for param, value in result.items() if param not in gap.drops}
    return result


def _asks_for_json(body: Mapping[str, Any]) -> bool:
    form = (body.get("text") or {}).get("format")
    return isinstance(form, Mapping) and form.get("type") not in (None, "text")


def _sends(path: str) -> Callable[[Mapping[str, Any]], bool]:
    def uses(body: Mapping[str, Any]) -> bool:
        value: Any = body
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value is not None

    return uses


def _of_model(path: str) -> Gap:
    """Return the gap of a model that does not take a parameter; the words are OpenAI's."""
    words = "Unsupported parameter: '{param}' is not supported with this model."
    return Gap(
        f"{path} is refused with 400, as by a model that does not take it", path, _sends(path), words=words
    )


GAPS: dict[str, Gap] = {
    "no_state": Gap(
        "previous_response_id is refused with 400",
        "previous_response_id",
        lambda body: body.get("previous_response_id") is not None,
    ),
    "no_state_silently": Gap(
        "previous_response_id is dropped without a word, and the response shows null",
        drops=("previous_response_id",),
    ),
    "no_conversations": Gap(
        "conversation is refused with 400, and its routes are 404",
        "conversation",
        lambda body: body.get("conversation") is not None,
    ),
    "no_retrieval": Gap("responses cannot be asked for, cancelled or deleted: 404"),
    "no_tools": Gap("tools are refused with 400", "tools", lambda body: bool(body.get("tools"))),
    "no_schema": Gap("text.format other than text is refused with 400", "text.format", _asks_for_json),
    "no_background": Gap(
        "background is refused with 400", "background", lambda body: body.get("background") is True
    ),
    "no_effort": _of_model("reasoning.effort"),
    "no_temperature": _of_model("temperature"),
    "no_top_p": _of_model("top_p"),
    "no_verbosity": _of_model("text.verbosity"),
    "no_stream": Gap("stream is refused with 400", "stream", lambda body: body.get("stream") is True),
}
