"""What a service says besides its answer, in every field: shown, sent to a front end, stored, saved and exported."""

from __future__ import annotations

import io
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cometnb.errors import CometError
from cometnb.ledger import Ledger
from cometnb.panel.card import card
from cometnb.panel.history import Run, frame
from cometnb.panel.panel import Panel
from cometnb.panel.tabs import TABS, Picked, page_of
from cometnb.protocol.event_log import EventLog
from cometnb.protocol.events import Event
from cometnb.protocol.exchange import encoded
from cometnb.protocol.failure import api_error, error_details, failed_error
from cometnb.protocol.response import Response
from cometnb.session.batch.checkpoint import ANSWERED, FAILED, Checkpoint
from cometnb.session.batch.job import Job, Outcome
from cometnb.session.batch.record import error_of, error_record, response_of, response_record
from cometnb.session.batch.results import Results
from cometnb.session.conversation import Conversation
from cometnb.session.sweep import grid_of
from cometnb.session.sweep_frame import Result, frame_of
from cometnb.session.turn_stream import ASKED, CALLED
from cometnb.view import publish as door
from cometnb.view.feed import Feed
from cometnb.view.live import LiveAnswer, TerminalAnswer
from cometnb.view.mime import bundle
from cometnb.view.multiples import multiples_bundle
from cometnb.view.multiples_widget import MultiplesView
from cometnb.view.spending import BudgetLeft, Figures, Point, bundle_of, drawn
from cometnb.view.spending_panel import SpendingView
from cometnb.view.tree import as_markdown, as_text
from cometnb.view.widget import LiveView
from tests.fuzz.looking import check_error, check_row, check_text
from tests.fuzz.showing import check_plain, check_sent, check_shown_html
from tests.fuzz.target import Target
from tests.fuzz.targets.cell_text import text_of
from tests.ledger.attempts import an_attempt
from tests.view.test_multiples import recorded

__all__ = ["TARGETS", "events_saying", "response_saying", "said_kept", "said_shown"]

_LONGEST = 500


def response_saying(text: str, status: str) -> Response:
    """Return an answer whose every field holds the text."""
    source = {"type": "url_citation", "url": text, "title": text, "file_id": text}
    output = [
        {"type": "message", "id": text, "content": [{"type": "output_text", "text": text, "annotations": [source]}]},
        {"type": "function_call", "id": text, "name": text, "arguments": text, "call_id": text},
        {"type": "function_call_output", "id": text, "call_id": text, "output": text},
        {"type": "reasoning", "id": text, "encrypted_content": text, "summary": [{"type": "summary_text", "text": text}]},
        {"type": f"{text}_call", "id": text, "status": text, "action": {"query": text}},
        {"type": text, "id": text, text: text},
    ]  # fmt: skip
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5, "cost": math.nan, text: text}
    names = ("id", "model", "service_tier", "previous_response_id")
    raw = {**dict.fromkeys(names, text), "output": output, "usage": usage, "metadata": {text: text}}
    raw |= {"incomplete_details": {"reason": text}, "error": {"message": text, "code": text, "param": text}}
    response = Response(raw | {"status": status}, request_id=text)
    response.event_log = EventLog()
    response.event_log.add(0.1, [Event(text, {"delta": text, "output_index": 0})])
    return response


def _errors(text: str) -> list[CometError]:
    said = {"error": {"message": f"{text} (request id: {text})", "code": text, "param": text, "type": text}}
    found = [api_error(status, said, model=text) for status in (400, 404, 429, 500)]
    return [*found, failed_error(error_details(said))]


def said_kept(data: bytes) -> None:
    """Keep it: in the ledger, a conversation, a checkpoint and every frame; each can be written out and read again."""
    text = text_of(data)[:_LONGEST]
    response, errors = response_saying(text, ""), _errors(text)
    for error in errors:
        check_error(error)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _keep_in_ledger(response, folder)
        _keep_in_conversation(response, folder)
        _keep_in_checkpoint(response, errors, folder)
    made = grid_of("Hello", {"temperature": [0, 1]}, model=text if text.strip() else "m")
    _check_frame(frame_of(made, [Result(made.runs[0], response), Result(made.runs[1], response, errors[0])]))
    results = Results(2)
    results.take(Outcome(Job("a", {}), response))
    results.take(Outcome(Job("b", {}, place=1), None, errors[1]))
    import pandas as pd

    _check_frame(results.frame(pd.RangeIndex(2)))


