"""What a cell would send, shown instead of sent: the request with its attachments, or code that makes the call."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cometnb.errors import CometError, maskable, masked, printable
from cometnb.options import Options
from cometnb.session.cell_text import cell_text
from cometnb.session.export import FORMS, as_code
from cometnb.session.piece import ELSEWHERE
from cometnb.session.prompt import Attached
from cometnb.session.settings import Settings
from cometnb.view.neutral import plain_markdown
from cometnb.view.publish import publish

if TYPE_CHECKING:
    from cometnb.ledger.store import Ledger

__all__ = ["show_code", "show_request"]

# Of a file sent as text, this much says what it is.
_SHOWN_OF_DATA = 48

_TICKS = re.compile("`+")


def show_code(body: Mapping[str, Any], form: str, options: Options, *, base_url: str = "") -> None:
    """Show a call as code.

    Parameters
    ----------
    body : Mapping
        The request. It is shown as a call that waits for the whole answer, whether or not it streamed.
    form : str
        One of `FORMS`, or ``cell``.
    options : Options
        The key in force is masked, should it stand in the prompt.
    base_url : str
        Where it goes; empty for where the options say.
    """
    whole = {name: value for name, value in body.items() if name != "stream"}
    if form == "cell":
        code = _without_key(cell_text(Settings.of_body(whole)), options)
    else:
        code = _without_key(as_code(whole, form, base_url=base_url or options.base_url), options)
    publish({"text/markdown": _fenced(code, FORMS.get(form, "")), "text/plain": printable(code)})


def show_request(
    body: Mapping[str, Any],
    attached: Sequence[Attached],
    notes: Sequence[str],
    options: Options,
    ledger: Ledger | None = None,
) -> None:
    """Show the request that a cell would send, what is attached to it, and what it is expected to cost.

    Parameters
    ----------
    body : Mapping
    attached : sequence of Attached
    notes : sequence of str
        What was settled about the parameters.
    options : Options
        Where the request would go. The key in force is masked, should it stand in the prompt.
    ledger : Ledger, optional
        Its history narrows what is expected.
    """
    size_bytes = len(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
    head = f"POST /responses · {size_bytes:,} bytes · nothing was sent"
    shown = _without_key(json.dumps(_short(body), indent=2, ensure_ascii=False), options)
    expected = [_without_key(line, options) for line in _expected(body, options, ledger)]
    lines = [_without_key(_line(one), options) for one in attached]
    listed = "".join(f"\n- {plain_markdown(line)}" for line in lines)
    remarks = [f"*{plain_markdown(note)}*" for note in notes]
    pieces = [
        head,
        "  \n".join(map(plain_markdown, expected)),
        listed.strip("\n"),
        _fenced(shown, "json"),
        *remarks,
    ]
    plain = [head, *expected, *(f"  {line}" for line in lines), shown, *notes]
    publish(
        {
            "text/markdown": "\n\n".join(piece for piece in pieces if piece),
            "text/plain": printable("\n".join(plain)),
        }
    )


def _expected(body: Mapping[str, Any], options: Options, ledger: Ledger | None) -> list[str]:
    """Say what the call is expected to use and to cost, and what is not in these figures."""
    # What knows prices is heavy, and only a dry run asks it before a call.
    from cometnb.ledger.forecast import forecast
    from cometnb.ledger.prices import default_prices

    try:
        expected = forecast(
            body,
            base_url=options.base_url,
            backend=options.backend.partition(":")[0],
            prices=default_prices(),
            ledger=ledger,
        )
    except CometError as error:
        return [f"What it would cost is not known: {error.fact}"]
    return [_one_line(text) for text in (str(expected), *expected.notes)]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _line(one: Attached) -> str:
    # How large it is where it lies nobody here knows.
    size = "" if one.note in ELSEWHERE else f"{one.size_bytes:,} bytes"
    parts = [one.name, one.kind, one.media_type, size, one.note]
    return " · ".join(part for part in parts if part)


def _short(value: Any) -> Any:
    """Return the body with every attachment's bytes cut after their beginning."""
    if isinstance(value, Mapping):
        return {name: _short(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_short(inner) for inner in value]
    if isinstance(value, str) and value.startswith("data:") and len(value) > 2 * _SHOWN_OF_DATA:
        return f"{value[:_SHOWN_OF_DATA]}… [{len(value) - _SHOWN_OF_DATA:,} more characters]"
    return value


def _without_key(text: str, options: Options) -> str:
    return masked(text, maskable(options.api_key))


def _fenced(code: str, language: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(code)), default=0))
    return f"{fence}{language}\n{code}\n{fence}"
