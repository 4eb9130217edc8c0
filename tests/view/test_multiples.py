"""Small multiples: where each run stands, the display that stays, and what travels while they stream."""

from __future__ import annotations

import copy
import io
import itertools
import json
from html.parser import HTMLParser
from math import prod
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm
from hypothesis import given
from hypothesis import strategies as st
from ipywidgets.widgets import widget as models

from cometnb.errors import ConnectionFailedError, RateLimitError
from cometnb.protocol.events import Event
from cometnb.protocol.response import Response
from cometnb.session.sweep import Grid, grid_of
from cometnb.session.sweep_frame import Result
from cometnb.view.multiples import MOST_SHOWN, arranged, figures, multiples_bundle, summary
from cometnb.view.multiples_live import StillMultiples, TerminalMultiples, WatchedMultiples, multiples_for
from cometnb.view.multiples_widget import MultiplesView

_VALUES: dict[str, list[Any]] = {
    "model": [f"m{number}" for number in range(12)],
    "temperature": [number / 10 for number in range(12)],
    "top_p": [number / 20 for number in range(12)],
}


def grid(repeat: int = 1, **params: Any) -> Grid:
    """Return a grid of one prompt."""
    return grid_of("Hello", params, model="gpt-5.4", repeat=repeat, max_runs=10_000)


def answer(text: str, status: str = "completed", tokens: int = 7) -> Response:
    """Return a simulated answer."""
    message = {"type": "message", "content": [{"type": "output_text", "text": text}]}
    usage = {"input_tokens": 3, "output_tokens": tokens, "total_tokens": 3 + tokens}
    response = Response({"status": status, "model": "gpt-5.4", "output": [message], "usage": usage})
    response.backend = "simulator"
    return response


def answered(made: Grid, text: str = "Fine.") -> list[Result]:
    """Return an answer for each run."""
    return [Result(run, answer(text)) for run in made.runs]


def delta(text: str) -> Event:
    """Return one piece of an answer."""
    kind = "response.output_text.delta"
    return Event(kind, {"type": kind, "output_index": 0, "content_index": 0, "delta": text})


@given(st.lists(st.integers(1, 12), max_size=3), st.integers(1, 4))
def test_every_run_stands_in_one_cell(sizes: list[int], repeat: int) -> None:
    """Whatever the axes' lengths, under headings that fit it; what is not drawn is counted."""
    params = {name: values[:size] for (name, values), size in zip(_VALUES.items(), sizes, strict=False)}
    made = grid(repeat, **params)
    found = arranged(made)
    places = [place for band in found.bands for _, row in band.rows for place in row]
    assert sorted(places) == found.places == sorted(set(places))
    assert len(places) + found.n_hidden == len(made.runs)
    assert len(places) == len(made.runs) or len(places) > MOST_SHOWN - 13
    for band in found.bands:
        assert len(band.headings) <= 4
        for name, row in band.rows:
            assert len(row) == len(band.headings)
            for head, place in zip(band.headings, row, strict=True):
                at = dict(zip((axis.name for axis in made.axes), made.runs[place].point.labels, strict=True))
                at["repeat"] = made.runs[place].repeat
                assert not found.across or str(at[found.across]) == head
                assert all(str(at[part]) in name for part in found.down.split(", ") if part)


def test_two_axes_are_rows_and_columns() -> None:
    """And three repeats are rows, too."""
    found = arranged(grid(model=["a", "b"], effort=["low", "high"]))
    assert (found.down, found.across) == ("model", "effort")
    assert [band.headings for band in found.bands] == [("low", "high")]
    assert [name for name, _ in found.bands[0].rows] == ["a", "b"]
    found = arranged(grid(3, effort=["low", "high"]))
    assert (found.down, found.across) == ("repeat", "effort")
    assert [name for name, _ in found.bands[0].rows] == ["repeat 1", "repeat 2", "repeat 3"]


def test_a_long_axis_is_broken_into_bands() -> None:
    """Of about the same width."""
    assert [len(band.headings) for band in arranged(grid(model=_VALUES["model"][:5])).bands] == [3, 2]