def _check_frame(table: Any) -> None:
    table.to_csv(io.BytesIO(), index=False)
    table.to_json(date_format="iso")
    check_shown_html(table._repr_html_().replace("<style scoped>", "<style>"))


def _keep_in_ledger(response: Response, folder: Path) -> None:
    attempt = an_attempt(response=response, status=response.status)
    check_row(attempt)
    ledger = Ledger(folder / "ledger.sqlite3", stores_text=True)
    try:
        ledger(attempt)
        assert ledger.flush(timeout_s=60)
        table = ledger.usage()
        assert len(table) == 1
        _check_frame(table)
        ledger.export(folder / "usage.csv")
    finally:
        ledger.close()


def _keep_in_conversation(response: Response, folder: Path) -> None:
    chat = Conversation("c")
    for _ in range(2):
        turn = chat.begin("Hi")
        encoded(chat.request(turn, "https://a.b/v1", {"model": "m"}))
        chat.add(turn, response, "https://a.b/v1", {"model": "m"})
        chat.settle(turn)
    chat.save(folder / "chat.json")
    again = Conversation.load(folder / "chat.json")
    assert len(again.turns) == len(chat.turns) == 2
    for one in (chat, again):
        check_plain(as_text(one))
        check_text(as_markdown(one))
        encoded(one.request(one.begin("More"), "https://other.b/v1", {"model": "m"}))


def _keep_in_checkpoint(response: Response, errors: list[CometError], folder: Path) -> None:
    file = folder / "rows.sqlite"
    with Checkpoint(file, batch="b", title=str(response.id)) as kept:
        kept.put("a", ANSWERED, response_record(response))
        kept.put("b", FAILED, error_record(errors[0]))
    with Checkpoint(file, batch="b", title=str(response.id)) as kept:
        answered, failed = kept.get("a"), kept.get("b")
        assert answered is not None
        assert failed is not None
        assert response_of(answered.record).id == response.id
        assert error_of(failed.record).fact == errors[0].fact


def said_shown(data: bytes) -> None:
    """Show it: as Markdown, HTML and text, live and at the end; all of it can be sent, and none of it acts."""
    text = text_of(data)[:_LONGEST]
    sent: list[Any] = []

    def publish(shown: Any, metadata: Any, **_: Any) -> None:
        sent.append((shown, metadata))

    with pytest.MonkeyPatch.context() as patch:
        comms = recorded(patch)
        patch.setattr(door, "publish_display_data", publish)
        for status in ("completed", "failed", text):
            _show(response_saying(text, status), text)
        _show_sweep(text)
        _show_panel(text)
        _show_spending(text)
        for one in comms:
            check_sent(getattr(one, "sent", []))
    check_sent(sent)
    for shown, _ in sent:
        check_plain(shown.get("text/plain", ""))
        if "text/html" in shown:
            check_shown_html(shown["text/html"])


def events_saying(text: str) -> list[Event]:
    """Return events whose every field holds the text."""
    call = {"type": "function_call", "name": text, "call_id": text, "arguments": text}
    source = {"type": "url_citation", "url": text, "title": text}
    raws: list[dict[str, Any]] = [
        {"type": "response.output_item.added", "item": {"type": text}, "output_index": 0},
        {"type": "response.output_item.done", "item": call, "output_index": 1},
        {"type": "response.output_text.delta", "delta": text, "output_index": 0},
        {"type": "response.output_text.annotation.added", "annotation": source, "output_index": 0},
        {"type": "response.reasoning_summary_text.delta", "delta": text, "output_index": 2},
        {"type": "response.refusal.delta", "delta": text, "output_index": 0},
        {"type": ASKED, "call_id": text, "name": text, "arguments": text},
        {"type": CALLED, "call_id": text, "name": text, "arguments": text},
        {"type": text or "x", text: text},
    ]
    return [Event(raw["type"], raw) for raw in raws]


