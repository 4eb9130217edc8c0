"""The user's own prices: what the file may say, which price of it holds, and what a mistake in it looks like."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import ConfigError
from cometnb.ledger.pricelist.price_table import PriceTable, default_path, example, read_table
from cometnb.ledger.pricelist.rates import Rates
from cometnb.ledger.prices import Billable, Prices

_AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
_COMET = "https://api.cometapi.com/v1"

_TABLE = """
[[price]]
model = "gpt-5.4"
input = 1
cached = 0.1
output = 2
tool_fees_per_1000 = { code_interpreter_call = 30, web_search_call = 1.0 }

[[price.tier]]
above_input_tokens = 1_000
input = 10

[[price]]
model = "gpt-5.4"
from = 2026-06-01
input = 3
output = 4

[[price]]
model = "gpt-5.4"
from = "2027-01-01"
input = 5
output = 6

[[price]]
model = "GPT-5.4"
service_tier = "Flex"
input = 0.5
output = 1

[[price]]
model = "my-*"
input = 7
output = 7

[[price]]
model = "my-[0-9]"
input = 8
output = 8

[[price]]
model = "my-exact"
from = 2026-12-01
input = 9
output = 9
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a table, and return where."""

    def written(text: str) -> Path:
        path = tmp_path / "prices.toml"
        path.write_text(text, "utf-8")
        return path

    return written


def _prices(path: Path) -> Prices:
    return Prices(path, catalog=path.with_name("none.json"))


def _usd(path: Path, model: str, sent: int = 1000, received: int = 0, **more: Any) -> float:
    billable = Billable(model=model, input_tokens=sent, output_tokens=received, **({"at": _AT} | more))
    return _prices(path).cost(billable).usd


@pytest.mark.parametrize(
    ("model", "more", "usd_per_1000"),
    [
        ("gpt-5.4", {"at": datetime(2026, 5, 31, 23, 59)}, 0.001),  # noqa: DTZ001  # without a zone: UTC
        ("gpt-5.4", {"at": datetime(2026, 6, 1, tzinfo=UTC)}, 0.003),
        ("gpt-5.4", {}, 0.003),
        ("gpt-5.4", {"at": datetime(2027, 1, 1, tzinfo=UTC)}, 0.005),
        ("GPT-5.4-2026-03-05", {}, 0.003),
        ("openai/gpt-5.4", {}, 0.003),
        ("gpt-5.4", {"service_tier": "flex"}, 0.0005),
        ("gpt-5.4", {"service_tier": "default"}, 0.003),
        ("gpt-5.4", {"base_url": _COMET}, 0.003),  # no ratio on one's own prices
        ("gpt-5.4", {"backend": "simulator"}, 0.003),
        ("my-model", {}, 0.007),
        ("vendor/my-model-2026-01-01", {}, 0.007),
        ("my-1", {}, 0.008),  # of two patterns the later
        ("my-exact", {}, 0.007),  # its own price is for later
        ("my-exact", {"at": datetime(2026, 12, 1, tzinfo=UTC)}, 0.009),
        ("deployment", {"model_requested": "my-model"}, 0.007),
        # What the table does not know, the official list does.
        ("gpt-5.4-mini", {}, 0.00075),
    ],
)
def test_the_price_that_holds(
    write: Callable[[str], Path], model: str, more: dict[str, Any], usd_per_1000: float
) -> None:
    """A name before a pattern, the newest that has begun, and the table before any other source."""
    assert _usd(write(_TABLE), model, **more) == pytest.approx(usd_per_1000, rel=1e-12)


def test_a_tier_of_the_table_is_for_the_whole_request(write: Callable[[str], Path]) -> None:
    """Just at the bound it is not crossed; what the tier does not say stays."""
    path, early = write(_TABLE), datetime(2026, 5, 1, tzinfo=UTC)
    assert _usd(path, "gpt-5.4", 1000, 100, at=early) == pytest.approx(0.0012)
    assert _usd(path, "gpt-5.4", 1001, 100, at=early) == pytest.approx(0.01021)


def test_a_kind_of_token_the_table_does_not_price_is_left_to_the_next_source(
    write: Callable[[str], Path],
) -> None:
    """The whole call goes there: two sources are never mixed in one amount."""
    prices = _prices(write(_TABLE))
    cached = Billable(model="gpt-5.4", at=_AT, input_tokens=1000, cached_tokens=400, output_tokens=0)
    cost = prices.cost(cached)
    assert cost.usd == pytest.approx((600 * 2.5 + 400 * 0.25) / 1e6)
    assert "genai-prices" in cost.source
    own = prices.cost(Billable(model="my-1", at=_AT, input_tokens=1000, cached_tokens=400, output_tokens=0))
    assert math.isnan(own.usd)
    assert own.source == "no price for cached input tokens in your price table (prices.toml): my-[0-9]"


def test_fees_of_the_table_come_first(write: Callable[[str], Path]) -> None:
    """Also for tools that no list has."""
    calls = {"code_interpreter_call": 1, "web_search_call": 2, "file_search_call": 4}
    early = datetime(2026, 5, 1, tzinfo=UTC)
    billable = Billable(model="gpt-5.4", at=early, input_tokens=1, output_tokens=1, n_tool_calls=calls)
    assert _prices(write(_TABLE)).cost(billable).fees_usd == pytest.approx(0.03 + 0.002 + 0.01)


def test_the_source_names_the_entry_and_no_folder(write: Callable[[str], Path]) -> None:
    """It is stored with every row."""
    path = write(_TABLE)
    cost = _prices(path).cost(Billable(model="gpt-5.4", at=_AT, input_tokens=1, output_tokens=1))
    assert cost.source == "your price table (prices.toml): gpt-5.4 from 2026-06-01"


def test_a_changed_table_is_read_again(write: Callable[[str], Path]) -> None:
    """Without a new kernel; also when it goes away, or comes."""
    path = write('[[price]]\nmodel = "m"\ninput = 1\noutput = 1\n')
    prices = _prices(path)
    billable = Billable(model="m", at=_AT, input_tokens=1_000_000, output_tokens=0)
    assert prices.cost(billable).usd == 1
    write('[[price]]\nmodel = "m"\ninput = 22\noutput = 1\n')
    assert prices.cost(billable).usd == 22
    write('[[price]]\nmodel = "m"\ninput = 3x\n')
    assert "is not TOML" in prices.cost(billable).source
    write('[[price]]\nmodel = "m"\ninput = 44\noutput = 1\n')
    os.utime(path, ns=(1, 1))
    assert prices.cost(billable).usd == 44
    path.unlink()
    assert "is not there" in prices.cost(billable).source
    write('[[price]]\nmodel = "m"\ninput = 5\noutput = 1\n')
    assert prices.cost(billable).usd == 5


def test_the_table_s_tiers_are_known(write: Callable[[str], Path]) -> None:
    """They are shown beside the official ones."""
    prices = _prices(write(_TABLE))
    assert prices.service_tiers("gpt-5.4", _AT)[0] == "flex"
    price = prices.price("gpt-5.4", service_tier="flex", at=_AT)
    assert price is not None
    assert (price.kind, price.base) == ("table", Rates(0.5, None, None, 1.0))


_OK = 'model = "m"\ninput = 1\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[price]]\ninput = 1\n", ("price 1", "model is missing")),
        ('[[price]]\nmodel = ""\ninput = 1\n', ("price 1", "model is ''")),
        ("[[price]]\nmodel = 5\ninput = 1\n", ("price 1", "model is 5")),
        ('[[price]]\nmodel = "m"\n', ("price 1 (m)", "input is missing, and so is every other price")),
        (f"[[price]]\n{_OK}[[price]]\nmodel = 'n'\noutput = -1\n", ("price 2 (n)", "output is -1")),
        (f"[[price]]\n{_OK}output = nan\n", ("price 1 (m)", "output is nan")),
        (f"[[price]]\n{_OK}output = inf\n", ("price 1 (m)", "output is inf")),
        (f"[[price]]\n{_OK}output = 1e7\n", ("price 1 (m)", "output is 1e+07", "1,000,000")),
        (f"[[price]]\n{_OK}output = '2'\n", ("price 1 (m)", "output is '2', not a number of dollars")),
        (f"[[price]]\n{_OK}output = true\n", ("price 1 (m)", "output is True")),
        (f"[[price]]\n{_OK}ouput = 1\n", ("price 1 (m)", "ouput is not known (did you mean output?)")),
        (f"[[price]]\n{_OK}zzz = 1\n", ("price 1 (m)", "zzz is not known.")),
        (f"[[price]]\n{_OK}from = 'soon'\n", ("price 1 (m)", "from is 'soon', not a day")),
        (f"[[price]]\n{_OK}from = 2026\n", ("price 1 (m)", "from is 2026")),
        (f"[[price]]\n{_OK}service_tier = 1\n", ("price 1 (m)", "service_tier is 1")),
        (f"[[price]]\n{_OK}tier = 1\n", ("price 1 (m)", "tier is not written [[price.tier]]")),
        (f"[[price]]\n{_OK}[[price.tier]]\ninput = 1\n", ("tier 1", "above_input_tokens is None")),
        (
            f"[[price]]\n{_OK}[[price.tier]]\nabove_input_tokens = 1.5\n",
            ("tier 1", "above_input_tokens is 1.5"),
        ),
        (
            f"[[price]]\n{_OK}[[price.tier]]\nabove_input_tokens = 1\ninptu = 1\n",
            ("tier 1", "did you mean input?"),
        ),
        (
            f"[[price]]\n{_OK}" + "[[price.tier]]\nabove_input_tokens = 1\n" * 2,
            ("tier 2", "above_input_tokens is 1, as in another tier"),
        ),
        (f"[[price]]\n{_OK}tool_fees_per_1000 = 1\n", ("price 1 (m)", "tool_fees_per_1000 is not written {")),
        (f"[[price]]\n{_OK}tool_fees_per_1000 = {{a = -1}}\n", ("tool_fees_per_1000.a is -1",)),
        (f"[[price]]\n{_OK}" * 2, ("price 2 (m)", "from is the same as in price 1")),
        (f"[price]\n{_OK}", ("price is not written [[price]], with two brackets",)),
        ("price = [1]\n", ("price is not written [[price]]",)),
        (f"[[prices]]\n{_OK}", ("prices stands at the top",)),
        ("[[price]]\nmodel = 0x" + "f" * 5000, ("price 1", "model is a number without end")),
        (
            f"[[price]]\n{_OK}[[price.tier]]\nabove_input_tokens = 0x" + "f" * 5000,
            ("tier 1", "above_input_tokens is a number without end"),
        ),
        ("a = " + "[" * 5000, ("is not TOML",)),
        ("[[price\n", ("is not TOML", "line 1")),
        ("model = 'x'\nmodel = 'y'\n", ("is not TOML",)),
    ],
)
def test_a_mistake_is_named_in_two_lines(
    write: Callable[[str], Path], text: str, words: tuple[str, ...]
) -> None:
    """With the file, the entry and the key; no call is priced until it is corrected."""
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        read_table(path)
    assert len(str(caught.value).splitlines()) == 2
    for word in (str(path), *words):
        assert word in caught.value.fact
    prices = _prices(path)
    with pytest.raises(ConfigError):
        prices.price("gpt-5.4")
    for _ in range(2):
        cost = prices.cost(Billable(model="gpt-5.4", input_tokens=1, output_tokens=1))
        assert math.isnan(cost.usd)
        assert words[-1] in cost.source


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Binary data, a folder, or nothing."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, fact in (
        (binary, "is not TOML"),
        (tmp_path, "cannot be read"),
        (tmp_path / "none", "cannot be"),
    ):
        with pytest.raises(ConfigError, match=fact):
            read_table(path)


def test_a_named_table_must_be_there_and_the_default_one_need_not(tmp_path: Path) -> None:
    """Who names a file means it."""
    with pytest.raises(ConfigError, match="is not there"):
        Prices(tmp_path / "none.toml").check()
    assert not default_path().exists()
    Prices().check()
    assert Prices().table_path == default_path()


def test_an_empty_table_prices_nothing(write: Callable[[str], Path]) -> None:
    """A byte order mark and comments do no harm."""
    assert read_table(write("\ufeff# nothing yet\n")).entries == ()


@pytest.mark.parametrize("model", ["my-model", 'q"uote', "back\\slash", "ünï/code*", "a b"])
def test_the_example_is_a_table(write: Callable[[str], Path], model: str) -> None:
    """It can be copied as it is, and prices the model it was made for."""
    text = example(model, date(2026, 11, 1))
    assert tomllib.loads(text)["price"][0]["model"] == model
    assert _usd(write(text), model, 300_000, 0, at=datetime(2020, 1, 1, tzinfo=UTC)) == pytest.approx(0.75)
    # Every line of it that is commented out can be used.
    uncommented = [line.removeprefix("# ") for line in text.splitlines() if not line.startswith("# What")]
    path = write("\n".join(uncommented))
    assert _usd(path, model, 300_000, 0, service_tier="flex") == pytest.approx(1.5)
    (entry,) = read_table(path).entries
    assert (entry.since, entry.service_tier) == (date(2026, 11, 1), "flex")
    assert entry.tariff.base == Rates(2.5, 0.25, 3.125, 15.0)


@given(
    st.lists(st.tuples(st.sampled_from("ab*"), st.dates(), st.sampled_from(["", "flex"])), unique=True),
    st.dates(),
)
def test_the_entry_found_has_always_begun(entries: list[tuple[str, date, str]], day: date) -> None:
    """And no other of the same name and tier has begun since."""
    from cometnb.ledger.pricelist.price_table import Entry
    from cometnb.ledger.pricelist.rates import Tariff

    table = PriceTable(Entry(model, since, tier, Tariff(Rates(1.0))) for model, since, tier in entries)
    found = table.find(("a",), "", day)
    begun = {
        name: [s for model, s, tier in entries if model == name and tier == "" and s <= day] for name in "a*"
    }
    expected = max(begun["a"] or begun["*"], default=None)
    assert (found.since if found else None) == expected