class _Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_hostile_answers_and_headings_do_nothing() -> None:
    """Neither script nor handlers nor frames nor images; links lead to http(s) only, and formulas are left alone."""
    hostile = (
        "<script>x</script><img src=x onerror=y> [a](javascript:z) ![b](http://x/y) $\\href{javascript:1}{2}$"
    )
    made = grid_of("Hello", {"instructions": [hostile, "b"]}, model="gpt-5.4")
    data, _ = multiples_bundle(made, [Result(run, answer(hostile)) for run in made.runs], notes=[hostile])
    parser = _Shown()
    parser.feed(data["text/html"])
    assert {tag for tag, _ in parser.tags} <= {
        "div",
        "p",
        "em",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "a",
        "span",
    }
    assert not any(name.startswith("on") or name == "src" for _, given in parser.tags for name in given)
    assert all(
        (given.get("href") or "").startswith("http")
        for tag, given in parser.tags
        if tag == "a" and "href" in given
    )
    assert "mathjax_ignore" in data["text/html"]


def test_long_answers_are_cut_with_a_note() -> None:
    """Also those of many short lines; code that is cut is closed."""
    made = grid(effort=["low"])
    for text in ("word " * 1000, "```python\n" + "x = 1\n" * 100 + "```"):
        data, _ = multiples_bundle(made, answered(made, text))
        assert len(data["text/html"]) < 4000
        assert "more characters, in the frame." in data["text/html"]
        assert data["text/html"].count("<pre>") == data["text/html"].count("</pre>")


def test_a_large_grid_stays_small() -> None:
    """The display of a thousand runs shows the first, and says so."""
    made = grid(21, model=_VALUES["model"])
    data, metadata = multiples_bundle(made, answered(made, "word " * 1000))
    assert len(data["text/html"]) < 100_000
    assert f"{len(made.runs) - 60:,} more runs not drawn; all are in the frame." in data["text/html"]
    assert len(metadata["cometnb"]["runs"]) == len(made.runs)


def test_the_display_says_how_each_run_ended() -> None:
    """Errors, cut answers, runs that were not made; kept ones are no cost of this cell."""
    made = grid(model=["a", "b", "c", "d"])
    results = [
        Result(made.runs[0], answer("Fine.")),
        Result(made.runs[1], answer("Half", "incomplete")),
        Result(made.runs[2], error=RateLimitError("HTTP 429: too many.", "Wait.")),
        Result(made.runs[3]),
    ]
    data, metadata = multiples_bundle(
        made, [*results[:1], *results[1:]], notes=["Stopped."], with_times=False
    )
    for shown in (data["text/html"], data["text/plain"]):
        assert "HTTP 429: too many." in shown
        assert "not answered" in shown
        assert "incomplete" in shown
        assert "Stopped." in shown
    assert len(metadata["cometnb"]["runs"]) == 2
    assert summary(made, results, with_times=False).startswith(
        "simulator · 4 runs (4 models) · 1 completed, 1 incomplete, "
    )
    assert figures(Result(made.runs[0], answer("Fine."), is_kept=True)).endswith("kept")


def test_where_nobody_watches_one_display_is_left() -> None:
    """Without times, so that it is the same in every run."""
    made = grid(effort=["low", "high"])
    shown = multiples_for("nobody", made, ["head"], lambda: None, {})
    assert isinstance(shown, StillMultiples)
    data, _ = multiples_bundle(made, answered(made), with_times=False, elapsed_s=3.0)
    assert " s<" not in data["text/html"]
    assert "3.0 s" not in data["text/plain"]


def test_a_status_that_a_service_made_up_acts_on_no_terminal() -> None:
    """It stands in the sum and under its answer."""
    made = grid()
    data, _ = multiples_bundle(made, [Result(made.runs[0], answer("x", status="done \x1b[2J"))])
    assert "done [2J" in data["text/plain"]
    assert "\x1b" not in data["text/plain"]


def test_a_terminal_gets_whole_characters() -> None:
    """A label may hold half of one."""
    out = io.StringIO()
    made = grid(user=["a\ud83d", "b"])
    TerminalMultiples(made, ["\ud83d"], out).update({}, answered(made))
    assert "user=a\ufffd" in out.getvalue()
    out.getvalue().encode()


