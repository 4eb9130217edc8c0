"""Every error cometnb raises: one tree, two lines each, the fact first and the next step second."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from cometnb.protocol.response import Response

__all__ = [
    "KEY_START",
    "APIError",
    "AuthenticationError",
    "BadRequestError",
    "BatchError",
    "BatchInterruptedError",
    "BudgetExceededError",
    "CassetteMissError",
    "CellError",
    "CometError",
    "CometWarning",
    "ConfigError",
    "ConnectionFailedError",
    "IncompleteAnswerError",
    "LedgerError",
    "MissingExtraError",
    "ModelNotFoundError",
    "NotFoundError",
    "ParamError",
    "PermissionDeniedError",
    "ProtocolError",
    "RateLimitError",
    "RefusalError",
    "ResponseFailedError",
    "ResponseTimeoutError",
    "SchemaMismatchError",
    "ServerError",
    "StreamInterruptedError",
    "ToolError",
    "UnexpectedContentError",
    "maskable",
    "masked",
    "printable",
]

KEY_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[abfnrtv])|(?<=%[0-9A-Fa-f]{2})|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
"""Where a key may begin: not inside a word. An escape in front (``\\nsk-``, ``%3Dsk-``, ``\\u0022sk-``) is no word."""

# CometAPI's own set-up script takes `sk-` and at least seven more characters for a key.
_KEY = re.compile(KEY_START + r"sk-[A-Za-z0-9_\-]{7,}")


# A shorter one is a word such as "test", and taking it out of a text would spoil the text.
_SHORTEST_KEY = 8


def maskable(key: str) -> str | None:
    """Return a key in force if it can be taken out of texts, whatever its form; None if it is too short for that."""
    return key if len(key) >= _SHORTEST_KEY else None


def masked(text: str, *secrets: str | None) -> str:
    """Return `text` with every API key in it replaced by ``sk-***``.

    Parameters
    ----------
    text : str
        Anything that may be shown, logged or stored.
    *secrets : str or None
        Keys known to the caller; they are hidden even if they do not look like a key.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "sk-***")
    # Looking for these three is several times as fast as for all places where a key may begin.
    return _KEY.sub("sk-***", text) if "sk-" in text else text


# Everything that moves a terminal's cursor, colours it, rings it or turns the direction of writing.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return text without characters that act on a terminal; line ends and tabs stay."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


class CometWarning(UserWarning):
    """Something was settled for you; the call went on.

    Parameters
    ----------
    text : str
        What; as errors it holds neither a key nor what acts on a terminal.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(_sayable(text))


class CometError(Exception):
    """Base of every error of cometnb.

    Parameters
    ----------
    fact : str
        Line 1: what is wrong, with the value and the bound.
    next_step : str
        Line 2: what to do about it, ready to copy.

    Attributes
    ----------
    response : Response or None
        What had arrived of an answer when the error happened; None if nothing could have.
    has_full_traceback : bool
        Of the class, for all errors: True shows IPython's whole traceback in a notebook instead of two lines
        (``%config CometMagics.tracebacks = True``).
    """

    response: Response | None = None
    has_full_traceback: ClassVar[bool] = False

    def __init__(self, fact: str, next_step: str = "", **details: Any) -> None:
        super().__init__(_line(fact), _line(next_step))
        for name, value in details.items():
            setattr(self, name, value)

    @property
    def fact(self) -> str:
        """Line 1 of the message."""
        return str(self.args[0])

    @property
    def next_step(self) -> str:
        """Line 2 of the message; may be empty."""
        return str(self.args[1])

    def __str__(self) -> str:
        return "\n".join(line for line in self.args if line)

    @property
    def _render_traceback_(self) -> Callable[[], list[str]]:
        """Shows the lines of the message in a notebook: IPython calls it, if it is there, instead of its own."""
        if CometError.has_full_traceback:
            raise AttributeError("_render_traceback_")
        return self._shown_lines

    def _shown_lines(self) -> list[str]:
        return [*f"{type(self).__name__}: {self}".splitlines(), *_place(self.__traceback__)]


def _line(text: str) -> str:
    return _sayable(" ".join(text.split()))


def _sayable(text: str) -> str:
    # What a service says stands in many errors and warnings, and a terminal would obey it. Half a surrogate pair, as
    # a name in JSON may have, cannot be printed at all.
    return masked(printable(text.encode("utf-8", "backslashreplace").decode()))


def _place(trace: TracebackType | None) -> list[str]:
    """Return where in the notebook an error of the Python API came up; a magic's cell needs no telling."""
    frames = list(traceback.walk_tb(trace))
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or any(_is_magic(frame) for frame, _ in frames):
        return []
    for frame, line in reversed(frames):
        named = shell.compile.format_code_name(frame.f_code.co_filename)
        if named is not None:
            return [f"In {named[1].removeprefix('In')}, line {line}"]
    return []


