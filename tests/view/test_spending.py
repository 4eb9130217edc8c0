"""The live cost panel: what it says of figures, when it is told new ones, and that nothing of it is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from math import nan
from threading import Event, get_ident
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.client.attempt import Attempt, Observer
from cometnb.protocol import readers
from cometnb.protocol.cost import Cost
from cometnb.protocol.response import Response
from cometnb.protocol.usage import Usage
from cometnb.session.tally import Spent, Tally
from cometnb.view import spending_panel
from cometnb.view.neutral import plain_markdown
from cometnb.view.spending import BudgetLeft, Figures, Point, bundle_of, drawn, rows_of
from cometnb.view.spending_panel import Paced, SpendingPanel
from tests.ledger.attempts import USAGE, an_attempt

_WAIT_S = 20.0


def _point(usd: float = 0.01, tokens: int | None = 100, *, is_simulated: bool = False) -> Point:
    return Point("call", usd, tokens, "what it was", is_simulated=is_simulated)


# What figures say.


def test_before_the_first_call_nothing_is_claimed() -> None:
    """No money, no tokens, no line; and not "not reported", since there was nothing to report."""
    shown = drawn(Figures())
    assert (shown["amount"], shown["count"], shown["calls"]) == ("$0.00", "no calls yet", None)
    assert [bar["words"] for bar in shown["tokens"]] == ["none yet", "none yet"]


def test_what_is_not_known_is_not_nothing() -> None:
    """Where no price is known there is no amount; where some are, the others are counted and said."""
    unknown = drawn(Figures(1, spent=Spent(n_unpriced=1)))
    assert unknown["amount"] == "not known"
    assert not unknown["is_known"]
    some = drawn(Figures(5, spent=Spent(usd=0.25, n_priced=3, n_unpriced=2)))
    assert some["amount"] == "$0.25"
    assert some["notes"] == ["2 attempts of unknown cost are in no sum"]


def test_simulated_money_stands_apart() -> None:
    """It is in no sum of real money, and where tokens are of both kinds that is said."""
    shown = drawn(Figures(2, spent=Spent(usd=0.25, n_priced=1, simulated_usd=0.5, n_simulated=1)))
    assert (shown["amount"], shown["simulated"]) == ("$0.25", "$0.50")
    assert "tokens include those of simulated calls" in shown["notes"]
    assert drawn(Figures(1, spent=Spent(simulated_usd=0.5, n_simulated=1)))["amount"] == "$0.00"


def test_estimates_and_silence_are_said() -> None:
    """Attempts whose tokens were estimated, and those without any."""
    shown = drawn(Figures(3, 1, Spent(usd=0.25, n_priced=2, n_estimated=1)))
    assert shown["notes"] == ["1 attempt of estimated cost", "1 attempt without reported usage"]


def test_fees_of_tools_are_said() -> None:
    """They come on top of what the tokens cost."""
    notes = drawn(Figures(3, spent=Spent(fees_usd=0.02, n_unknown_fees=1)))["notes"]
    assert ", ".join(notes).endswith("on top: $0.020, 1 attempt with tool fees that are not known")


def test_tokens_are_shown_by_kind() -> None:
    """Cached is part of the input, reasoning part of the output; each with its share."""
    sent, got = drawn(Figures(1, usage=Usage(USAGE)))["tokens"]
    assert (sent["words"], got["words"]) == ("120 tokens", "300 tokens")
    assert [part["words"] for part in sent["parts"]] == ["20 cached (17%)", "100 not cached (83%)"]
    assert [part["words"] for part in got["parts"]] == ["64 reasoning (21%)", "236 visible (79%)"]
    written = Usage(dict(USAGE) | {"input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 40}})
    (sent, _) = drawn(Figures(1, usage=written))["tokens"]
    assert [part["kind"] for part in sent["parts"]] == ["cached", "cache write", "not cached"]


def test_a_part_that_is_not_reported_leaves_the_rest_unnamed() -> None:
    """Who does not say how much was reasoning has not said that none was."""
    (_, got) = drawn(Figures(1, usage=Usage({"input_tokens": 10, "output_tokens": 20})))["tokens"]
    assert [part["words"] for part in got["parts"]] == ["reasoning not reported", ""]
    (sent, got) = drawn(Figures(1, usage=Usage({"output_tokens": 20})))["tokens"]
    assert (sent["words"], sent["parts"]) == ("not reported", [])


def test_the_line_shows_cost_and_leaves_gaps() -> None:
    """A call whose cost is not known is a mark of its own, not a call for nothing."""
    calls = drawn(Figures(3, points=[_point(0.01), _point(nan), _point(0.02)]))["calls"]
    assert [point["share"] for point in calls["points"]] == [0.5, None, 1.0]
    assert (calls["caption"], calls["range"], calls["last"]) == ("cost per call", "up to $0.020", "$0.020")
    assert calls["said"] == "cost per call, the last 3 calls: up to $0.020, the last one $0.020"
    assert "dashed: not known" in calls["count"]


def test_without_any_price_the_line_shows_tokens() -> None:
    """They are known, and they are what the cost would follow."""
    calls = drawn(Figures(2, points=[_point(nan, 50), _point(nan, None)]))["calls"]
    assert [point["share"] for point in calls["points"]] == [1.0, None]
    assert (calls["caption"], calls["range"], calls["last"]) == (
        "tokens per call",
        "up to 50 tokens",
        "not known",
    )


def test_where_nothing_is_known_the_line_says_so() -> None:
    """It does not say "up to nothing"."""
    calls = drawn(Figures(1, points=[_point(nan, None)]))["calls"]
    assert (calls["range"], calls["said"]) == (
        "not known",
        "tokens per call, the last call: not known, the last one not known",
    )


def test_marks_are_explained_where_they_differ() -> None:
    """Outlined bars are simulated calls; where all are, there is nothing to tell apart."""
    mixed = drawn(Figures(2, points=[_point(), _point(is_simulated=True)]))["calls"]
    assert mixed["count"] == "the last 2 calls; outlined: simulated"
    alike = drawn(Figures(1, points=[_point(is_simulated=True)]))["calls"]
    assert alike["count"] == "the last call"


def test_the_table_holds_the_same_figures_three_ways() -> None:
    """As HTML, Markdown and text: each row's words, whatever shows the file."""
    budget = BudgetLeft("$0.25 left of $0.50 for this kernel", 0.5)
    figures = Figures(2, 0, Spent(usd=0.25, n_priced=2), Usage(USAGE), budget, [_point(), _point(0.02)])
    bundle = bundle_of(figures, "14:03:22")
    assert set(bundle) == {"text/html", "text/markdown", "text/plain"}
    rows = rows_of(figures)
    assert [name for name, _ in rows] == ["spent", "budget", "attempts", "input", "output", "cost per call"]
    for name, words in rows:
        assert f"  {name:13}  {words}" in bundle["text/plain"]
        assert all(word in bundle["text/html"] for word in (name, words))
        assert f"| {name} | {plain_markdown(words)} |" in bundle["text/markdown"]
    assert all("14:03:22" in text for text in bundle.values())


