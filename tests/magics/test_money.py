"""``%comet cost`` and ``%comet plot``."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from cometnb.client.attempt import Attempt
from cometnb.errors import CellError, CometError
from cometnb.ledger.summaries import SUMMARIES
from cometnb.magics.kernel import Kernel
from cometnb.magics.money import COST_USAGE, PLOT_USAGE, cost, plot
from tests.ledger.attempts import USAGE, an_attempt
from tests.magics.shells import Shell

PNG = b"\x89PNG"
PLOTS = ("cost", "tokens", "reasoning", "latency")


@pytest.fixture
def kernel(shell: Shell) -> Kernel:
    """What the magics work with, its ledger holding a call of each of two models and a simulated one."""
    kernel = Kernel(shell.shared, shell.ip)
    for attempt in (
        answered("gpt-5.4", tag="draft"),
        answered("no-such-model", tag="eval"),
        answered("gpt-5.4", tag="draft", backend="simulator"),
    ):
        shell.shared.ledger(attempt)
    return kernel


def answered(model: str, *, tag: str, backend: str = "api") -> Attempt:
    """Return an attempt that this model answered."""
    labels = {"notebook": "a.ipynb", "cell_id": "c1", "tag": tag}
    attempt = an_attempt(params={"model": model, "input": "Hi"}, labels=labels, backend=backend)
    attempt.response.raw.update(model=model, usage=dict(USAGE))
    return attempt


def picture(shell: Shell) -> dict[str, Any]:
    """Return the one display there is."""
    (display,) = shell.displays
    return display


def test_cost_is_a_summary_and_a_line(kernel: Kernel, capsys: pytest.CaptureFixture[str]) -> None:
    """By model; the line says what has no price, and what was no money."""
    summary = cost(kernel, [])
    assert set(summary.index) == {"gpt-5.4", "no-such-model"}
    assert summary["n_attempts"].sum() == 3
    assert summary["n_simulated"].sum() == 1
    shown = capsys.readouterr().out
    assert "2 attempts" in shown
    assert "simulated, not billed" in shown
    assert "Fees" not in shown


def test_fees_of_tools_are_said_besides(kernel: Kernel, capsys: pytest.CaptureFixture[str]) -> None:
    """They are money that stands in no column; of the rows that are wanted only."""
    for backend, kind in (
        ("api", "web_search_call"),
        ("simulator", "web_search_call"),
        ("api", "code_interpreter_call"),
    ):
        attempt = answered("gpt-5.4", tag="tools", backend=backend)
        attempt.response.raw["output"] = [{"type": kind}]
        kernel.shared.ledger(attempt)
    cost(kernel, ["--tag", "tools"])
    fees = "Fees of built-in tools, in none of these sums: "
    assert f"{fees}$0.0080, not known for 1 attempt, $0.0080 simulated." in capsys.readouterr().out
    cost(kernel, ["--backend", "simulator"])
    assert f"{fees}$0.0080 simulated." in capsys.readouterr().out
    cost(kernel, ["--tag", "draft"])
    assert "Fees" not in capsys.readouterr().out


@pytest.mark.parametrize("by", SUMMARIES)
@pytest.mark.parametrize("form", ["--by {}", "--by={}"])
def test_cost_is_summed_up_by_what_is_asked(kernel: Kernel, by: str, form: str) -> None:
    """In both spellings, for everything that the usage names."""
    assert by in COST_USAGE
    assert by in PLOT_USAGE
    index = cost(kernel, form.format(by).split()).index
    assert index.names[-1] == {"cell": "cell_id"}.get(by, by)


def test_cost_takes_filters_and_a_time(kernel: Kernel) -> None:
    """As %comet usage does."""
    assert cost(kernel, ["--tag", "eval"])["n_attempts"].tolist() == [1]
    assert len(cost(kernel, ["1s"])) == 0
    assert len(cost(kernel, ["2026-01-01", "--model=gpt-5.4", "--by", "tag"])) == 1


def test_cost_shows_every_column_on_request(kernel: Kernel) -> None:
    """The first ones otherwise."""
    assert set(cost(kernel, []).columns) < set(cost(kernel, ["--all"]).columns)


def test_cost_of_nothing_is_said(kernel: Kernel, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty frame of the same columns, and no zero."""
    columns = list(cost(kernel, []).columns)
    capsys.readouterr()
    assert list(cost(kernel, ["--model", "none-of-them"]).columns) == columns
    assert capsys.readouterr().out == "no calls.\n"


