"""What the tabs of a panel show, in words that the page only has to draw."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import isnan
from typing import TYPE_CHECKING, Any

from cometnb.errors import CometError
from cometnb.panel.difference import Difference
from cometnb.panel.history import Run
from cometnb.panel.packing import without_key
from cometnb.panel.values import summary, values_of
from cometnb.protocol.cost import dollars
from cometnb.protocol.response import Response
from cometnb.session.export import FORMS
from cometnb.session.settings import Settings

if TYPE_CHECKING:
    from cometnb.panel.panel import Panel

__all__ = ["CODE_FORMS", "TABS", "Picked", "page_of", "shown_difference"]

TABS = ("answer", "request", "code", "events", "usage", "runs", "compare")
CODE_FORMS = ("cell", *FORMS)

# A page is for reading; the frames have everything.
_MOST_LINES = 200
_MOST_CHARACTERS = 200_000


@dataclass(slots=True)
class Picked:
    """What the reader has chosen in the tabs.

    Attributes
    ----------
    form : str
        Which code is shown.
    asked_for : Settings or None
        The settings for which it was pressed: only then is what stands in braces evaluated.
    filled : tuple or None
        The settings, the form and the page that came of it.
    runs : list of str
        The ids of at most two runs, the earlier choice first.
    is_diff : bool
        Whether columns are shown as differences.
    """

    form: str = "cell"
    asked_for: Settings | None = None
    filled: tuple[Settings, str, dict[str, Any]] | None = None
    runs: list[str] = field(default_factory=list)
    is_diff: bool = False

    def pick(self, run_id: str, is_picked: bool) -> None:
        """Mark a run, or take its mark away; the oldest of three marks goes."""
        self.runs = [one for one in self.runs if one != run_id] + ([run_id] if is_picked else [])
        self.runs = self.runs[-2:]


def page_of(panel: Panel, tab: str, picked: Picked) -> Any:
    """Return what a tab shows at this moment, as JSON without keys: a front end may save it with the notebook."""
    return without_key(_page(panel, tab, picked))


def _page(panel: Panel, tab: str, picked: Picked) -> Any:
    if tab == "answer":
        return _answer(panel)
    if tab == "request":
        return _request(panel)
    if tab == "code":
        return _code(panel, picked)
    if tab == "runs":
        return _runs(panel.runs, picked)
    if tab == "compare":
        return _compare(panel, picked)
    response = panel.response
    return _usage(response) if tab == "usage" else _events(response)


def _answer(panel: Panel) -> list[dict[str, Any]]:
    if panel.running:
        return []
    notes = [{"words": str(note), "is_bad": False} for note in panel.notes]
    return notes + ([{"words": str(panel.error), "is_bad": True}] if panel.error is not None else [])


def _request(panel: Panel) -> dict[str, Any]:
    literal = panel.settings.is_literal
    note = "" if literal else "What {{ }}, attachments and functions stand for is filled in when it runs."
    text = without_key(json.dumps(panel.request, indent=2, ensure_ascii=False))
    return {"text": text[:_MOST_CHARACTERS], "problem": panel.problem, "note": note}


def _code(panel: Panel, picked: Picked) -> dict[str, Any]:
    settings, form = panel.settings, picked.form
    if form == "cell" or settings.is_literal:
        return _written(panel, form)
    # The other forms hold what {{ }} stands for, and evaluating it is for a person to ask for, once.
    if picked.filled is not None and picked.filled[:2] == (settings, form):
        return picked.filled[2]
    if settings != picked.asked_for:
        words = f"Press {form} once more to evaluate {{{{ }}}} and read attachments for these settings."
        return {"form": form, "forms": list(CODE_FORMS), "text": "", "problem": words}
    picked.filled = (settings, form, _written(panel, form))
    return picked.filled[2]


def _written(panel: Panel, form: str) -> dict[str, Any]:
    text = problem = ""
    try:
        text = panel.code(form)
    except CometError as error:
        problem = str(error)
    return {
        "form": form,
        "forms": list(CODE_FORMS),
        "text": without_key(text)[:_MOST_CHARACTERS],
        "problem": problem,
    }


def _events(response: Response | None) -> dict[str, Any]:
    frame = response.events_frame() if response is not None else None
    if frame is None or frame.empty:
        return {"note": "No events yet: they come with a streamed run.", "lines": []}
    rows = list(
        zip(frame["at_s"], frame["type"], frame["kind"], frame["n_characters"].fillna(0), strict=True)
    )
    end_s = rows[-1][0] or 1.0
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row[1])]
    lines = [_event_line(group, end_s) for group in groups[-_MOST_LINES:]]
    left = f"; the last {_MOST_LINES} groups" if len(groups) > _MOST_LINES else ""
    note = f"{len(rows):,} events in {end_s:.2f} s, those of one kind in a row as one line{left}."
    return {"note": f"{note} All of them: panel.response.events_frame()", "lines": lines}


def _event_line(group: Sequence[tuple[float, str, str, int]], end_s: float) -> dict[str, Any]:
    start, last = group[0][0], group[-1][0]
    n_characters = sum(int(row[3]) for row in group)
    return {
        "from": f"{start:.3f} s",
        "type": group[0][1],
        "kind": group[0][2],
        "n": f"{len(group):,}",
        "n_characters": f"{n_characters:,}" if n_characters else "",
        "span": f"{start:.3f} s to {last:.3f} s",
        "start": round(start / end_s, 4),
        "share": round((last - start) / end_s, 4),
    }


def _usage(response: Response | None) -> dict[str, Any]:
    if response is None:
        return {"note": "Nothing used yet.", "figures": []}
    usage, is_estimated = response.usage, False
    if not usage and response.estimated_usage:
        usage, is_estimated = response.estimated_usage, True
    most = max(filter(None, (usage.input_tokens, usage.output_tokens)), default=0)
    figures = [
        _count("input tokens", usage.input_tokens, "input", most),
        _count("of them from the cache", usage.cached_tokens, "cached", most),
        _count("output tokens", usage.output_tokens, "text", most),
        _count("of them reasoning", usage.reasoning_tokens, "reasoning", most),
    ]
    cost, timing = response.cost, response.timing
    words = {
        "cost": f"{dollars(cost.usd)} · {cost.source}" if cost.is_known else cost.source,
        "fees of tools": cost.fees,
        "first token": _seconds(timing.ttft_s),
        "whole call": _seconds(timing.duration_s),
        "status": response.status,
        "model": response.model or "not reported",
        "response": response.id or "",
        "request": response.request_id or "",
    }
    figures += [_figure(name, text) for name, text in words.items() if text]
    kind = "Estimated: the service reported nothing." if is_estimated else "As the service reported it."
    billed = {
        "simulator": " Simulated: nobody is billed.",
        "cassette": " Replayed: nobody is billed.",
    }
    return {"note": kind + billed.get(response.backend, ""), "figures": figures}


def _count(name: str, n_tokens: int | None, kind: str, most: int) -> dict[str, Any]:
    if n_tokens is None:
        return _figure(name, "not reported")
    return {
        "name": name,
        "words": f"{n_tokens:,}",
        "kind": kind,
        "share": round(n_tokens / most, 4) if most else 0,
    }


def _figure(name: str, words: str) -> dict[str, Any]:
    return {"name": name, "words": words, "kind": "", "share": None}


def _seconds(value_s: float | None) -> str:
    return "" if value_s is None else f"{value_s:.2f} s"


def _runs(runs: Sequence[Run], picked: Picked) -> dict[str, Any]:
    kept = {run.run_id: run for run in runs}
    picked.runs = [one for one in picked.runs if one in kept]
    diff = None
    if len(picked.runs) == 2:
        from cometnb.panel.difference import difference

        before, after = sorted((kept[one] for one in picked.runs), key=lambda run: run.number)
        diff = shown_difference(difference(before, after), f"Run {before.number} → run {after.number}")
    return {"lines": [_run_line(run) for run in reversed(runs)], "picked": picked.runs, "diff": diff}


def _run_line(run: Run) -> dict[str, Any]:
    values = values_of(run.settings)
    model = run.response.model if run.response is not None else None
    usage, cost = run.usage, run.cost
    duration_s = run.response.timing.duration_s if run.response is not None else None
    counts = (usage.input_tokens, usage.output_tokens)
    prompt = without_key(" ".join(run.settings.prompt.split()))
    asked = summary({path: value for path, value in values.items() if path != "model"})
    return {
        "id": run.run_id,
        "number": f"{run.number} {run.label}".strip(),
        "at": f"{run.started_at.astimezone():%H:%M:%S}",
        "model": model or str(run.params.get("model", "")),
        "settings": asked or f"nothing set · {prompt[:60]}",
        "status": run.status.replace("_", " "),
        "tokens": " + ".join("?" if one is None else f"{one:,}" for one in counts),
        "cost": "unknown" if isnan(cost.usd) else dollars(cost.usd),
        "time": _seconds(duration_s),
    }


def shown_difference(found: Difference, title: str) -> dict[str, Any]:
    """Return a difference for the page."""
    changes = [f"{path}: {_value(before)} → {_value(after)}" for path, before, after in found.settings]
    words = "; ".join(changes) or "the same settings"
    same = " · the same answer" if found.is_same_answer else ""
    return {"title": f"{title} · {words}{same}", "words": _bounded(found.words)}


def _bounded(words: Iterable[tuple[str, str]]) -> list[list[str]]:
    shown: list[list[str]] = []
    left = _MOST_CHARACTERS
    for kind, text in words:
        if left <= 0:
            return [*shown, ["kept", "… cut here; panel.diff() has all of it."]]
        shown.append([kind, text[:left]])
        left -= len(text)
    return shown


def _value(value: Any) -> str:
    return summary({"": value}).removeprefix("=")


def _compare(panel: Panel, picked: Picked) -> dict[str, Any]:
    lines = [column.title for column in panel.columns]
    note = "" if lines else "Set something above and add it as a column; then change it and add another."
    runs: Mapping[int, Run] = {
        place: column.run for place, column in enumerate(panel.columns) if column.run is not None
    }
    costs = [run.cost.usd for run in runs.values() if run.response is not None]
    if costs and not any(map(isnan, costs)):
        note = f"{len(costs)} columns cost {dollars(sum(costs))} together."
    return {"note": note, "lines": lines, "is_running": panel.running, "is_diff": picked.is_diff}
