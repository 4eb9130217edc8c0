"""``--as``, ``--dry-run`` and ``%comet code``: the call shown instead of sent."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from nbconvert.filters import markdown2html

from cometnb.errors import CellError, ParamError
from tests.magics.shells import Shell


@pytest.mark.parametrize(
    ("form", "named", "fence"),
    [
        ("python", "client.respond(", "```python\n"),
        ("httpx", "os.environ['COMETAPI_KEY']", "```python\n"),
        ("curl", "$COMETAPI_KEY", "```bash\n"),
        ("json", '"temperature": 0.5', "```json\n"),
    ],
)
def test_as_shows_code_and_sends_nothing(
    shell: Shell, form: str, named: str, fence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fenced block and the same as plain text, without the key and without a request."""
    monkeypatch.setenv("COMETAPI_KEY", "sk-canary1234567")
    before = len(shell.shared.simulator.requests)
    shell.run("name = 'Ada'")
    shell.run(f"%%respond -t 0.5 --as {form}\nHi {{{{name}}}}")
    (display,) = shell.displays
    assert display["data"]["text/markdown"].startswith(fence)
    assert display["data"]["text/markdown"].rstrip().endswith("```")
    assert named in display["data"]["text/plain"]
    assert "Hi Ada" in display["data"]["text/plain"]
    assert "canary" not in json.dumps(display)
    assert len(shell.shared.simulator.requests) == before


