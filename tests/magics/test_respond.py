"""What a ``%%respond`` cell sends, shows and binds."""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any

import pytest

from cometnb.errors import CellError, ParamError, RateLimitError, ResponseFailedError, StreamInterruptedError
from cometnb.magics.respond import bind
from cometnb.protocol.response import Response
from cometnb.view.live import StillAnswer
from tests.magics.shells import Shell


def _sent(shell: Shell) -> dict[str, Any]:
    body: dict[str, Any] = shell.shared.simulator.requests[-1]
    return body


def test_the_prompt_is_the_cells_body(shell: Shell) -> None:
    """The body goes out as the input, streamed, to the default model."""
    shell.run("%%respond\nSay hello.\nTwice.")
    assert _sent(shell) == {"model": "gpt-5.4", "input": "Say hello.\nTwice.", "stream": True}


def test_options_become_parameters(shell: Shell) -> None:
    """Short, long, dotted and underscored options, switches, lists, JSON, and fields nobody knows."""
    shell.run("numbers = {'a': '1'}")
    shell.run(
        "%%respond -m gpt-5.5 -e low -t 0.2 -n 900 --text.verbosity low --max_tool_calls=3 --no-store"
        " --include message.output_text.logprobs,reasoning.encrypted_content --top-logprobs 2"
        " --metadata numbers --set future.field='[1, 2]' --set other=text\nHi"
    )
    assert _sent(shell) == {
        "model": "gpt-5.5",
        "input": "Hi",
        "stream": True,
        "reasoning": {"effort": "low"},
        "temperature": 0.2,
        "max_output_tokens": 900,
        "text": {"verbosity": "low"},
        "max_tool_calls": 3,
        "store": False,
        "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
        "top_logprobs": 2,
        "metadata": {"a": "1"},
        "future": {"field": [1, 2]},
        "other": "text",
    }


def test_templates_are_filled_in_body_and_text_options(shell: Shell) -> None:
    """``{{ }}`` is Python of the notebook; single braces and LaTeX stay; --raw leaves everything."""
    shell.run("name, model = 'Ada', 'gpt-5.5'")
    shell.run(
        "%%respond -m {{model}} -s 'Talk to {{name}}.'\nHi {{name.upper()}}, {x} $y$ \\frac{1}{2} \\{{z}}"
    )
    assert _sent(shell)["input"] == "Hi ADA, {x} $y$ \\frac{1}{2} {{z}}"
    assert _sent(shell)["instructions"] == "Talk to Ada."
    assert _sent(shell)["model"] == "gpt-5.5"
    shell.run("%%respond --raw\nHi {{name}}")
    assert _sent(shell)["input"] == "Hi {{name}}"


def test_instructions_come_from_a_variable_or_a_file(shell: Shell, tmp_path: Any) -> None:
    """A bare name that is a variable is its value; @name is a file's text."""
    (tmp_path / "style.md").write_text("Be brief.", encoding="utf-8")
    shell.run("style = 'Be kind.'")
    shell.run("%%respond -s style\nHi")
    assert _sent(shell)["instructions"] == "Be kind."
    shell.run(f"%%respond -s @{tmp_path}/style.md\nHi")
    assert _sent(shell)["instructions"] == "Be brief."


def test_the_response_is_the_result_shown_once(shell: Shell) -> None:
    """One display; the Response is ``Out[n]``, ``_`` and the name of --out."""
    shell.shared.simulator.text = "Hello **there**."
    result = shell.run("%%respond --out answer\nHi")
    number = shell.ip.execution_count - 1
    (display,) = shell.displays
    assert display["data"]["text/markdown"].startswith("Hello **there**.")
    assert isinstance(result.result, Response)
    assert (
        shell.ip.user_ns["answer"]
        is shell.ip.user_ns["_"]
        is shell.ip.user_ns["Out"][number]
        is result.result
    )
    assert str(result.result) == "Hello **there**."


def test_metadata_holds_usage_and_ids_but_no_prompt(shell: Shell) -> None:
    """What is saved with the output says what the call used, and nothing of what was asked."""
    shell.run("%%respond -e none\nMy secret prompt")
    metadata = shell.displays[0]["metadata"]["cometnb"]
    assert metadata["response_id"].startswith("resp_")
    assert (
        metadata["usage"]["total_tokens"]
        == metadata["usage"]["input_tokens"] + metadata["usage"]["output_tokens"]
    )
    assert metadata["backend"] == "simulator"
    assert "secret" not in json.dumps(metadata)


def test_quiet_shows_nothing_and_binds(shell: Shell) -> None:
    """With --quiet only the Response is there."""
    shell.run("%%respond --quiet --out answer\nHi")
    assert shell.displays == []
    assert shell.ip.user_ns["answer"].status == "completed"


def test_no_stream_asks_for_a_whole_body(shell: Shell) -> None:
    """The same answer comes, without events."""
    shell.run("%%respond --no-stream\nHi")
    assert _sent(shell)["stream"] is False
    assert "tokens in" in shell.displays[0]["data"]["text/plain"]


def test_dry_run_shows_and_sends_nothing(shell: Shell) -> None:
    """The request as JSON, its size, and no request."""
    before = len(shell.shared.simulator.requests)
    shell.run("%%respond -t 0.5 --dry-run\nHi ``` there")
    assert len(shell.shared.simulator.requests) == before
    shown = shell.displays[0]["data"]["text/plain"]
    assert "nothing was sent" in shown
    assert '"temperature": 0.5' in shown


