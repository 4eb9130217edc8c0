"""``%comet cost`` and ``%comet plot``: what calls came to, as a table and as a picture."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cometnb.errors import CellError, LedgerError
from cometnb.magics.filters import FILTER_CHOICES, FILTERS_USAGE, filters_of, since_of, value_of
from cometnb.magics.kernel import Kernel
from cometnb.magics.line import say
from cometnb.options import user_path
from cometnb.protocol.cost import dollars
from cometnb.protocol.counted import counted
from cometnb.session.origin import watching
from cometnb.view.publish import publish

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from cometnb.ledger.store import Ledger

__all__ = ["COST_USAGE", "PLOT_USAGE", "cost", "plot"]

_BY = ("model", "day", "effort", "cell", "tag", "notebook")
_PLOTS = ("cost", "tokens", "reasoning", "latency", "timeline")
_SUMMED_UP = ("cost", "tokens")
_FORMATS = ("png", "svg", "pdf")

COST_USAGE = f"[SINCE] [--by {'|'.join(_BY)}] [--all] {FILTERS_USAGE}"
PLOT_USAGE = (
    f"{'|'.join(_PLOTS)} [SINCE] [--by {'|'.join(_BY)}] [--save FILE] [--dark] [--light] {FILTERS_USAGE}"
)

# What one looks at first; `--all` gives the rest.
_COLUMNS = [
    "n_attempts",
    "cost_usd",
    "n_unpriced",
    "simulated_cost_usd",
    "n_simulated",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "reasoning_share",
]

# Two pixels for one of the page's, so that it is sharp where the screen has as many.
_PAGE_DPI, _SHARPNESS = 96, 2


def cost(kernel: Kernel, words: list[str]) -> pd.DataFrame:
    """Print what the calls cost together, and return what they cost by model, or by what ``--by`` says.

    Parameters
    ----------
    kernel : Kernel
    words : list of str
        As `COST_USAGE` says.

    Returns
    -------
    DataFrame
        See `cometnb.ledger.summaries`: its first columns, or with ``--all`` every column.

    Raises
    ------
    CellError
        A word that is none of these.
    """
    by, left = _by(words, "cost")
    rest, filters = filters_of("cost", [word for word in left if word != "--all"])
    since = since_of("cost", rest)
    from cometnb.ledger.summaries import SUMMARIES, total

    frame = kernel.shared.ledger.usage(since, **filters)
    say(f"{total(frame)}.{_on_fees(kernel.shared.ledger, since, filters)}")
    summary = SUMMARIES[by](frame)
    return summary if "--all" in left else summary[_COLUMNS]


def _on_fees(ledger: Ledger, since: str | None, filters: dict[str, list[str]]) -> str:
    """Say what built-in tools cost besides; it is in no column of the table."""
    asked = filters.get("backend", FILTER_CHOICES["--backend"])
    said = []
    for whose, is_simulated in (("", False), (" simulated", True)):
        backends = [backend for backend in asked if (backend == "simulator") is is_simulated]
        try:
            spent = ledger.spent(since, **{**filters, "backend": backends})
        except LedgerError:
            # What the usage frame could be made of all the same is not enough for this.
            continue
        said += [f"{dollars(spent.fees_usd)}{whose}"] if spent.fees_usd else []
        if spent.n_unknown_fees:
            said.append(f"not known for {counted(spent.n_unknown_fees, f'{whose} attempt'.strip())}")
    return f" Fees of built-in tools, in none of these sums: {', '.join(said)}." if said else ""


def plot(kernel: Kernel, words: list[str]) -> None:
    """Show a plot of the calls, or of the last answer's course, once.

    Parameters
    ----------
    kernel : Kernel
    words : list of str
        As `PLOT_USAGE` says.

    Raises
    ------
    CellError
        A word that is none of these, a file that cannot be written, or no answer to draw the course of.
    """
    if not words or words[0] not in _PLOTS:
        wrong = f"does not know {words[0]!r}" if words else "needs to be told what to draw"
        raise CellError(f"%comet plot {wrong}.", f"Write %comet plot {'|'.join(_PLOTS)}.")
    what, *left = words
    left, place = value_of(left, "--save", "Write --save cost.png, for example.")
    path = _path(place) if place is not None else None
    is_terminal = watching(kernel.shell) == "terminal"
    dark, left = _is_dark(left)
    axes = _drawn(kernel, what, left, dark)
    if path is not None:
        _save(axes, path)
    elif is_terminal:
        from cometnb.ledger.plots.canvas import words_of

        say(
            f"{words_of(axes)}\nA terminal shows no pictures: %comet plot {what} --save {what}.png writes it."
        )
    if not is_terminal:
        _show(axes)


def _drawn(kernel: Kernel, what: str, words: list[str], dark: bool | None) -> Axes:
    from cometnb.ledger import plots
    from cometnb.ledger.plots.canvas import blank

    if what == "timeline":
        if words:
            raise CellError(
                f"%comet plot timeline draws the last answer, and takes no {' '.join(words)!r}.",
                "For another: cometnb.ledger.plots.plot_timeline(response).",
            )
        return plots.plot_timeline(kernel.last_response(), ax=blank(dark))
    by, left = _by(words, f"plot {what}") if what in _SUMMED_UP else ("", words)
    rest, filters = filters_of(f"plot {what}", left)
    frame = kernel.shared.ledger.usage(since_of(f"plot {what}", rest), **filters)
    if by:
        return (plots.plot_cost if what == "cost" else plots.plot_tokens)(frame, by, ax=blank(dark))
    return (plots.plot_reasoning if what == "reasoning" else plots.plot_latency)(frame, ax=blank(dark))


def _by(words: list[str], name: str) -> tuple[str, list[str]]:
    left, by = value_of(words, "--by", f"It takes {', '.join(_BY)}.")
    if by is not None and by not in _BY:
        raise CellError(f"--by of %comet {name} does not know {by!r}.", f"It takes {', '.join(_BY)}.")
    return by or _BY[0], left


def _is_dark(words: list[str]) -> tuple[bool | None, list[str]]:
    left = [word for word in words if word not in ("--dark", "--light")]
    if {"--dark", "--light"} <= {*words}:
        raise CellError(
            "--dark and --light are opposites.", "Leave one out, or both: then it reads on either."
        )
    return ("--dark" in words if len(left) < len(words) else None), left


def _path(text: str) -> Path:
    path = user_path(text)
    if path.suffix.lower().removeprefix(".") not in _FORMATS:
        raise CellError(
            f"--save {text!r} ends in no format that can be written.",
            f"End it in {', '.join(f'.{name}' for name in _FORMATS)}.",
        )
    return path


def _save(axes: Axes, path: Path) -> None:
    try:
        path.write_bytes(_bytes(axes, path.suffix.lower().removeprefix(".")))
    except OSError as error:
        raise CellError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Write --save with a file in another folder.",
        ) from None
    say(f"Saved as {path}.")


def _show(axes: Axes) -> None:
    # The figure is none of pyplot's, so that nothing else shows it once more at the end of the cell.
    from cometnb.ledger.plots.canvas import words_of

    width, height = (int(size * _PAGE_DPI) for size in _figure(axes).get_size_inches())
    publish(
        {"image/png": base64.b64encode(_bytes(axes, "png")).decode("ascii"), "text/plain": words_of(axes)},
        {"image/png": {"width": width, "height": height}},
    )


def _bytes(axes: Axes, form: str) -> bytes:
    figure, buffer = _figure(axes), io.BytesIO()
    figure.savefig(buffer, format=form, dpi=_SHARPNESS * _PAGE_DPI, facecolor=figure.get_facecolor())
    return buffer.getvalue()


def _figure(axes: Axes) -> Any:
    return axes.figure