@pytest.mark.parametrize("what", PLOTS)
def test_a_plot_is_shown_once(shell: Shell, kernel: Kernel, what: str) -> None:
    """A picture with its words, at a size of its own; nothing is returned that would be shown again."""
    assert what in PLOT_USAGE
    plot(kernel, [what])
    display = picture(shell)
    assert base64.b64decode(display["data"]["image/png"]).startswith(PNG)
    assert display["data"]["text/plain"]
    assert display["metadata"]["image/png"]["width"] > 0


def test_a_timeline_is_of_the_last_answer(shell: Shell, kernel: Kernel) -> None:
    """And says whose it is."""
    shell.run("%%respond --quiet\nHi")
    kernel.recent.response = shell.ip.user_ns["_"]
    before = len(shell.displays)
    plot(kernel, ["timeline"])
    (display,) = shell.displays[before:]
    assert "gpt-5.4" in display["data"]["text/plain"]
    assert "events" in display["data"]["text/plain"]


def test_a_timeline_needs_an_answer(kernel: Kernel) -> None:
    """Nothing is drawn where there is none."""
    with pytest.raises(CellError, match="No %%respond cell"):
        plot(kernel, ["timeline"])


def test_a_plot_takes_filters_and_what_to_sum_up_by(shell: Shell, kernel: Kernel) -> None:
    """As the table does."""
    plot(kernel, ["tokens", "--by", "tag", "--tag=eval", "2026-01-01"])
    assert picture(shell)["data"]["text/plain"].startswith("Tokens by tag: 1 attempt")


@pytest.mark.parametrize(("name", "start"), [("a.png", PNG), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")])
def test_a_plot_can_be_saved(
    kernel: Kernel, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, start: bytes
) -> None:
    """In the format that its name ends in; the line says where."""
    plot(kernel, ["cost", "--save", str(tmp_path / name), "--dark"])
    assert (tmp_path / name).read_bytes().startswith(start)
    assert name in capsys.readouterr().out


def test_a_terminal_is_told_how_to_see_it(
    shell: Shell, kernel: Kernel, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows no pictures: what the plot says, and the line that writes it."""
    monkeypatch.setattr(shell.ip, "mainloop", lambda: None, raising=False)
    plot(kernel, ["cost"])
    assert shell.displays == []
    shown = capsys.readouterr().out
    assert shown.startswith("Cost by model")
    assert "%comet plot cost --save cost.png" in shown


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["pie"],
        ["cost", "--by"],
        ["cost", "--by", "hour"],
        ["cost", "7d", "8d"],
        ["cost", "--save"],
        ["cost", "--save", "cost.doc"],
        ["cost", "--save=no/such/folder/cost.png"],
        ["cost", "--dark", "--light"],
        ["cost", "--tag"],
        ["cost", "--loud"],
        ["cost", "yesterday"],
        ["latency", "--by", "model"],
        ["timeline", "7d"],
    ],
)
def test_a_wrong_line_is_two_lines_and_shows_nothing(shell: Shell, kernel: Kernel, words: list[str]) -> None:
    """The word, and the next step."""
    with pytest.raises(CometError) as caught:
        plot(kernel, words)
    assert len(str(caught.value).splitlines()) == 2
    assert shell.displays == []


@pytest.mark.parametrize(
    "words", [["--by"], ["--by", "hour"], ["a", "b"], ["--status", "done"], ["--save", "x.png"]]
)
def test_a_wrong_cost_line_is_two_lines(kernel: Kernel, words: list[str]) -> None:
    """With the choices, where there are some."""
    with pytest.raises(CellError) as caught:
        cost(kernel, words)
    assert len(str(caught.value).splitlines()) == 2
