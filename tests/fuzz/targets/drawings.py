"""Any text as a name on a plot: drawn as it is, without a formula, a warning or a file that cannot be read."""

from __future__ import annotations

import io
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from xml.parsers.expat import ParserCreate

from cometnb.protocol.event_log import EventLog
from cometnb.protocol.events import Event
from cometnb.protocol.response import Response, whole_text
from tests.fuzz.looking import check_text
from tests.fuzz.target import Target
from tests.fuzz.targets.cell_text import text_of
from tests.ledger.usage_frames import frame_of

__all__ = ["TARGETS", "plot_labels"]

_LONGEST = 300
_MOST_GROUPS = 20
_TIMES_S = (0.1, 0.2, 0.3, 0.4, 3.0, 3.1)

_Draw = Callable[[Any, list[str]], Any]


def plot_labels(data: bytes) -> None:
    """Name models, efforts, tags, notebooks, columns and events by any texts, and draw them to pixels and as SVG."""
    # No frame has half of a character in a name: neither the ledger nor pandas takes one.
    names = [one[:_LONGEST] for one in whole_text(text_of(data)).split("\n")][:_MOST_GROUPS]
    rng = random.Random(data)
    _check_drawn(rng.choice(_PLOTS), names)


def _check_drawn(draw: _Draw, names: list[str]) -> None:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from cometnb.ledger.plots.canvas import blank, words_of

    with warnings.catch_warnings(), mpl.rc_context({"svg.fonttype": "none"}):
        warnings.simplefilter("error")
        ax = draw(blank(), names)
        check_text(words_of(ax))
        figure = ax.figure
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        assert all(size > 0 for size in ax.get_window_extent().size)
        written = io.BytesIO()
        figure.savefig(written, format="svg")
    # What a notebook saves is read again by whoever opens it.
    reader, tags = ParserCreate(), set[str]()
    reader.StartElementHandler = lambda tag, attributes: tags.add(tag)
    reader.Parse(written.getvalue(), True)
    assert not tags & {"script", "image", "a", "foreignObject"}, tags


def _usage(names: list[str]) -> Any:
    texts = names or [""]
    return frame_of(
        *(
            {
                "model_requested": text,
                "model": text,
                "effort": text if place % 2 else "low",
                "tag": text,
                "notebook": text,
                "cell_id": text,
                "reasoning_tokens": 10 * place,
                "output_tokens": 20 + 10 * place,
                "cost_usd": None if place % 3 == 2 else 0.1 * place,
                "ttft_s": 0.1 + place,
                "backend": "simulator" if place % 5 == 4 else "api",
            }
            for place, text in enumerate(texts)
        )
    )


def _cost(by: str) -> _Draw:
    def draw(ax: Any, names: list[str]) -> Any:
        from cometnb.ledger.plots import plot_cost

        return plot_cost(_usage(names), by, ax=ax)

    return draw


def _tokens(by: str) -> _Draw:
    def draw(ax: Any, names: list[str]) -> Any:
        from cometnb.ledger.plots import plot_tokens

        return plot_tokens(_usage(names), by, ax=ax)

    return draw


def _latency(ax: Any, names: list[str]) -> Any:
    from cometnb.ledger.plots import plot_latency

    return plot_latency(_usage(names), ax=ax)


def _reasoning(ax: Any, names: list[str]) -> Any:
    from cometnb.ledger.plots import plot_reasoning

    return plot_reasoning(_usage(names), ax=ax)


def _heat(ax: Any, names: list[str]) -> Any:
    import pandas as pd

    from cometnb.ledger.plots import plot_heat

    x, y, measure = (f"{names[at % len(names)]}{mark}" for at, mark in enumerate((" x", " y", "_usd")))
    table = pd.DataFrame(
        {
            x: [names[at % len(names)] for at in range(6)],
            y: [*names[:1], None, 1.5, True, names[-1], "a"],
            measure: [0.1, 0.2, None, 0.4, float("inf"), 0.6],
        }
    )
    return plot_heat(table, x, y, measure, ax=ax)


def _timeline(ax: Any, names: list[str]) -> Any:
    from cometnb.ledger.plots import plot_timeline

    response = Response({"status": names[0], "model": names[-1], "output": [{"type": names[0]}]})
    response.backend = names[0]
    log = EventLog()
    types = ("response.created", names[0], *("response.output_text.delta",) * 3, names[-1])
    for at_s, kind in zip(_TIMES_S, types, strict=True):
        log.add(at_s, [Event(kind, {"delta": names[-1], "output_index": 0})])
    response.event_log = log
    return plot_timeline(response, ax=ax)


_PLOTS: tuple[_Draw, ...] = (
    *map(_cost, ("model", "day", "effort", "cell", "tag", "notebook")),
    *map(_tokens, ("model", "day", "effort", "tag")),
    _latency,
    _reasoning,
    _heat,
    _timeline,
)


def _seeds() -> Iterator[bytes]:
    yield b"gpt-5.4\nclaude-opus-4-6\ngrok-4.5\nlow\nhigh\nwork/analysis.ipynb"
    yield b"$x^2$ and $y$\n\\frac{1}{2}\n_hidden\n$\n$$\n\\$5 and \\$6\n%d %s {0} {x}"
    yield "é\n日本語\nالعربية\n😀\n\u200b\n\u202eabc\na\u0301\n\ufffd\n\u00ad".encode()
    yield b"x\xed\xa0\xbd\n\xed\xb8\x80\n\0\n\x1b[31mred\n\t\n\x07\n\x85"
    yield b"<script>alert(1)</script>\n]]>\n&amp;\n--><!--\n\"'\n<a xlink:href='javascript:x'>"
    yield b"\n".join(b"m%d" % number for number in range(20))
    yield b"a\na \n A\n" + b"w" * 300 + b"\n/\n//\na/b/\n \nNone\nnan\n(no model)\nnot set"
    yield b""


_TOKENS = (
    b"$", b"$x_", b"\\", b"^", b"_", b"{", b"}", b"\n", b"\0", b"\x1b", b"\x0b", b"\xef\xbf\xbe", b"\xed\xa0\x80", b"\xed\xb8\x80",
    b"<", b"&", b"]]>", b"%", b"\xe2\x80\xae", b"\xf0\x9f\x98\x80", b"\xe6\x97\xa5", b"\xcc\x81", b" ", b"/", b"nan", b"\xf4\x8f\xbf\xbf",
)  # fmt: skip

TARGETS = (Target("plot_labels", plot_labels, _seeds, tokens=_TOKENS, limit_s=20.0, n_tested=6),)
