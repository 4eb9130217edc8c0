"""Writes structured answers: JSON for the form that was asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from cometnb.client.simulator.hints import Hints
from cometnb.client.simulator.orders import Orders
from cometnb.client.simulator.prompt import items_of, pieces_of
from cometnb.client.simulator.reply import Refusal
from cometnb.client.simulator.schema_sample import NoValue, sampled

__all__ = ["check_json_object", "formed"]

_NUMBERS = {
    word: n
    for n, word in enumerate(
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 2
    )
}
_COUNT = re.compile(
    rf"(?i)(?<![\w.])(\d{{1,3}}|{'|'.join(_NUMBERS)}) (?:\w+ ){{0,2}}(?:\w+s|people|children)\b"
)
_MOST_ROWS_ASKED = 200


def formed(body: Mapping[str, Any], prompt: str, orders: Orders, key: bytes) -> str | None:
    """Return the answer as JSON; None if text was asked for.

    Parameters
    ----------
    body : Mapping
        The request.
    prompt : str
        The user's words: values with a name (``age: 36``) and a number of things ("five cities") are used.
    orders : Orders
        ``rows`` on demand.
    key : bytes
        Chooses names and numbers.

    Raises
    ------
    Refusal
        400, if no value fits the schema, or it is no JSON Schema.
    """
    form = (body.get("text") or {}).get("format")
    kind = form.get("type") if isinstance(form, Mapping) else None
    if kind == "json_object":
        return _json({"answer": "Made up by the simulator: no model was asked.", "items": ["one", "two"]})
    if kind != "json_schema" or not isinstance(form, Mapping):
        return None
    n_rows = orders.rows if orders.rows is not None else _count_asked(prompt)
    try:
        return _json(
            sampled(form["schema"], key[7], offers=lambda: Hints(prompt, names_only=True), n_rows=n_rows)
        )
    except NoValue as none:
        message = f"Invalid schema for response_format '{form['name']}': {none}."
        raise Refusal(400, message, "invalid_json_schema", "text.format.schema") from None


def check_json_object(body: Mapping[str, Any]) -> None:
    """Hold a request for any JSON object to the service's rule.

    Raises
    ------
    Refusal
        400, if no message speaks of JSON: the model might go on for ever otherwise.
    """
    form = (body.get("text") or {}).get("format")
    if not isinstance(form, Mapping) or form.get("type") != "json_object":
        return
    told = [piece.text for piece in pieces_of(items_of(body))] + [str(body.get("instructions") or "")]
    if not any("json" in text.lower() for text in told):
        message = "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'."
        raise Refusal(400, message, "", "input")


def _count_asked(prompt: str) -> int | None:
    found = _COUNT.search(prompt)
    if found is None:
        return None
    said = found.group(1).lower()
    count = _NUMBERS[said] if said in _NUMBERS else int(said)
    return count if count <= _MOST_ROWS_ASKED else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
