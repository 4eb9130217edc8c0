"""Conversations in a real kernel: cells run in this order or that, and what reached the service each time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.kernel.kernel_session import CellRun, KernelSession

_START = """%load_ext cometnb
%comet simulator
from cometnb.defaults import shared
simulator = shared.simulator
simulator.tokens_per_s, simulator.first_token_s = None, 0.0
shared.chats.clear()
shared.forgetful.clear()
simulator.without, simulator.text = {without!r}, None
n_before = len(simulator.requests)
"""
_SENT = (
    "__import__('json').dumps([{k: r[k] for k in ('previous_response_id', 'input') if k in r}"
    " for r in simulator.requests[n_before:]])"
)
_PROMPTS = {1: "First question", 2: "Second question", 3: "Third question"}


def _ready(kernel: KernelSession, without: Sequence[str] = ()) -> None:
    assert kernel.run(_START.format(without=list(without))).errors == []


def _ask(kernel: KernelSession, cell: int, *, has_ids: bool = True, options: str = "--chat plan") -> CellRun:
    metadata = {"cellId": f"cell-{cell}"} if has_ids else None
    return kernel.run(f"%%respond -e none {options}\n{_PROMPTS[cell]}", metadata=metadata)


def _requests(kernel: KernelSession) -> list[tuple[str | None, list[str]]]:
    """What reached the service: the id it was to go on from, and the texts of the input; answers as ``answer``."""
    sent = json.loads(kernel.value(_SENT))
    return [(one.get("previous_response_id"), [_words(item) for item in one["input"]]) for one in sent]


def _words(item: dict[str, Any]) -> str:
    return str(item["content"]) if item.get("role") == "user" else "answer"


def _ids(kernel: KernelSession) -> list[str]:
    """The last response's id of every turn, oldest first."""
    ids: list[str] = json.loads(
        kernel.value("__import__('json').dumps([t.response_ids[-1] for t in shared.chats['plan'].turns])")
    )
    return ids


@pytest.mark.parametrize("has_ids", [True, False], ids=["with cell ids", "without"])
@pytest.mark.parametrize(
    ("order", "parents"),
    [
        ((1, 2, 3), (None, 0, 1)),
        # 3 goes on from the new 1; 2 was built on the old one.
        ((1, 2, 1, 3), (None, 0, None, 2)),
        # The second answer to 2 is asked after 1, as the first was.
        ((1, 2, 2), (None, 0, 0)),
    ],
)
def test_a_service_that_keeps_conversations_is_sent_what_is_new(
    kernel: KernelSession, order: tuple[int, ...], parents: tuple[int | None, ...], has_ids: bool
) -> None:
    """Whatever the order, each request names the response a reader of the notebook would expect."""
    _ready(kernel)
    for cell in order:
        assert _ask(kernel, cell, has_ids=has_ids).errors == []
    ids = _ids(kernel)
    expected = [None if parent is None else ids[parent] for parent in parents]
    assert _requests(kernel) == [
        (before, [_PROMPTS[cell]]) for before, cell in zip(expected, order, strict=True)
    ]


@pytest.mark.parametrize("way", ["state", "state_silently"])
def test_a_service_that_keeps_nothing_is_sent_the_history(kernel: KernelSession, way: str) -> None:
    """Refused, the same turn goes again whole; dropped in silence, the next one does. The user is told once."""
    _ready(kernel, [way])
    runs = [_ask(kernel, cell) for cell in (1, 2, 3)]
    assert [run.errors for run in runs] == [[], [], []]
    sent = _requests(kernel)
    assert sent[-1] == (
        None,
        ["First question", "answer", "Second question", "answer", "Third question"],
    )
    assert len(sent) == (4 if way == "state" else 3)
    told = ["keeps no conversation" in run.displays[-1].content["data"]["text/plain"] for run in runs]
    assert told == [False, True, False]


def test_a_service_that_forgets_halfway_is_sent_the_history(kernel: KernelSession) -> None:
    """Nothing is lost when the state is."""
    _ready(kernel)
    _ask(kernel, 1)
    _ask(kernel, 2)
    kernel.run("simulator.without = ['state']")
    assert _ask(kernel, 3).errors == []
    assert _requests(kernel)[-1][1] == [
        "First question",
        "answer",
        "Second question",
        "answer",
        "Third question",
    ]


def test_the_tree_shows_what_is_replaced_and_stale(kernel: KernelSession) -> None:
    """As does the list of conversations."""
    _ready(kernel)
    for cell in (1, 2, 1):
        _ask(kernel, cell)
    tree = kernel.run("%comet tree plan").displays[-1].content["data"]["text/plain"]
    assert "First question" in tree
    assert "(replaced)" in tree
    assert "stale" in tree
    assert "goes on here" in tree
    assert kernel.run("%comet chats").stream_text.strip() == "plan: 1 turn, 2 beside it"


def test_a_new_one_and_a_branch(kernel: KernelSession) -> None:
    """``--new`` forgets what was; ``--from`` asks after an earlier answer, by the variable that holds it."""
    _ready(kernel)
    _ask(kernel, 1, options="--chat plan -o first")
    _ask(kernel, 2)
    _ask(kernel, 3, options="--chat plan --from first")
    first = _ids(kernel)[0]
    assert _requests(kernel)[-1] == (first, ["Third question"])
    _ask(kernel, 3, options="--chat plan --new")
    assert _requests(kernel)[-1] == (None, ["Third question"])


