"""From a panel's settings to the request: filled in for a run, or as it can be shown at every change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cometnb.errors import CellError, CometError
from cometnb.protocol.items import message, text_part
from cometnb.protocol.request import prepare
from cometnb.session.cell_request import CellRequest
from cometnb.session.settings import Settings
from cometnb.session.tools import Toolbox

__all__ = ["Asked", "asked_of", "body_of", "previewed"]

_KINDS = (("images", "input_image", "image_url"), ("files", "input_file", "file_url"))


@dataclass(frozen=True, slots=True)
class Asked:
    """Settings with the notebook's objects filled in.

    Attributes
    ----------
    settings : Settings
        As they were when it was filled in.
    cell : CellRequest
    toolbox : Toolbox
    """

    settings: Settings
    cell: CellRequest
    toolbox: Toolbox


def asked_of(settings: Settings, namespace: Mapping[str, Any]) -> Asked:
    """Evaluate the expressions, read the attachments and find the functions.

    Raises
    ------
    CometError
        Whatever cannot be evaluated, read or found; or there is no prompt.
    """
    _check_prompt(settings)
    return Asked(settings, *settings.request(namespace))


def body_of(asked: Asked, model: str) -> dict[str, Any]:
    """Return the body that is sent first; of the model, the one that is set goes before `model`.

    Raises
    ------
    ParamError
        It cannot be sent.
    """
    return prepare({"model": model, "stream": True, **asked.cell.params, **asked.toolbox.offered()}).body


def previewed(settings: Settings, namespace: Mapping[str, Any], model: str) -> tuple[dict[str, Any], str]:
    """Return the request as it can be shown without doing anything, and why it cannot be sent.

    Returns
    -------
    body : dict
        Empty if there is a problem other than that the prompt is missing.
    problem : str
        Two lines; empty if nothing is known to be wrong.
    """
    problem = ""
    try:
        _check_prompt(settings)
    except CometError as error:
        problem = str(error)
    try:
        return _as_named(settings, namespace, model, is_empty=bool(problem)), problem
    except CometError as error:
        return {}, problem or str(error)


def _check_prompt(settings: Settings) -> None:
    instead = {"prompt", "conversation", "previous_response_id"} & set(settings.params)
    extra = settings.params.get("extra_body")
    has_input = isinstance(extra, Mapping) and "input" in extra
    if not (settings.prompt.strip() or settings.images or settings.files or instead or has_input):
        raise CellError("The panel has no prompt.", 'Write one; in code: panel.prompt = "…"')


def _as_named(
    settings: Settings, namespace: Mapping[str, Any], model: str, *, is_empty: bool
) -> dict[str, Any]:
    """Return the body with what has to be evaluated or read in it as it is named."""
    words = replace(settings, images=(), files=(), tools=(), schema="")
    plain = replace(
        settings,
        prompt=settings.prompt or "…",
        images=(),
        files=(),
        is_raw=not words.is_literal or settings.is_raw,
    )
    body = body_of(Asked(plain, *plain.request(namespace)), model)
    parts = [
        {"type": kind, field: f"{name} (read when it runs)"}
        for source, kind, field in _KINDS
        for name in getattr(settings, source)
    ]
    if is_empty:
        body["input"] = ""
    elif parts:
        said = [text_part(settings.prompt.strip("\n"))] if settings.prompt.strip() else []
        body["input"] = [message(*said, *parts)]
    return body
