"""An answer's parts lowered to what is saved in a notebook: Markdown, plain text, and metadata with the usage."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from cometnb.errors import masked, printable
from cometnb.protocol.cost import Cost
from cometnb.protocol.keyless import keyless
from cometnb.protocol.response import Response, whole_text
from cometnb.view.neutral import neutral_markdown, plain_markdown
from cometnb.view.parts import Part, describe
from cometnb.view.usage import usage_line

__all__ = ["bundle", "markdown", "plain"]

_SHOWN_CHARACTERS = 300


def bundle(
    response: Response, *, with_times: bool = True, notes: tuple[str, ...] = ()
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the data and metadata of an answer's display.

    Parameters
    ----------
    response : Response
    with_times : bool
        False where outputs are compared between runs.
    notes : tuple of str
        What was settled before sending.

    Returns
    -------
    data : dict
        ``text/markdown`` (made harmless) and ``text/plain``.
    metadata : dict
        ``cometnb``: what `python -m cometnb audit` reads; who answered, tokens, cost. No prompt, no key.
    """
    line = usage_line(response, with_times=with_times)
    parts = [*describe(response, with_times=with_times), *(Part("notice", note) for note in notes)]
    data = {
        "text/markdown": "\n\n".join([markdown(parts), f"*{_escaped(line)}*"]).strip(),
        "text/plain": "\n\n".join([plain(parts), printable(line)]).strip(),
    }
    # Half of a character could not be sent to the front end. A key may come together where a control character went.
    data = {kind: masked(whole_text(text)) for kind, text in data.items()}
    return data, {"cometnb": keyless(_record(response, with_times=with_times))}


def markdown(parts: list[Part]) -> str:
    """Return parts as harmless Markdown."""
    return "\n\n".join(_MARKDOWN[part.kind](part) for part in parts)


def plain(parts: list[Part]) -> str:
    """Return parts as text that is safe to print."""
    return "\n\n".join(printable(_PLAIN[part.kind](part)) for part in parts)


def _record(response: Response, *, with_times: bool) -> dict[str, Any]:
    """Return what is saved of a call: who answered, what it used as sent, what it cost and by which price.

    ``cost_usd`` is null where no price is known; fees of built-in tools are not in it.
    """
    cost, usage, sent_at = response.cost, response.usage, response.timing.sent_at
    estimated = None if usage else response.estimated_usage
    record = {
        "response_id": response.id,
        "model": response.model,
        "status": response.status,
        "backend": response.backend,
        "usage": response.raw.get("usage"),
        "usage_source": "reported" if usage else "estimated" if estimated else "none",
        "cost_usd": _amount(cost.usd),
        # Why there is none may name a file of this machine.
        "price_source": cost.source if cost.is_known else Cost().source,
    }
    if cost.fees:
        record["tool_fees_usd"] = _amount(cost.fees_usd)
    where_known = {
        "model_requested": response.model_requested,
        "service_tier": response.service_tier,
        "host": _host(response.base_url),
        "estimated_usage": estimated.raw if estimated else None,
        "sent_at": sent_at.isoformat(timespec="seconds") if sent_at and with_times else None,
    }
    return record | {name: value for name, value in where_known.items() if value is not None}


def _amount(usd: float) -> float | None:
    return usd if isfinite(usd) else None


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _quoted(title: str) -> Callable[[Part], str]:
    def lower(part: Part) -> str:
        inner = f"**{title}**\n\n{neutral_markdown(part.text)}"
        return "\n".join(f"> {line}".rstrip() for line in inner.split("\n"))

    return lower


def _call(part: Part) -> str:
    return f"**Tool call** {_code(part.title)} {_code(_capped(part.text))}".rstrip()


def _result(part: Part) -> str:
    return " ".join(filter(None, ["→", _code(_capped(part.text)), f"*{_escaped(part.title)}*"]))


def _source(part: Part) -> str:
    is_link = part.title.startswith(("https://", "http://")) and not re.search(r"[\s<>()\[\]\\]", part.title)
    return f"- [{_escaped(part.text)}]({part.title})" if is_link else f"- {_escaped(part.text)}"


def _notice(part: Part) -> str:
    return f"*{_escaped(part.text)}*"


def _code(text: str) -> str:
    return neutral_markdown(f"` {text.replace('`', chr(39))} `") if text else ""


def _capped(text: str) -> str:
    text = " ".join(text.split())
    left = len(text) - _SHOWN_CHARACTERS
    return text if left <= 0 else f"{text[:_SHOWN_CHARACTERS]}… ({left:,} more characters)"


def _escaped(text: str) -> str:
    return plain_markdown(masked(text))


_MARKDOWN: dict[str, Callable[[Part], str]] = {
    "text": lambda part: neutral_markdown(part.text),
    "reasoning": _quoted("Reasoning"),
    "refusal": _quoted("Refused"),
    "call": _call,
    "result": _result,
    "source": _source,
    "notice": _notice,
}

_PLAIN: dict[str, Callable[[Part], str]] = {
    "text": lambda part: part.text,
    "reasoning": lambda part: f"Reasoning: {part.text}",
    "refusal": lambda part: f"Refused: {part.text}",
    "call": lambda part: f"Tool call {part.title} {_capped(part.text)}".rstrip(),
    "result": lambda part: f"-> {_capped(part.text)} ({part.title})" if part.text else f"-> {part.title}",
    "source": lambda part: f"- {part.text}" + (f" ({part.title})" if part.title != part.text else ""),
    "notice": lambda part: f"[{part.text}]",
}
