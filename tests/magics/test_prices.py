"""``%comet prices``: what a model costs now and why, and what to write when nobody knows."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
from nbconvert.filters import markdown2html

from cometnb.client.catalog import catalog_path, read_catalog
from cometnb.errors import CellError, ConfigError, ConnectionFailedError
from cometnb.ledger.pricelist.price_table import default_path
from cometnb.magics.kernel import Kernel
from cometnb.magics.prices import PRICES_USAGE, show_prices
from tests.magics.shells import Shell

Printed = pytest.CaptureFixture[str]

_PRICING = {"currency": "USD / M Tokens", "input": 2.5, "output": 15, "ratio": 0.8}
_MODELS = {"data": [{"id": "gpt-5.4", "pricing": _PRICING}, {"id": "qwen9", "pricing": {"per_request": 1}}]}


@pytest.fixture
def kernel(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """What the magic works with; no catalog and no table."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Kernel(shell.shared, shell.ip)


def _shown(kernel: Kernel, shell: Shell, printed: Printed, line: str, **more: Any) -> tuple[str, str, str]:
    """Run the line and return its Markdown, its plain text, and what it prints."""
    printed.readouterr()
    before = len(shell.displays)
    show_prices(kernel, line.split(), **more)
    data = [one["data"] for one in shell.displays[before:]]
    assert len(data) <= 1
    markdown, plain = (data[0]["text/markdown"], data[0]["text/plain"]) if data else ("", "")
    return markdown, plain, printed.readouterr().out


def _answering(body: Any) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(200, json=body))


def test_a_known_model_is_a_table_with_its_source(kernel: Kernel, shell: Shell, capsys: Printed) -> None:
    """By kind of token, with long requests and other tiers, and the ratio that is in it."""
    markdown, plain, said = _shown(kernel, shell, capsys, "gpt-5.4")
    lines = markdown.splitlines()
    assert lines[0] == "| USD per million tokens | input | cached | cache write | output | source |"
    assert lines[2].startswith("| gpt-5.4 | 2.00 | 0.20 | - | 12.00 | OpenAI's price of gpt-5.4 on ")
    assert lines[2].endswith("x 0.8 |")
    assert lines[3] == "| gpt-5.4, above 272,000 input tokens | 4.00 | 0.40 | - | 18.00 | the same |"
    assert any(line.startswith("| gpt-5.4, flex | 1.00 | 0.104 |") for line in lines)
    assert {line.count("|") for line in lines} == {7}
    assert [len(part.split()) > 5 for part in plain.splitlines()] == [True] * len(plain.splitlines())
    assert "web search $8.00, file search $2.00" in said
    assert "as if CometAPI had billed them" in said
    assert "was not fetched yet: %comet prices --fetch" in said
    assert f"Your own prices: {default_path()} (not there yet)" in said


def test_without_a_model_it_is_the_one_in_force(kernel: Kernel, shell: Shell, capsys: Printed) -> None:
    """As calls would take it."""
    kernel.shared.configure(model="grok-4.3")
    markdown, _, _ = _shown(kernel, shell, capsys, "")
    assert "| grok-4.3 | 1.00 | 0.16 | - | 2.00 | xAI's price" in markdown
    kernel.shared.configure(model=None)


def test_another_service_has_no_ratio(kernel: Kernel, shell: Shell, capsys: Printed) -> None:
    """The price is that of the base URL in force."""
    kernel.shared.configure(backend="api", base_url="https://api.openai.com/v1")
    markdown, _, said = _shown(kernel, shell, capsys, "gpt-5.4")
    assert "| gpt-5.4 | 2.50 | 0.25 | - | 15.00 |" in markdown
    assert "x 0.8" not in markdown
    assert "as if" not in said