def test_a_terminal_gets_a_line_per_run() -> None:
    """What is asked first, then each run as it ends, then the sum; escape codes do not pass."""
    out = io.StringIO()
    made = grid(effort=["low", "high"])
    shown = TerminalMultiples(made, ["2 runs", "Expected cost: $1"], out)
    results = answered(made, "Red \x1b[31m words.")
    for result in results:
        shown.update({result.run.place: [delta("x")]}, [result])
    shown.finish(results, ["A note."])
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["2 runs", "Expected cost: $1"]
    assert lines[2].startswith("[1/2] · effort=low · 7 tokens")
    assert lines[3].startswith("[2/2] · effort=high · 7 tokens")
    assert lines[-1] == "A note."
    assert "\x1b" not in out.getvalue()


def test_a_key_in_a_heading_is_masked() -> None:
    """Also where it is a value of an axis: the display is saved with the notebook."""
    made = grid(user=["sk-canary1234567890", "b"])
    data, _ = multiples_bundle(made, answered(made))
    assert "canary" not in str(data)
    with_rows = grid(2, user=["sk-canary1234567890", "b"], effort=["low", "high"])
    assert "canary" not in str(arranged(with_rows))


def test_a_call_that_got_no_answer_is_of_no_unknown_cost() -> None:
    """Nothing came that could be billed; an answer without a known price is counted."""
    made = grid(effort=["low", "high"])
    lost = Result(made.runs[0], Response({}), ConnectionFailedError("No connection.", "Check it."))
    unpriced = Result(made.runs[1], Response({**answer("Fine.").raw, "model": "nobody-1"}))
    assert "unknown cost" not in summary(made, [lost, lost])
    assert "1 of unknown cost" in summary(made, [lost, unpriced])


# The live view.


class _Recorded(BaseComm):
    sent: list[dict[str, Any]]

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        # It leaves at once: what is changed in place afterwards is not in it.
        self.__dict__.setdefault("sent", []).append(copy.deepcopy(data or {}))


def recorded(patch: pytest.MonkeyPatch) -> list[_Recorded]:
    """Have comms keep what they would send, and return those that are opened from now on."""
    opened: list[_Recorded] = []

    def create(*args: Any, **kwargs: Any) -> _Recorded:
        opened.append(_Recorded(*args, **kwargs))
        return opened[-1]

    patch.setattr(comm, "create_comm", create)
    return opened


@pytest.fixture
def comms(monkeypatch: pytest.MonkeyPatch) -> list[_Recorded]:
    """The comms that were opened, with what they sent."""
    return recorded(monkeypatch)


def _messages(comms: list[_Recorded]) -> list[dict[str, Any]]:
    return [data["content"] for one in comms for data in one.sent if data.get("method") == "custom"]


