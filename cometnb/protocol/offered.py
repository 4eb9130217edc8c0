"""A service that has no such call, told from one that does not know the id."""

from __future__ import annotations

import re

from cometnb.errors import APIError, CometError, UnexpectedContentError

__all__ = ["unoffered"]

_NO_SUCH_CALL = frozenset({404, 405, 501})

# How a server says that it has no such route: a path, or the method, in the message.
_ROUTE = re.compile(r"invalid url|no route|route not|cannot (?:get|post)|/responses/", re.IGNORECASE)


def unoffered(error: CometError, offer: str, response_id: str) -> CometError:
    """Return the error of a call about a stored response, in words that name the service if it has no such call.

    Parameters
    ----------
    error : CometError
        What the call came to.
    offer : str
        What was asked for, such as ``retrieval of responses``.
    response_id : str
        Which response.

    Returns
    -------
    CometError
        Of the same class. Any other error, and that of a service which keeps responses but not this one, comes back
        as it is.
    """
    if not isinstance(error, APIError):
        return error
    is_page = isinstance(error, UnexpectedContentError) and (error.status_code or 0) < 500
    if not is_page and (error.status_code not in _NO_SUCH_CALL or not _is_about_route(error, response_id)):
        return error
    kept = "" if is_page or _names_route(error) else f", or does not keep {response_id}"
    told = type(error)(
        f"The service does not offer {offer}{kept}: {error.fact}",
        "It may offer only POST /responses: ask without background=True. For a response of another service, set"
        " COMETAPI_BASE_URL to that one.",
        **vars(error),
    )
    return told.with_traceback(error.__traceback__)


def _is_about_route(error: APIError, response_id: str) -> bool:
    """Tell whether a 404 is about the path: the message says so, or says nothing of the response."""
    if error.status_code != 404 or _names_route(error):
        return True
    return error.code is None and response_id not in error.fact


def _names_route(error: APIError) -> bool:
    return error.status_code in (405, 501) or bool(_ROUTE.search(error.fact))