@pytest.mark.parametrize("option", ["--dry-run", "--as python", "--as curl"])
def test_a_key_in_the_prompt_is_masked(shell: Shell, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key in force, whatever it looks like, and whatever looks like a key."""
    monkeypatch.setenv("COMETAPI_KEY", "odd.canary.one")
    shell.run(f"%%respond {option}\nMy keys: odd.canary.one sk-canary1234567")
    assert "canary" not in json.dumps(shell.displays)


def test_as_needs_no_key(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code can be had before there is a key; it names the base URL in force."""
    monkeypatch.delenv("COMETAPI_KEY", raising=False)
    shell.shared.configure(backend="api", base_url="https://gateway.example/v1")
    assert shell.run("%%respond --as python\nHi").error_in_exec is None
    assert "base_url='https://gateway.example/v1'" in shell.displays[0]["data"]["text/plain"]


def test_as_is_no_way_around_the_checks(shell: Shell) -> None:
    """What would be refused is refused, and so is a form that does not exist."""
    assert isinstance(shell.error("%%respond -t 5 --as python\nHi"), ParamError)
    assert "python, httpx, curl, json" in str(shell.error("%%respond --as perl\nHi"))


def test_a_fence_in_the_prompt_does_not_end_the_code(shell: Shell) -> None:
    """The outer fence is longer than any inside."""
    shell.run("%%respond --as python\nMend this:\n````\nx\n````")
    assert shell.displays[0]["data"]["text/markdown"].startswith("`````python\n")


def test_code_shows_the_last_call(shell: Shell) -> None:
    """What was really sent, as Python or in another form; before the first call an error says so."""
    error = shell.error("%comet code")
    assert isinstance(error, CellError)
    shell.run("%%respond -e low\nHello there")
    shell.run("%comet code")
    shell.run("%comet code curl")
    python, curl = (display["data"]["text/plain"] for display in shell.displays[-2:])
    assert "client.respond(" in python
    assert "Hello there" in python
    assert "curl" in curl


def test_dry_run_gives_no_size_to_what_the_service_fetches(shell: Shell) -> None:
    """How large a picture behind a link is nobody here knows, and the link's length is not its size."""
    shell.run("%%respond --dry-run --image https://example.org/map.png\nWhat is this?")
    shown = shell.displays[-1]["data"]["text/plain"]
    assert "https://example.org/map.png · image · image/png · fetched by the service" in shown


def test_dry_run_lists_what_is_attached(shell: Shell, tmp_path: Path) -> None:
    """Each attachment with kind and size, its bytes cut in the request that is shown."""
    image = str(tmp_path / "dot.png")
    shell.run(
        "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\n"
        f"figure = plt.figure(figsize=(2, 1))\nfigure.savefig({image!r})"
    )
    shell.run(f"%%respond --dry-run --image {image} --image figure\nWhat is this?")
    shown = shell.displays[-1]["data"]["text/plain"]
    assert shown.count("· image · image/png ·") == 2
    assert "more characters]" in shown
    assert len(shown) < 3_000
    assert "image/png" in shell.displays[-1]["data"]["text/markdown"]


def test_attachments_are_sent_after_the_text(shell: Shell, tmp_path: Path) -> None:
    """One user message: the text with what it names, then the images of the options."""
    image = tmp_path / "dot.png"
    shell.run(
        "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\n"
        f"figure = plt.figure(figsize=(2, 1))\nfigure.savefig({str(image)!r})"
    )
    shell.run(f"%%respond -e none --image {image}\nIs {{{{figure}}}} like this?")
    (message,) = shell.shared.simulator.requests[-1]["input"]
    assert message["role"] == "user"
    kinds = [part["type"] for part in message["content"]]
    assert kinds == ["input_text", "input_image", "input_text", "input_image"]


def test_a_text_file_is_read_into_the_prompt(shell: Shell, tmp_path: Path) -> None:
    """Where nothing but text comes out, the input is a text."""
    note = tmp_path / "note.txt"
    note.write_text("Remember the milk.", encoding="utf-8")
    shell.run(f"%%respond -e none --file {note}\nWhat is in it?")
    prompt = shell.shared.simulator.requests[-1]["input"]
    assert prompt.startswith("What is in it?")
    assert "Remember the milk." in prompt


@pytest.mark.parametrize("option", ["--image nowhere.png", "--file nowhere.pdf"])
def test_a_missing_attachment_sends_nothing(shell: Shell, option: str) -> None:
    """The error names the file."""
    before = len(shell.shared.simulator.requests)
    error = shell.error(f"%%respond {option}\nHi")
    assert isinstance(error, CellError)
    assert "nowhere" in str(error)
    assert len(shell.shared.simulator.requests) == before


def test_dry_run_says_what_it_would_cost(shell: Shell) -> None:
    """Tokens in and out as a band, the cost with where the price is from; in Markdown, too."""
    before = len(shell.shared.simulator.requests)
    shell.run("%%respond --dry-run -n 500\nThe sea")
    data = shell.displays[-1]["data"]
    line = data["text/plain"].splitlines()[1]
    assert line.startswith("about 9 tokens in (±15 %), 5 to 500 out: $0.0")
    assert "as if billed: " in line
    assert "5 to 500 out: `$0.0" in data["text/markdown"]
    assert len(shell.shared.simulator.requests) == before


def test_dry_run_learns_from_earlier_calls(shell: Shell) -> None:
    """The band of the output is that of answers to the same model and effort."""
    for _ in range(5):
        shell.run("%%respond --quiet -e low\nHi")
    shell.run("%%respond --dry-run -e low\nHi")
    assert "as 5 earlier calls had it" in shell.displays[-1]["data"]["text/plain"]


def test_dry_run_of_a_model_without_a_price_says_so(shell: Shell) -> None:
    """No number is made up, and a name that is markup stays text."""
    shell.run("%%respond --dry-run -m '<b>*x*</b>[a](javascript:b)`$1$' -n 9\nHi")
    data = shell.displays[-1]["data"]
    assert "no price known" in data["text/plain"]
    told = data["text/markdown"].partition("```json")[0]
    assert "&lt;b&gt;\\*x\\*&lt;/b&gt;&#91;a&#93;(javascript:b)\\``$1$`" in told
    assert "USD" not in told


def test_dry_run_says_what_the_estimate_leaves_out(shell: Shell) -> None:
    """Turns that only the service knows."""
    shell.run("%%respond --dry-run --previous-response-id resp_1\nHi")
    assert "earlier turns" in shell.displays[-1]["data"]["text/plain"]


def test_dry_run_survives_settings_that_leave_no_price(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is shown all the same."""
    monkeypatch.setenv("COMETNB_PRICES", "nowhere.toml")
    assert shell.run("%%respond --dry-run -n 9\nThe sea").error_in_exec is None
    shown = shell.displays[-1]["data"]["text/plain"]
    assert "nowhere.toml" in shown
    assert '"input": "The sea"' in shown


def test_a_file_s_name_opens_no_formula(shell: Shell, tmp_path: Path) -> None:
    """In the list of what is attached, neither as JupyterLab reads the Markdown nor in the page that comes of it."""
    file = tmp_path / r"\(\href{javascript:x}{y}\) $b$ \[c\].txt"
    file.write_text("Hello.", "utf-8")
    assert shell.run(f"%%respond --dry-run --file '{file}'\nHi").error_in_exec is None
    shown = shell.displays[-1]["data"]["text/markdown"]
    (line,) = [line for line in shown.splitlines() if line.startswith("- ")]
    page = markdown2html(line)
    assert file.name in re.sub("<[^>]*>", "", page).replace("\u200c", "")
    assert not re.search(r"\\[(\[]|\\href", page)
    assert "$" not in re.sub("<code>.*?</code>", "", page)