def test_what_is_asked_of_no_conversation_is_named(kernel: KernelSession) -> None:
    """Two lines, and nothing is sent."""
    _ready(kernel)
    error = _ask(kernel, 1, options="--chat plan --from resp_unknown").errors[0].content
    assert "resp_unknown" in error["evalue"]
    error = _ask(kernel, 1, options="--new").errors[0].content
    assert "--chat NAME --new" in error["evalue"]
    assert _requests(kernel) == []


_TOOLS = """def population(city: str) -> int:
    "People living in a city."
    return 3

def fails(city: str) -> int:
    "The area of a city."
    raise KeyError(city)
"""


def test_functions_are_run_and_every_round_is_a_row(kernel: KernelSession) -> None:
    """Cards in the saved answer; one call id for all rounds."""
    _ready(kernel)
    kernel.run(_TOOLS)
    run = kernel.run("%%respond -e none --tools population --tag tools\nWhat is the population of Rome?")
    assert run.errors == []
    shown = run.displays[-1].content["data"]["text/plain"]
    assert "Tool call population" in shown
    assert "-> 3 (result" in shown
    assert kernel.value("len(_.rounds)") == "2"
    assert kernel.value("len(__import__('cometnb').usage(tag='tools'))") == "2"


@pytest.mark.parametrize(("said", "result"), [("y", "3"), ("", "The user did not allow this call")])
def test_a_person_is_asked_before_a_function_runs(kernel: KernelSession, said: str, result: str) -> None:
    """By a prompt where no live view could ask; no answer is no."""
    _ready(kernel)
    kernel.run(_TOOLS)
    run = kernel.start("%%respond -e none --tools population --confirm\nWhat is the population of Rome?")
    asked = kernel.answer(said)
    assert asked["prompt"].startswith("Run population({")
    kernel.wait(run)
    assert run.errors == []
    assert kernel.value("_.tool_results[0].output").startswith(result)


def test_where_nobody_can_answer_no_function_runs(kernel: KernelSession) -> None:
    """A notebook that is run by a program does not wait for ever."""
    _ready(kernel)
    kernel.run(_TOOLS)
    cell = "%%respond -e none --tools population --confirm\nWhat is the population of Rome?"
    assert kernel.run(cell, allow_stdin=False).errors == []
    assert "did not allow" in kernel.value("_.tool_results[0].output")


def test_a_failing_function_is_told_to_the_model_and_shown(kernel: KernelSession) -> None:
    """The loop goes on; the answer shows the error."""
    _ready(kernel)
    kernel.run(_TOOLS)
    run = kernel.run("%%respond -e none --tools fails\nWhat is the area of Rome? Use fails.")
    assert run.errors == []
    assert "Error: KeyError: 'Rome'" in run.displays[-1].content["data"]["text/plain"]


def test_a_structured_answer_is_a_table_and_a_frame(kernel: KernelSession) -> None:
    """Typed, bound, and readable in the file without a kernel."""
    _ready(kernel)
    run = kernel.run("%%respond -e none --schema '[name, born int, mood glad|sad]' --df people\nThree people")
    assert run.errors == []
    assert run.displays[-1].content["data"]["text/markdown"].startswith("| name | born | mood |")
    assert kernel.value("dict(people.dtypes.astype(str))") == str(
        {"name": "string", "born": "Int64", "mood": "category"}
    )
    assert kernel.value("_.parsed == people.to_dict('records')") == "True"


def test_a_conversation_object_keeps_the_turns_at_the_service(kernel: KernelSession) -> None:
    """Its id goes with what is new, and a cell that runs again adds a turn."""
    _ready(kernel)
    made = kernel.run(
        "import httpx\nwith httpx.Client(transport=simulator, base_url='https://x/v1') as http:\n"
        "    conv = http.post('https://x/v1/conversations', json={}).json()['id']"
    )
    assert made.errors == []
    conversation = kernel.value("conv")
    for _ in range(2):
        run = _ask(kernel, 1, options=f"--chat kept --conversation {conversation}")
        assert run.errors == []
    sent = json.loads(
        kernel.value(
            "__import__('json').dumps([r.get('conversation') for r in simulator.requests[n_before:]])"
        )
    )
    assert sent == [conversation, conversation]
    assert kernel.run("%comet chats").stream_text.strip() == f"kept: 2 turns in {conversation}"


def test_a_call_in_the_background_is_picked_up_by_its_id(kernel: KernelSession) -> None:
    """The handle is the cell's value; its usage comes home with its end, once."""
    _ready(kernel)
    run = kernel.run("%%respond -e none --background true --tag behind\nThink")
    assert run.errors == []
    assert "_.wait()" in run.stream_text
    kernel.run("handle = _")
    assert kernel.value("handle.wait().status") == "completed"
    found = "__import__('cometnb').BackgroundResponse.pick_up(handle.id).wait().output_text == handle.response.output_text"
    assert kernel.value(found) == "True"
    kernel.run("rows = __import__('cometnb').usage(tag='behind')")
    assert kernel.value("rows['status'].iloc[-1], len(rows)") == "completed 2"
    assert kernel.value("rows['total_tokens'].isna().tolist()") == "[True, False]"