def _is_magic(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith("cometnb.magics")


# You: nothing was sent.


class ConfigError(CometError):
    """A setting is missing or cannot be used: key, base URL, backend, ledger location."""


class CellError(CometError):
    """A cell's line or body cannot be turned into a request: option, template, attachment."""


class ParamError(CometError, ValueError):
    """A request parameter is out of range, of a wrong type, or does not go with another.

    Attributes
    ----------
    param : str
        The parameter's name, with dots for a field inside it (``reasoning.effort``).
    """

    param: str = ""


class CassetteMissError(CometError):
    """A cassette holds no answer to the request, and nothing was sent.

    Line 1 names the nearest request that was recorded, and the first places in which it differs.

    Attributes
    ----------
    difference : sequence of str
        Every place in which it differs: ``temperature: recorded 0.2, asked 0.7``.
    line : int or None
        Where the nearest request stands in the file; None if the file holds none.
    """

    difference: Sequence[str] = ()
    line: int | None = None


class MissingExtraError(CometError, ImportError):
    """A capability needs an optional package that is not installed."""


# The service.


class APIError(CometError):
    """The service answered with an error.

    Attributes
    ----------
    status_code : int or None
        HTTP status; None if the error came inside a stream.
    code, param, error_type : str or None
        As the service sent them.
    request_id : str or None
        What to quote to the provider's support.
    """

    status_code: int | None = None
    code: str | None = None
    param: str | None = None
    error_type: str | None = None
    request_id: str | None = None


class BadRequestError(APIError):
    """HTTP 400, 409, 413, 422, or a 500 with code ``invalid_request``: the request itself is refused."""


class AuthenticationError(APIError):
    """HTTP 401: the key is missing, malformed or not valid."""


class PermissionDeniedError(APIError):
    """HTTP 403: the key may not do this, or a firewall refused the request."""


class NotFoundError(APIError):
    """HTTP 404: no such path, response or conversation."""


class ModelNotFoundError(NotFoundError):
    """The model is unknown to the service, whichever status it said so with (404, or 503 at some gateways)."""


class RateLimitError(APIError):
    """HTTP 429: too many requests or tokens, or the quota is used up.

    Attributes
    ----------
    retry_after_s : float or None
        Seconds the service asked to wait, if it said so.
    """

    retry_after_s: float | None = None


class ServerError(APIError):
    """HTTP 408 or 5xx: the service could not answer, and retrying did not help."""


class UnexpectedContentError(APIError):
    """The answer is neither JSON nor an event stream: most often a gateway's or login page in HTML."""


class ResponseFailedError(APIError):
    """The response ended as ``failed``, or an error event ended its stream. `response` holds what arrived."""


# The wire.


class ConnectionFailedError(CometError, ConnectionError):
    """No connection to the service could be made, or it broke before an answer began."""


class ResponseTimeoutError(CometError, TimeoutError):
    """A time limit passed (connect, idle or total). `response` holds what arrived."""


class StreamInterruptedError(CometError, ConnectionError):
    """The stream ended before its last event. `response` holds the text so far."""


class ProtocolError(CometError):
    """In strict mode: the bytes of a stream break the protocol's rules."""


# The answer and the schema.


class RefusalError(CometError):
    """The model refused to answer. Line 1 has its words, and `response` the answer."""


class IncompleteAnswerError(CometError):
    """The answer ends before its JSON does: cut by a limit or a filter, interrupted, or still being written.

    The text that came is in ``response.output_text``.

    Attributes
    ----------
    rows : sequence of dict
        The rows that are whole, as plain JSON; empty if the schema has no rows.
    """

    rows: Sequence[Any] = ()


class SchemaMismatchError(CometError):
    """The answer is whole, and is no JSON or does not fit its schema. The text is in ``response.output_text``.

    Attributes
    ----------
    place : str
        Where in the answer: ``$.rows[2].age``; ``$`` is all of it.
    value : object
        What stands there; None if the answer is no JSON.
    """

    place: str = "$"
    value: Any = None


# Your money and your disk.


class ToolError(CometError):
    """A function of the notebook that the model called has failed; its own exception is the cause."""


class BudgetExceededError(CometError):
    """A call was not sent, or was stopped, because its worst case could cross the budget.

    The text that had come is in `response`.
    """


class BatchError(CometError):
    """A batch cannot begin, because its checkpoint cannot be used, or has stopped early, because too much failed."""


class BatchInterruptedError(CometError, KeyboardInterrupt):
    """A batch over a frame was interrupted; what was done by then is kept.

    It is a `KeyboardInterrupt`, too: a run of all cells stops.

    Attributes
    ----------
    frame : DataFrame or None
        The result so far; rows that were not asked have the status ``not_answered``.
    """

    frame: Any = None


class LedgerError(CometError):
    """The ledger cannot be opened or read."""
