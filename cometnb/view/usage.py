"""The line under an answer: what it used, what it cost, how long it took."""

from __future__ import annotations

from math import isnan

from cometnb.protocol.cost import Cost, dollars
from cometnb.protocol.counted import counted
from cometnb.protocol.recorded import Recorded
from cometnb.protocol.response import Response
from cometnb.protocol.usage import Usage

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
    parts.append(_cost(response))
    if with_times:
        parts += _times(response)
    return " · ".join(parts)


def _tokens(response: Response) -> list[str]:
    usage = response.usage
    if not usage and response.estimated_usage:
        guess = response.estimated_usage
        return [
            f"about {guess.input_tokens or 0:,} tokens in and {guess.output_tokens or 0:,} out (estimated)"
        ]
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
    guess = response.estimated_usage
    # The last of several rounds may have been cut off.
    more = f"and about {guess.input_tokens or 0:,} in and {guess.output_tokens or 0:,} out (estimated)"
    return [into, out, *[more] * bool(guess)]


def _cost(response: Response) -> str:
    cost = response.cost
    if not cost.is_known:
        return _unknown_cost(response)
    words = f"{'about ' if cost.is_estimated else ''}{dollars(cost.usd)}{_FOR_WHOM.get(response.backend, '')}"
    return words + _fees(cost) + _cost_then(response.recorded)


def _unknown_cost(response: Response) -> str:
    """Say what of a cost is missing: a price, or what it is asked for, or only that of some rounds."""
    known_usd = [cost.usd for one in response.rounds if (cost := one.cost).is_known]
    if known_usd:
        n_unknown = len(response.rounds) - len(known_usd)
        words = f"{dollars(sum(known_usd))}{_FOR_WHOM.get(response.backend, '')}"
        return f"{words} + {counted(n_unknown, 'round')} of unknown cost"
    return "no price known" if _is_countable(response.usage or response.estimated_usage) else "cost not known"


def _is_countable(usage: Usage) -> bool:
    """Tell whether tokens were reported, or estimated, and do not contradict each other."""
    from cometnb.ledger.pricelist.counts import sorted_tokens

    kinds = (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens, usage.output_tokens)
    return not isinstance(sorted_tokens(*kinds), str)


def _cost_then(recorded: Recorded | None) -> str:
    if recorded is None or recorded.cost_usd is None:
        return ""
    then = "if it had been billed" if recorded.backend == "simulator" else "when recorded"
    return f" ({dollars(recorded.cost_usd)} {then})"


def _fees(cost: Cost) -> str:
    if not cost.fees:
        return ""
    return f" + {dollars(cost.fees_usd) if not isnan(cost.fees_usd) else 'a fee not known'} for {cost.fees}"


# Nobody pays for these; what is shown says what it would have been, or that it is nothing.
_FOR_WHOM = {"simulator": " if it were billed", "cassette": ", replayed"}


def _counted(tokens: int | None, word: str) -> str:
    return f"tokens {word} not reported" if tokens is None else f"{tokens:,} tokens {word}"


def _times(response: Response) -> list[str]:
    # A replay's own times say nothing of the service.
    timing, tokens = response.recorded or response.timing, response.usage.output_tokens
    parts = []
    if timing.ttft_s is not None:
        parts.append(f"first after {timing.ttft_s:.2f} s")
    if timing.duration_s is not None:
        parts.append(f"{timing.duration_s:.1f} s")
        if tokens and timing.duration_s > 0:
            # Over the whole call: reasoning is generated before the first delta, and it is part of the tokens.
            parts.append(f"{tokens / timing.duration_s:,.0f} tokens/s")
    if parts and response.recorded is not None:
        parts.append("times as recorded")
    return parts