def test_names_of_chats_are_words_and_nothing_more() -> None:
    """A budget per chat shows the chat's name, and that is whatever somebody called it."""
    hostile = "$0.25 left of the chat '<img src=x onerror=alert(1)>|[x](javascript:1)'"
    bundle = bundle_of(Figures(budget=BudgetLeft(hostile, 0.5)))
    assert "<img" not in bundle["text/html"]
    assert "<img" not in bundle["text/markdown"]
    assert r"\|&#91;x&#93;(javascript:1)" in bundle["text/markdown"]
    assert r"\$0.25" in bundle["text/markdown"]


_COUNTS = st.none() | st.integers(0, 10**12)


@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.floats(0, 1e6) | st.just(nan), _COUNTS, st.booleans()), max_size=5),
    st.fixed_dictionaries(dict.fromkeys(("input_tokens", "output_tokens"), _COUNTS)),
    _COUNTS,
    st.floats(-2, 2),
)
def test_any_figures_can_be_sent_and_drawn(
    n_attempts: int,
    calls: list[tuple[float, int | None, bool]],
    counts: dict[str, int | None],
    reasoning: int | None,
    share: float,
) -> None:
    """They are JSON without NaN, which no page could read, and nothing is longer than its place."""
    usage = Usage(counts | {"output_tokens_details": {"reasoning_tokens": reasoning}})
    points = [_point(usd, tokens, is_simulated=free) for usd, tokens, free in calls]
    shown = drawn(Figures(n_attempts, 0, Spent(), usage, BudgetLeft("left", share), points))
    json.dumps(shown, allow_nan=False)
    shares = [part["share"] for bar in shown["tokens"] for part in bar["parts"]]
    shares += [point["share"] for point in (shown["calls"] or {"points": []})["points"]]
    assert all(one is None or 0 <= one <= 1 for one in [*shares, shown["budget"]["share"]])


