"""``%comet models`` and ``doctor``: what the service behind the base URL offers, and how well."""

from __future__ import annotations

from cometnb.errors import CellError, ConfigError
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import say
from cometnb.session.doctor import COSTS, Finding, as_markdown, as_text, examine, without_session
from cometnb.view.publish import publish

__all__ = ["diagnose", "list_models"]


def list_models(kernel: Kernel, words: list[str]) -> list[str]:
    """Return the names of the models the service lists, those that hold every word.

    Raises
    ------
    CellError
        No name holds the words.
    CometError
        What the service or the wire says.
    """
    session = kernel.shared.session
    models = session.models()
    kernel.recent.models[session.base_url] = models
    found = [model for model in models if all(word.lower() in model.lower() for word in words)]
    if words and not found:
        raise CellError(
            f"None of {len(models):,} models is named like {' '.join(words)!r}.",
            "%comet models lists all of them.",
        )
    return found


def diagnose(kernel: Kernel, words: list[str]) -> None:
    """Examine key, base URL, models and, if allowed, what calls can do; show a table.

    Raises
    ------
    CellError
        An unknown word.
    """
    if words not in ([], ["--spend"]):
        raise CellError(
            f"%comet doctor does not know {' '.join(words)!r}.",
            "Write %comet doctor, or %comet doctor --spend to let it make a few small calls.",
        )
    is_free = kernel.shared.options.backend == "simulator"
    spends = is_free or bool(words)
    if spends and not is_free:
        say(COSTS)
    findings = _findings(kernel, spends=spends)
    publish({"text/markdown": as_markdown(findings), "text/plain": as_text(findings)})
    if not spends and any(finding.state == "skipped" for finding in findings):
        say(f"So far nothing was spent. %comet doctor --spend looks at the rest. {COSTS}")


def _findings(kernel: Kernel, *, spends: bool) -> list[Finding]:
    try:
        session = kernel.shared.session
    except ConfigError as error:
        return without_session(error)
    return examine(session, spend=spends, progress=say)
