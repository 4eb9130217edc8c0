"""Tab in a real kernel: what a front end is offered for a cell of ours."""

from __future__ import annotations

import pytest

from tests.kernel.kernel_session import KernelSession


@pytest.fixture(scope="module")
def ready(kernel: KernelSession) -> KernelSession:
    """A kernel with the extension, the simulator and some names."""
    run = kernel.run("%load_ext cometnb\n%comet simulator\nstyle, styles, warmth = 'Be kind.', ['a'], 0.5")
    assert run.errors == []
    return kernel


def _offers(kernel: KernelSession, typed: str, after: str = "") -> dict[str, str]:
    """Complete where `typed` ends; return each match with the cell it makes, up to the cursor."""
    reply = kernel.complete(typed + after, len(typed))
    assert reply["status"] == "ok"
    assert reply["cursor_end"] == len(typed)
    return {match: typed[: reply["cursor_start"]] + match for match in reply["matches"]}


_CELLS = [
    ("%%respond --max-out", "--max-output-tokens", "%%respond --max-output-tokens"),
    ("%%respond --reasoning.e", "--reasoning.effort", "%%respond --reasoning.effort"),
    ("%%respond -e lo", "low", "%%respond -e low"),
    ("%%respond --effort=xh", "xhigh", "%%respond --effort=xhigh"),
    ("%%respond --store f", "false", "%%respond --store false"),
    ("%%respond -m gpt-5.4-", "gpt-5.4-mini", "%%respond -m gpt-5.4-mini"),
    ("%%respond -s sty", "style", "%%respond -s style"),
    ("%%respond -t war", "warmth", "%%respond -t warmth"),
    ("%%respond --as h", "httpx", "%%respond --as httpx"),
    ("%%respond\nIt's like {{sty", "style", "%%respond\nIt's like {{style"),
    ("%%respond\nWrite {{style.upp", "upper", "%%respond\nWrite {{style.upper"),
    ("%%respond -s 'Be {{sty", "style", "%%respond -s 'Be {{style"),
    ("%comet doc", "doctor", "%comet doctor"),
    ("%comet simulator --see", "--seed", "%comet simulator --seed"),
    ("x = 1\n%comet code cu", "curl", "x = 1\n%comet code curl"),
    ("frame = %comet us", "usage", "frame = %comet usage"),
]


@pytest.mark.parametrize(("typed", "match", "cell"), _CELLS, ids=[typed for typed, _, _ in _CELLS])
@pytest.mark.parametrize("after", ["", "\nmore text"], ids=["at the end", "in the middle"])
def test_tab_offers_what_fits(ready: KernelSession, typed: str, match: str, cell: str, after: str) -> None:
    """Options, values, models, variables and subcommands, each in its place; nothing else is offered."""
    offers = _offers(ready, typed, after)
    assert offers.get(match) == cell
    assert all(made.startswith(typed) for made in offers.values())


def test_lists_complete_their_last_entry(ready: KernelSession) -> None:
    """What stands in the list already is not offered again."""
    first = "reasoning.encrypted_content"
    offers = _offers(ready, f"%%respond --include {first},")
    assert first not in offers
    assert offers["message.output_text.logprobs"].endswith(f"{first},message.output_text.logprobs")


def test_an_option_is_offered_once(ready: KernelSession) -> None:
    """Short and long spelling are the same option; what may be repeated stays."""
    offers = _offers(ready, "%%respond -m gpt-5.4 --image a ")
    assert "--model" not in offers
    assert {"-e", "--image", "--quiet"} <= offers.keys()


def test_the_prompt_itself_is_left_alone(ready: KernelSession) -> None:
    """No option is offered in the body, and a cell of Python completes as ever."""
    assert "--model" not in _offers(ready, "%%respond\nWrite --mo")
    assert "style" in _offers(ready, "print(sty")
