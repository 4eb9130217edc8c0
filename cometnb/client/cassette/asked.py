"""A request as a cassette knows it: canonical, without key and attachments, and by earlier answers instead of ids."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cometnb.client.cassette.exact_json import loads
from cometnb.protocol.canonical import canonical

__all__ = ["Asked", "asked_of"]

_BASE_PATH = re.compile(r"^.*?(?=/(?:responses|models)(?:/|$))")
_KEY_DIGITS = 12

# Content that is there to be attached, not to be read: its hash tells it as well, and leaves the file small.
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[^,]{0,200};base64,")
_ENCODED_FIELDS = frozenset({"data", "encrypted_content", "file_data", "result", "b64_json"})
_LONGEST_SHOWN = 200
_REFERENCE = "previous_response_id"


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes
    ----------
    method, path : str
        The path from ``/responses`` or ``/models`` on; an id of an earlier answer in it is ``@key``.
    query : Mapping of str to str
    body : object
        Canonical JSON; None if there is none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: Any = None

    @cached_property
    def key(self) -> str:
        """Twelve hex digits that are the same for all requests which ask the same."""
        whole = [self.method, self.path, dict(self.query), self.body]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode("ascii")).hexdigest()[:_KEY_DIGITS]


def asked_of(
    method: str,
    path: str,
    query: Mapping[str, str],
    content: bytes,
    *,
    hide: Callable[[Any], Any],
    names: Mapping[str, str],
    is_capped: bool = False,
) -> Asked:
    """Return a request as a cassette knows it.

    Parameters
    ----------
    method, path, query, content
        As sent.
    hide : callable
        Takes keys out of a JSON value.
    names : Mapping of str to str
        Ids of earlier answers to the ``@key`` that stands for them.
    is_capped : bool
        Whether a budget has set ``max_output_tokens``. It is no part of what was asked then: a replay costs nothing,
        and is not capped.
    """
    parts = _BASE_PATH.sub("", path).split("/")
    # A space ends the method where the two stand in a file.
    plain_path = hide("/".join(names.get(part, part) for part in parts)).replace(" ", "%20")
    plain_query = {str(name): hide(str(value)) for name, value in sorted(query.items())}
    return Asked(method.upper(), plain_path, plain_query, _body(content, hide, names, is_capped=is_capped))


def _body(content: bytes, hide: Callable[[Any], Any], names: Mapping[str, str], *, is_capped: bool) -> Any:
    if not content:
        return None
    try:
        body = loads(content)
    except ValueError:
        return hide(content.decode("utf-8", "replace"))
    if not isinstance(body, dict):
        return _shortened(hide(body))
    if is_capped:
        body.pop("max_output_tokens", None)
    if isinstance(body.get(_REFERENCE), str):
        body[_REFERENCE] = names.get(body[_REFERENCE], body[_REFERENCE])
    return canonical(_shortened(hide(body)))


def _shortened(value: Any, field: str = "") -> Any:
    """Return a value with the hash of each attachment in its place."""
    if isinstance(value, dict):
        return {name: _shortened(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner) for inner in value]
    if not isinstance(value, str) or len(value) <= _LONGEST_SHOWN:
        return value
    url = _DATA_URL.match(value)
    if url is None and (field not in _ENCODED_FIELDS or any(char.isspace() for char in value)):
        return value
    kind = "" if url is None else f"data:{url[1] or ''};"
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}sha256={digest[:32]};{len(value)} characters"
