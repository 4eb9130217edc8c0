"""A call as code: Python, plain httpx, curl or JSON, ready to run somewhere else, and never with a key in it."""

from __future__ import annotations

import json
import pprint
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from cometnb.errors import CometError, masked
from cometnb.options import DEFAULT_BASE_URL
from cometnb.protocol.params import PARAMS
from cometnb.protocol.request import prepare
from cometnb.session.settled import as_given, same_json

__all__ = ["FORMS", "as_code"]

_WIDTH = 100
_TIMEOUT_S = 600

# One argument of a program may hold 131,072 bytes on Linux; an attached image is larger.
_LONGEST_ARGUMENT = 100_000

# The language that a Markdown fence around each form names.
FORMS: Mapping[str, str] = {"python": "python", "httpx": "python", "curl": "bash", "json": "json"}


def as_code(body: Mapping[str, Any], form: str, *, base_url: str = DEFAULT_BASE_URL) -> str:
    """Return code that sends a request.

    Parameters
    ----------
    body : Mapping
        What is sent, JSON values only, as `prepare` returns it.
    form : str
        ``python`` (a cometnb client), ``httpx``, ``curl`` or ``json`` (the body itself).
    base_url : str
        Where it goes, without a slash at its end.

    Returns
    -------
    str
        Without a line end. The key is read from ``COMETAPI_KEY`` when the code runs; whatever looks like a key in
        the body is masked.
    """
    return masked(_WRITERS[form](body, base_url))


def _python(body: Mapping[str, Any], base_url: str) -> str:
    prompt, params = _call(body)
    given = [] if prompt is None else [_literal(prompt)]
    given += [
        f"{name}={_literal(value, len(name) + 5)}"
        for name, value in params.items()
        if (name, value) != ("stream", True)
    ]
    arguments = "".join(f"    {argument},\n" for argument in given)
    where = "" if base_url == DEFAULT_BASE_URL else f"base_url={base_url!r}"
    head = f"import cometnb\n\nclient = cometnb.Client({where})\n"
    if body.get("stream") is True:
        follow = '    for delta in stream.text_deltas():\n        print(delta, end="", flush=True)'
        return f"{head}with client.stream(\n{arguments}) as stream:\n{follow}"
    return f"{head}response = client.respond(\n{arguments})\nprint(response)"


def _call(body: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the prompt and the keyword arguments that make a client send `body`."""
    known = {row.name for row in PARAMS}
    params = {name: value for name, value in body.items() if name in known and as_given(name, value)}
    rest = {name: value for name, value in body.items() if name not in params}
    call = params | ({"extra_body": rest} if rest else {})
    if not _is_sent_by(call, body):
        # A field that the checks refuse or settle only beside another passes as a further field, as it is.
        kept = {name: body[name] for name in ("model", "input", "stream") if name in params}
        call = kept | {"extra_body": {name: value for name, value in body.items() if name not in kept}}
    prompt = call.pop("input", None)
    return prompt, call


def _is_sent_by(call: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    try:
        return same_json(prepare(call).body, body)
    except CometError:
        return False


def _literal(value: Any, indent: int = 4) -> str:
    text = pprint.pformat(value, width=_WIDTH - indent, sort_dicts=False)
    return text.replace("\n", "\n" + " " * indent)


def _httpx(body: Mapping[str, Any], base_url: str) -> str:
    asked = (
        f"    {base_url + '/responses'!r},\n"
        "    headers={'Authorization': f\"Bearer {os.environ['COMETAPI_KEY']}\"},\n"
        f"    json=body,\n    timeout={_TIMEOUT_S},\n"
    )
    head = f"import os\n\nimport httpx\n\nbody = {_literal(dict(body), 7)}\n"
    if body.get("stream") is True:
        return (
            f"{head}with httpx.stream(\n    'POST',\n{asked}) as answer:\n"
            "    answer.raise_for_status()\n    for line in answer.iter_lines():\n        print(line)"
        )
    return (
        f"{head}answer = httpx.post(\n{asked})\nanswer.raise_for_status()\n"
        "for item in answer.json()['output']:\n    for part in item.get('content') or []:\n"
        "        print(part.get('text', ''))"
    )


def _curl(body: Mapping[str, Any], base_url: str) -> str:
    text = _json(body, base_url)
    streams = " --no-buffer" if body.get("stream") is True else ""
    head = (
        f"curl --silent --show-error{streams} {shlex.quote(base_url + '/responses')} \\\n"
        '  -H "Authorization: Bearer $COMETAPI_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n  --data-binary"
    )
    if len(text.encode()) > _LONGEST_ARGUMENT:
        # In JSON with an indent no line is this word alone.
        return f"{head} @- <<'JSON'\n{text}\nJSON"
    return f"{head} {shlex.quote(text)}"


def _json(body: Mapping[str, Any], base_url: str) -> str:  # every form is written alike
    text = json.dumps(body, indent=2, ensure_ascii=False)
    # Half a surrogate pair has no UTF-8; as an escape it has.
    return text if _is_utf8(text) else json.dumps(body, indent=2)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_WRITERS: dict[str, Callable[[Mapping[str, Any], str], str]] = {
    "python": _python,
    "httpx": _httpx,
    "curl": _curl,
    "json": _json,
}