def test_dry_run_refuses_what_would_be_refused(shell: Shell) -> None:
    """A dry run is no way around the checks."""
    assert isinstance(shell.error("%%respond -t 5 --dry-run\nHi"), ParamError)


def test_an_unknown_choice_passes_with_a_note(shell: Shell) -> None:
    """An effort nobody has heard of is sent; the answer says so below."""
    shell.run("%%respond -e colossal\nHi")
    assert _sent(shell)["reasoning"] == {"effort": "colossal"}
    assert "colossal" in shell.displays[0]["data"]["text/plain"]


_BAD = [
    ("%%respond --temprature 1\nHi", "--temprature", "--temperature"),
    ("%%respond -t\nHi", "-t has no value", "-t 0.5, for example"),
    ("%%respond -t warm\nHi", "'warm'", "--temperature 0.5, for example"),
    ("%%respond -t --quiet\nHi", "--quiet follows", "-t 0.5, for example"),
    ("%%respond -t 1 -t 2\nHi", "--temperature is given twice", "Leave one"),
    ("%%respond --store maybe\nHi", "maybe", "true or false"),
    ("%%respond --quiet=yes\nHi", "--quiet takes no value", "alone"),
    ("%%respond --out 3x\nHi", "3x", "--out answer"),
    ("%%respond --set nothing\nHi", "nothing", "--set"),
    ("%%respond -s @no/such/file\nHi", "no/such/file", "path"),
    ("%%respond hello\nHi", "'hello'", "quote"),
    ("%%respond -s 'open\nHi", "quotation", "Close"),
    ("%%respond\n  ", "no prompt", "%%respond"),
    ("%%respond\nHi {{nobody}}", "{{nobody}}", "--raw"),
    ("%%respond\nHi {{1 +}}", "{{1 +}}", "--raw"),
    ("%%respond\nHi {{1 / 0}}", "ZeroDivisionError", "cell of its own"),
    ("%%respond\nHi {{object()}}", "object", "{{str(object())}}"),
    ("%%respond\nHi {{open", "no closing", "--raw"),
]


@pytest.mark.parametrize(("cell", "named", "step"), _BAD, ids=[cell[:40] for cell, _, _ in _BAD])
def test_bad_input_is_two_lines_and_sends_nothing(shell: Shell, cell: str, named: str, step: str) -> None:
    """Line 1 names the value, line 2 the next step; no request, no display."""
    before = len(shell.shared.simulator.requests)
    error = shell.error(cell)
    assert isinstance(error, CellError)
    fact, next_step = str(error).splitlines()
    assert named in fact
    assert step in next_step
    assert len(shell.shared.simulator.requests) == before
    assert shell.displays == []


@pytest.mark.parametrize(
    ("fault", "kind", "kept"),
    [
        ("failed", ResponseFailedError, True),
        ("error_event", ResponseFailedError, True),
        ("cut", StreamInterruptedError, True),
        ("eof", StreamInterruptedError, True),
        ("429:retry_after=0", RateLimitError, False),
    ],
)
def test_a_failing_call_keeps_its_text_and_its_row(
    shell: Shell, fault: str, kind: type[BaseException], kept: bool
) -> None:
    """Text that came is shown and bound, the row is written, and the error has two lines."""
    shell.shared.simulator.fault = fault
    error = shell.error("%%respond -e none\nHi")
    assert isinstance(error, kind)
    assert len(str(error).splitlines()) == 2
    assert bool(shell.displays) is kept
    if kept:
        assert shell.ip.user_ns["_"].output_text
        assert shell.ip.user_ns["_"].output_text[:20] in shell.displays[0]["data"]["text/markdown"]
    assert shell.shared.ledger.usage()["status"].iloc[-1] in ("failed", "truncated", "error")


def test_an_interrupt_keeps_and_marks_the_text(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came so far is shown, bound and recorded as interrupted; the error is one line."""
    shell.shared.simulator.fault = "stall"

    class Impatient(StillAnswer):
        def update(self, events: Any, waiting: Any = None) -> None:
            if any(event.type == "response.output_text.delta" for event in events):
                raise KeyboardInterrupt

    monkeypatch.setattr("cometnb.view.choose.StillAnswer", Impatient)
    error = shell.error("%%respond -e none\nHi")
    assert isinstance(error, KeyboardInterrupt)
    assert shell.ip.user_ns["_"].status == "interrupted"
    assert "Interrupted" in shell.displays[0]["data"]["text/plain"]
    assert shell.shared.ledger.usage()["status"].iloc[-1] == "interrupted"


def test_what_was_attached_is_listed_with_the_answer(shell: Shell, tmp_path: Path) -> None:
    """By name, kind, type and size."""
    file = tmp_path / "note.txt"
    file.write_text("A note.")
    shell.run(f"%%respond -e none --file {file}\nWhat does it say?")
    (attached,) = shell.ip.user_ns["_"].attached
    assert (attached.name, attached.kind, attached.media_type) == (str(file), "text", "text/plain")
    assert attached.size_bytes > 7


@pytest.mark.filterwarnings("ignore:Output cache limit:UserWarning")
def test_results_that_ipython_has_flushed_are_let_go(shell: Shell) -> None:
    """A kernel of many cells keeps as many answers as its cache holds, and no others."""
    shell.ip.displayhook.cache_size = 20
    answers: list[weakref.ref[Response]] = []
    for _ in range(600):
        shell.ip.execution_count += 1
        answer = Response({"status": "completed"})
        answers.append(weakref.ref(answer))
        bind(shell.ip, answer)
    assert sum(answer() is not None for answer in answers) < 400