def test_an_unknown_model_comes_with_a_table_to_copy(kernel: Kernel, shell: Shell, capsys: Printed) -> None:
    """Written to the place that is named, it prices the model."""
    markdown, _, said = _shown(kernel, shell, capsys, "my-model gpt-5.4 other|model")
    assert "gpt-5.4" in markdown
    assert "No price is known for my-model, other|model" in said
    text = said[said.index("[[price]]") :]
    assert tomllib.loads(text)["price"][0]["model"] == "my-model"
    default_path().parent.mkdir(parents=True)
    default_path().write_text(text.replace('"my-model"', '"other|*"'), "utf-8")
    markdown, _, said = _shown(kernel, shell, capsys, "other|model")
    assert r"| other\|model | 2.50 | - | - | 15.00 | your price table (prices.toml): other\|\*" in markdown
    assert "not there yet" not in said
    assert "No price is known" not in said


def test_the_catalog_comes_on_request_only(kernel: Kernel, shell: Shell, capsys: Printed) -> None:
    """It says how many models and when, and is then the source that is asked before the official list."""
    assert not catalog_path().exists()
    _shown(kernel, shell, capsys, "gpt-5.4")
    assert not catalog_path().exists()
    markdown, _, said = _shown(kernel, shell, capsys, "gpt-5.4 --fetch", transport=_answering(_MODELS))
    catalog = read_catalog(catalog_path())
    assert catalog is not None
    assert f"2 models, 1 with a price for tokens, fetched {catalog.fetched_at:%Y-%m-%d %H:%M} UTC" in said
    lines = markdown.splitlines()
    assert lines[2].startswith("| gpt-5.4 | 2.00 | - | - | 12.00 | CometAPI's catalog of ")
    assert lines[3].startswith("| gpt-5.4 | 2.00 | 0.20 | - | 12.00 | OpenAI's price of gpt-5.4")
    assert "gpt-5.4: the first source that prices every kind of token in a call is taken." in said


def test_a_catalog_that_cannot_be_fetched_is_an_error(kernel: Kernel) -> None:
    """The user asked for it."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("too slow", request=request)

    with pytest.raises(ConnectionFailedError, match="too slow"):
        show_prices(kernel, ["--fetch"], transport=httpx.MockTransport(refuse))


@pytest.mark.parametrize(
    ("word", "hint"), [("--fecth", "Did you mean --fetch?"), ("-x", f"Write %comet prices {PRICES_USAGE}")]
)
def test_an_unknown_option_is_an_error(kernel: Kernel, word: str, hint: str) -> None:
    """Nothing is fetched."""
    with pytest.raises(CellError) as caught:
        show_prices(kernel, ["gpt-5.4", word])
    assert caught.value.next_step == hint


def test_a_mistake_in_the_table_is_shown(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it is an error; a call's cost would be unknown."""
    table = tmp_path / "mine.toml"
    table.write_text('[[price]]\nmodel = "m"\ninput = "3"\n')
    monkeypatch.setenv("COMETNB_PRICES", str(table))
    with pytest.raises(ConfigError, match="price 1 \\(m\\): input is '3'"):
        show_prices(kernel, [])


def test_a_tier_is_a_word(
    kernel: Kernel, shell: Shell, capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that somebody shared may name it anything: it opens no cell, link, image or formula."""
    tier = r"a|b ![x](https://leak.invalid) <img src=x> \(\href{javascript:x}{y}\) `c` \u001b[2J"
    table = tmp_path / "theirs.toml"
    table.write_text(
        f'[[price]]\nmodel = "m"\ninput = 1\noutput = 2\nfrom = 2020-01-01\nservice_tier = {json.dumps(tier)}\n'
    )
    monkeypatch.setenv("COMETNB_PRICES", str(table))
    markdown, plain, said = _shown(kernel, shell, capsys, "m")
    rows = [line for line in markdown.splitlines() if "leak" in line]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 7
    page = markdown2html(markdown)
    assert "<img" not in page
    # An address is made a link by whoever reads it.
    assert {href.partition(":")[0] for href in re.findall('href="([^"]*)', page)} <= {"https"}
    assert not re.search(r"\\[(\[]|\\href", page)
    assert "\x1b" not in markdown + plain + said
