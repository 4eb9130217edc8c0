"""The line under an answer: what it used, what it cost, how long it took."""

from __future__ import annotations

from cometnb.protocol.response import Response

__all__ = ["usage_line"]


def usage_line(response: Response, *, with_times: bool = True) -> str:
    """Return one line of plain text.

    Parameters
    ----------
    response : Response
        Its backend is named if it is not the API, so that nobody takes a simulated answer for a real one.
    with_times : bool
        Times differ from run to run; they are left out where outputs are compared.
    """
    parts = [response.backend] if response.backend != "api" else []
    parts.append(response.model or "model not reported")
    parts += _tokens(response)
    parts.append("no price known")
    if with_times:
        parts += _times(response)
    return " · ".join(parts)


def _tokens(response: Response) -> list[str]:
    usage = response.usage
    if not usage:
        return ["usage not reported"]
    into = _counted(usage.input_tokens, "in")
    out = _counted(usage.output_tokens, "out")
    if usage.cached_tokens:
        into += f" ({usage.cached_tokens:,} cached)"
    if usage.reasoning_tokens:
        out += f" ({usage.reasoning_tokens:,} reasoning)"
    elif usage.reasoning_tokens is None:
        out += " (reasoning not reported)"
    return [into, out]


def _counted(tokens: int | None, word: str) -> str:
    return f"tokens {word} not reported" if tokens is None else f"{tokens:,} tokens {word}"


def _times(response: Response) -> list[str]:
    timing, tokens = response.timing, response.usage.output_tokens
    parts = []
    if timing.ttft_s is not None:
        parts.append(f"first after {timing.ttft_s:.2f} s")
    if timing.duration_s is not None:
        parts.append(f"{timing.duration_s:.1f} s")
        if tokens and timing.duration_s > 0:
            # Over the whole call: reasoning is generated before the first delta, and it is part of the tokens.
            parts.append(f"{tokens / timing.duration_s:,.0f} tokens/s")
    return parts