def _show(response: Response, text: str) -> None:
    live, out = LiveAnswer(text), io.StringIO()
    terminal, feed = TerminalAnswer(out), Feed(LiveView(text))
    for event in events_saying(text):
        live.update([event])
        terminal.update([event])
        feed.update([event], waiting=text)
    live.finish(response, notes=(text,))
    terminal.finish(response, notes=(text,))
    check_plain(out.getvalue())
    feed.view.tell(**feed.last(response))
    feed.view.send_state()
    feed.view.close()
    door.publish(*bundle(response))


def _show_sweep(text: str) -> None:
    made = grid_of("Hello", {"temperature": [0, 1], "user": [text, "a"]}, model="m")
    errors = _errors(text)
    statuses = ("completed", text, "failed")
    results = [
        Result(run, response_saying(text, status)) for run, status in zip(made.runs, statuses, strict=False)
    ]
    results.append(Result(made.runs[3], None, errors[0]))
    view = MultiplesView(made, text)
    view.update({run.place: events_saying(text) for run in made.runs}, results, text, 1.0)
    view.end(text)
    view.send_state()
    view.close()
    shown, metadata = multiples_bundle(made, results, notes=(text,))
    door.publish(shown, metadata)


def _show_spending(text: str) -> None:
    points = [Point("a", 0.1, 3, text), Point("b", math.nan, None, text, is_simulated=True)]
    figures = Figures(n_attempts=2, budget=BudgetLeft(text, math.nan), points=points)
    table = bundle_of(figures, "12:00")
    assert "<" not in table["text/markdown"]
    door.publish(table)
    SpendingView(drawn(figures)).close()


def _show_panel(text: str) -> None:
    panel, runs = Panel(text, namespace={}, params={"temperature": 0.5, "user": text}), list[Run]()
    try:
        for number, error in enumerate(_errors(text)[:2], 1):
            run = Run(number, panel.settings, request={"model": text})
            run.finish(response_saying(text, text if number == 1 else "failed"), error, (text,))
            runs.append(run)
        for name, value in (("runs", tuple(runs)), ("response", runs[0].response), ("notes", (text,))):
            panel.set_trait(name, value)
        panel.set_trait("error", runs[0].error)
        door.publish(card(panel))
        for tab in TABS:
            door.publish(
                {"application/json": page_of(panel, tab, Picked(runs=[run.run_id for run in panel.runs]))}
            )
        _check_frame(frame(panel.runs))
    finally:
        panel.close()


def _seeds() -> Iterator[bytes]:
    yield b"<img src=x onerror=alert(1)> \x1b[31mred\x1b[0m <!-- c --> |a|b| $\\href{javascript:x}{y}$"
    yield b"x\xed\xa0\xbd"
    yield b"\xed\xb8\x80 y \xed\xa0\xbd\xed\xb8\x80"
    yield b""
    yield b"message"
    yield b"a\nb\r\nc\0d\xc2\x9be\xe2\x80\xaef"
    yield b"[a](javascript:alert(1)) ![i](https://e.v/?q=1) <https://a.b> [b]: data:text/html,x"
    yield b"```html\n<script>\n``` `x` </td></tr></table><script>alert(1)</script>"


_TOKENS = (
    b"<", b">", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\x1b[2J", b"\0", b"\n", b"|", b"</td>",
    b"<script>", b"](", b"![", b"`", b"$", b"{", b"}", b"%s", b"javascript:", b"https://a.b", b"\xc2\x85", b"'", b'"',
)  # fmt: skip

TARGETS = (
    Target("said_kept", said_kept, _seeds, tokens=_TOKENS, limit_s=10.0, n_tested=4),
    Target("said_shown", said_shown, _seeds, tokens=_TOKENS, limit_s=10.0, n_tested=8),
)