# When it is told.


class _Page:
    """The front end's door, and the kernel's attempts: what the panel showed, and a way to end an attempt."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.watchers: list[Observer] = []
        self.displays: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self._seen = 0
        self._updated = Event()

    def publish(
        self, data: dict[str, Any], metadata: Any = None, *, display_id: str = "", is_update: bool = False
    ) -> None:
        (self.updates if is_update else self.displays).append(data)
        if is_update:
            self._updated.set()

    def watch(self, callback: Observer) -> Callable[[], None]:
        self.watchers.append(callback)
        return lambda: self.watchers.remove(callback)

    def figures(self) -> Figures:
        tally = self.tally
        return Figures(tally.n_attempts, tally.n_unreported, tally.spent, tally.usage)

    def end(self, attempt: Attempt) -> None:
        self.tally(attempt)
        for watcher in self.watchers:
            watcher(attempt)

    def wait(self) -> dict[str, Any]:
        """Wait for the next update of the table."""
        assert self._updated.wait(_WAIT_S)
        self._updated.clear()
        return self.updates[-1]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Page]:
    """One, with the panel's door to the front end."""
    one = _Page()
    monkeypatch.setattr(spending_panel, "publish", one.publish)
    monkeypatch.setitem(readers._READERS, "cost", _price)
    yield one
    assert one.watchers == []


def _price(response: Response) -> Cost:
    """A quarter a call that reports its usage."""
    return Cost(0.25 if response.usage else nan)


def _panel(page: _Page) -> SpendingPanel:
    return SpendingPanel(page.figures, page.watch, lambda: datetime(2026, 11, 21, 14, 3, 22, tzinfo=UTC))


def test_it_begins_with_what_was_used_before(page: _Page) -> None:
    """A kernel that has spent money shows it at once, in the panel and in the table."""
    page.tally(an_attempt())
    panel = _panel(page)
    table, view = page.displays
    assert "$0.25" in table["text/plain"]
    assert "2026-11-21 14:03:22" in table["text/plain"]
    assert panel._view.figures["amount"] == "$0.25"
    assert view["application/vnd.jupyter.widget-view+json"]["model_id"] == panel._view.model_id
    panel.close()


def test_a_call_that_ends_is_shown(page: _Page) -> None:
    """In the panel and in the table, whatever thread it ended on."""
    panel = _panel(page)
    page.end(an_attempt())
    assert "$0.25" in page.wait()["text/plain"]
    shown = panel._view.figures
    assert (shown["amount"], shown["count"], shown["moment"]) == ("$0.25", "1 attempt", "14:03:22")
    assert [point["share"] for point in shown["calls"]["points"]] == [1.0]
    panel.close()


def test_attempts_of_one_call_are_one_point(page: _Page) -> None:
    """What they cost adds up, and what is unknown of one is unknown of the call."""
    panel = _panel(page)
    for usage in (USAGE, USAGE, None):
        page.tally(an_attempt(usage=usage, call_id="retried"))
        panel._take(an_attempt(usage=usage, call_id="retried"))
        panel.draw()
        if usage is not None:
            last = panel._view.figures["calls"]
    assert (last["last"], len(last["points"])) == ("$0.50", 1)
    last = panel._view.figures["calls"]
    assert (last["last"], len(last["points"])) == ("not known", 1)
    panel.close()


