"""A call as text, whatever it is written in, read into settings without running any of it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from cometnb.errors import CellError, CometWarning, masked
from cometnb.session.cell_line import Arguments, parsed
from cometnb.session.json_body import json_body
from cometnb.session.read_curl import curl_body, is_curl
from cometnb.session.read_python import is_python, python_call
from cometnb.session.settings import Settings

__all__ = ["read_code"]

_OPENING = re.compile(r"(`{3,}+|~{3,}+)[^\n]*+\n")


def read_code(text: str, namespace: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of the call that a text makes.

    Nothing is run and nothing is fetched. Python is read as far as it consists of literals and names that are
    assigned literals; a key in the text is masked and never kept, and what is not part of the request (the address,
    headers, timeouts) is left out. So is what a cell or a call of cometnb says of its own output or marks (``--out``,
    ``tag=``), with a warning.

    Parameters
    ----------
    text : str
        A ``%%respond`` cell; Python that calls a cometnb client, ``client.responses.create`` or ``httpx.post``;
        a curl command; or the JSON body. A Markdown fence around it is passed over.
    namespace : Mapping, optional
        The notebook's names, for a cell whose options name variables. ``{{expressions}}`` are kept, not evaluated.

    Returns
    -------
    Settings

    Raises
    ------
    CellError
        The text is none of these, or not literal; line 1 says where. Or it makes more than one call, or a turn of a
        conversation, or asks before functions run, which settings cannot say.

    Warns
    -----
    CometWarning
        Options of a cell, or arguments of a call of cometnb, that were left out.
    """
    text = masked(text).replace("\r\n", "\n").removeprefix("\ufeff")
    text = _unfenced(text)
    stripped = text.strip()
    if not stripped:
        raise CellError("There is nothing to read.", _READABLE)
    if stripped.startswith("%%"):
        settings, left_out = _of_cell(text.lstrip("\n"), namespace or {})
        _tell_left_out(left_out)
        return settings
    if stripped.startswith(("{", "[", '"')):
        return Settings.of_body(_checked(_json_body(text)))
    # A prompt in Python may have a line with a command.
    if is_curl(text) and not is_python(text):
        return Settings.of_body(_checked(curl_body(text)))
    call = python_call(text)
    _tell_left_out(call.left_out)
    settings = (
        Settings.of_body(_checked(call.params)) if call.is_body else Settings.of_call(_checked(call.params))
    )
    return call.with_names(settings)


def _unfenced(text: str) -> str:
    """Return what stands in a Markdown fence around the whole text; the text itself if there is none."""
    stripped = text.strip()
    opening = _OPENING.match(stripped)
    if opening is None:
        return text
    mark = opening[1][0]
    inner = stripped[opening.end() :].rstrip(mark)
    if len(stripped) - opening.end() - len(inner) < 3:
        return text
    return inner.rstrip(" \t").removesuffix("\n")


_READABLE = "Paste a %%respond cell, Python, a curl command, or the JSON body of a request."


def _tell_left_out(names: Sequence[str]) -> None:
    if names:
        words = f"Left out, as no part of the request: {', '.join(names)}."
        # Of whoever called `read_code`.
        warnings.warn(words, CometWarning, stacklevel=3)


def _of_cell(text: str, namespace: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """Return the settings of a cell, and which of its options are left out."""
    first, *rest = text.splitlines(keepends=True)
    magic, _, line = first.strip()[2:].partition(" ")
    if magic != "respond":
        raise CellError(f"%%{magic} is another magic.", "Paste a cell that begins with %%respond.")
    # A function stays a name: what it stands for is looked up when the call is made.
    plain = {
        name: value for name, value in namespace.items() if isinstance(value, str | int | float | list | dict)
    }
    arguments = parsed(line, plain, is_filled=False)
    _check_whole(arguments)
    left_out = [flag for name, flag in _LEFT_OUT if getattr(arguments, name)]
    return Settings.of(arguments, "".join(rest), is_filled=False), left_out


# Without these a cell would ask something else: whether one is given, what it does, and what to do instead.
_OTHER_CALL = (
    ("sweep", "--sweep", "asks many calls", "Write one value of each axis as an option: --effort low"),
    ("repeat", "--repeat", "asks many calls", "Leave it out, and run what is loaded as often as you like."),
    ("chat", "--chat", "sends a conversation", "Leave it out: the prompt is then asked alone."),
    ("after", "--from", "sends a conversation", "Write --previous-response-id resp_… in its place."),
    ("confirms", "--confirm", "asks before functions run", "Leave it out; a panel has a switch for it."),
)
# These say what becomes of the answer, or how far functions may go.
_LEFT_OUT = (
    ("out", "--out"),
    ("frame", "--df"),
    ("tag", "--tag"),
    ("form", "--as"),
    ("is_dry_run", "--dry-run"),
    ("is_quiet", "--quiet"),
    ("is_code", "--code"),
    ("is_new", "--new"),
    ("max_rounds", "--max-rounds"),
)


def _check_whole(arguments: Arguments) -> None:
    """Refuse a cell that asks more than one plain call."""
    for name, flag, what, step in _OTHER_CALL:
        if getattr(arguments, name):
            raise CellError(f"The cell's {flag} {what}, which settings cannot say.", step)


def _json_body(text: str) -> Mapping[str, Any]:
    try:
        body = json_body(text)
    except ValueError as error:
        try:
            # A dict as Python prints it.
            return python_call(text).params
        except CellError:
            raise CellError(
                f"The JSON cannot be read: {error}.", "Mend it there, or copy it again."
            ) from None
    if not isinstance(body, dict):
        raise CellError(f"The JSON is a {type(body).__name__}, not an object.", "Paste the whole body: {…}.")
    return body


def _checked(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if "messages" in body and "input" not in body:
        raise CellError(
            "This is a call of Chat Completions: it has messages and no input.",
            "Paste a call of the Responses API, or rename messages to input.",
        )
    return body