def _applied(view: MultiplesView, messages: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Apply messages as the page does, in UTF-16 units, and return blocks and tail of each cell."""
    cells = dict.fromkeys(view.sweep["cells"], ("", b""))
    for message in messages:
        for place, news in message.get("cells", {}).items():
            blocks, tail = cells[place]
            if "keep" in news:
                tail = tail[: 2 * news["keep"]] + news["add"].encode("utf-16-le")
            cells[place] = (blocks + "".join(news.get("blocks", ())), tail)
    return {place: (blocks, tail.decode("utf-16-le")) for place, (blocks, tail) in cells.items()}


@given(st.lists(st.text(st.sampled_from("ab *`_#-\n|😀é$<"), max_size=12), max_size=30), st.integers(0, 1))
def test_a_page_that_gets_all_messages_has_what_a_page_has_that_asks(pieces: list[str], cut: int) -> None:
    """However the text is cut, also through emoji and open formatting."""
    with pytest.MonkeyPatch.context() as patch:
        opened = recorded(patch)
        made = grid(effort=["low", "high"])
        view = MultiplesView(made, "head")
        for at, piece in enumerate(pieces):
            view.update({(at + cut) % 2: [delta(piece)]}, [], f"{at}", 0.0)
        view.update({}, [Result(made.runs[0], answer("".join(pieces)))], "", 0.0)
        applied = _applied(view, _messages(opened))
        asked = {
            place: ("".join(cell["blocks"]), cell["tail"]) for place, cell in view.sweep["cells"].items()
        }
        assert applied == asked
        assert asked["0"][1] == ""
        view.close()


def test_all_cells_share_one_message_a_tick_and_traffic_is_linear(comms: list[_Recorded]) -> None:
    """Twelve streams of 500 pieces: as many messages as ticks, and four times the text at most in plain prose."""
    made = grid(model=_VALUES["model"])
    view = MultiplesView(made, "head")
    words = [f"word{number} " for number in range(500)]
    for start in range(0, 500, 10):
        view.update(
            {place: [delta(word) for word in words[start : start + 10]] for place in range(12)},
            [],
            "foot",
            0.0,
        )
    sent = _messages(comms)
    assert len(sent) == 50
    n_bytes = sum(len(json.dumps(message)) for message in sent)
    assert n_bytes < 4 * 12 * len("".join(words))
    assert [message["n"] for message in sent] == list(range(1, 51))
    view.close()


def test_nothing_new_sends_nothing(comms: list[_Recorded]) -> None:
    """A tick in which nothing came costs nothing."""
    view = MultiplesView(grid(effort=["low", "high"]), "head")
    for _ in range(3):
        view.update({}, [], "0 of 2 runs ended", 0.0)
    assert len(_messages(comms)) == 1
    view.close()


def test_a_view_that_the_display_does_not_replace_is_finished_in_place(comms: list[_Recorded]) -> None:
    """After a reload, and in a copy of the cell, which asks for nothing."""
    WatchedMultiples(grid(effort=["low"]), ["head"]).finish(answered(grid(effort=["low"])))
    assert _messages(comms)[-1]["is_done"]


def test_stop_is_heard(comms: list[_Recorded]) -> None:
    """The button ends the sweep."""
    stopped: list[bool] = []
    view = MultiplesView(grid(effort=["low", "high"]), "head", lambda: stopped.append(True))
    view._received(view, {"op": "stop"}, [])
    view._received(view, "anything", [])
    assert stopped == [True]
    view.close()


def test_an_answer_that_did_not_stream_is_shown_at_its_end(comms: list[_Recorded]) -> None:
    """One that was kept, or came whole; an error in its place."""
    made = grid(effort=["low", "high"])
    view = MultiplesView(made, "head")
    view.update({}, [Result(made.runs[0], answer("**Kept.**"), is_kept=True)], "", 0.0)
    view.update({}, [Result(made.runs[1], error=RateLimitError("HTTP 429.", "Wait."))], "", 0.0)
    cells = view.sweep["cells"]
    assert "<strong>Kept.</strong>" in "".join(cells["0"]["blocks"])
    assert cells["0"]["line"].endswith("kept")
    assert (cells["1"]["state"], cells["1"]["line"]) == ("failed", "HTTP 429. · error")
    view.close()


def test_sizes_of_bands_add_up() -> None:
    """No column is lost when a long axis is broken."""
    for size, other in itertools.product(range(1, 13), (1, 3)):
        made = grid(model=_VALUES["model"][:size], temperature=_VALUES["temperature"][:other])
        found = arranged(made)
        assert sum(prod((len(band.headings), len(band.rows))) for band in found.bands) == size * other


def test_a_sweep_opens_one_comm_and_closes_it(comms: list[_Recorded]) -> None:
    """But for the latest two views, which stay for a page that was reloaded; no Layout comes with them."""
    made = grid(effort=["low", "high"])
    before = set(models._instances)
    for n_sweeps in range(1, 6):
        shown = WatchedMultiples(made, ["head"])
        shown.update({0: [delta("x")]}, [])
        shown.finish(answered(made))
        assert len(comms) == n_sweeps
        # Of earlier tests, up to two are closed here.
        assert len(set(models._instances) - before) <= 2
    assert [one._closed for one in comms] == [True, True, True, False, False]