def test_what_was_never_sent_cost_nothing(page: _Page) -> None:
    """A refused call is a point of its own at zero, and says so."""
    panel = _panel(page)
    page.end(an_attempt(usage=None, status="refused_by_budget", error_code="budget"))
    page.wait()
    (point,) = panel._view.figures["calls"]["points"]
    assert point["words"] == "refused by budget: nothing was sent"
    panel.close()


def test_prices_are_looked_up_on_the_panel_s_own_thread(page: _Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take a while to load, and a call must not wait for a display of it."""
    threads: list[int] = []

    def price(response: Response) -> Cost:
        threads.append(get_ident())
        return Cost(0.01)

    monkeypatch.setitem(readers._READERS, "cost", price)
    panel = _panel(page)
    page.end(an_attempt())
    page.wait()
    assert threads
    assert get_ident() not in threads
    panel.close()


def test_the_line_is_as_long_as_its_place(page: _Page) -> None:
    """However many calls there were, their latest are drawn, and the others are not kept."""
    panel = _panel(page)
    for number in range(100):
        panel._take(an_attempt(number))
    panel.draw()
    assert len(panel._view.figures["calls"]["points"]) == len(panel._points) == 40
    panel.close()


def test_a_closed_panel_leaves_its_table_and_nothing_else(page: _Page) -> None:
    """No observer, no comm, no message; the table has what had not been drawn yet."""
    panel = _panel(page)
    take = page.watchers[0]
    page.tally(an_attempt())
    panel.close()
    assert page.watchers == []
    assert "$0.25" in page.updates[-1]["text/plain"]
    assert panel._view.comm is None
    n_updates = len(page.updates)
    take(an_attempt())
    panel.draw()
    assert len(page.updates) == n_updates
    assert not panel.is_open


def test_reset_empties_the_line(page: _Page) -> None:
    """The sums are the tally's; the line is the panel's own."""
    panel = _panel(page)
    page.end(an_attempt())
    page.wait()
    page.tally.clear()
    panel.forget()
    shown = panel._view.figures
    assert (shown["amount"], shown["calls"]) == ("$0.00", None)
    panel.close()


def test_what_is_asked_while_it_works_is_done_once() -> None:
    """A hundred calls that end together are one message more."""
    begun, go_on, done = Event(), Event(), Event()
    acts: list[int] = []

    def act() -> None:
        acts.append(get_ident())
        (done if len(acts) == 2 else begun).set()
        assert go_on.wait(_WAIT_S)

    paced = Paced(act, 0.0)
    paced.ask()
    assert begun.wait(_WAIT_S)
    for _ in range(100):
        paced.ask()
    go_on.set()
    assert done.wait(_WAIT_S)
    paced.close()
    assert len(acts) == 2


def test_an_act_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that could not be told is told the next time."""
    failed, done = Event(), Event()
    monkeypatch.setattr("threading.excepthook", lambda _: failed.set())
    acts: list[bool] = []

    def act() -> None:
        acts.append(True)
        if len(acts) == 1:
            raise OSError("the page is gone")
        done.set()

    paced = Paced(act, 0.0)
    paced.ask()
    assert failed.wait(_WAIT_S)
    paced.ask()
    assert done.wait(_WAIT_S)
    paced.close()


def test_after_it_is_closed_nothing_is_done() -> None:
    """Also not what was asked before."""
    acts: list[bool] = []
    times = iter([0.0, 0.2, 0.4])
    paced = Paced(lambda: acts.append(True), 0.5, lambda: next(times))
    paced._due_s = 0.2
    paced.ask()
    timer = paced._timer
    assert timer is not None
    paced.close()
    paced.ask()
    timer.join(_WAIT_S)
    assert not timer.is_alive()
    assert acts == []
