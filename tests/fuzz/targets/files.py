"""Files somebody else may have written: cassettes, other programs' recordings, price tables, catalogs."""

from __future__ import annotations

import json
import math
import tempfile
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from cometnb.client.cassette.played import actions
from cometnb.client.cassette.shelf import Shelf
from cometnb.client.cassette.tape import line_of, read_tape, written
from cometnb.client.cassette.transport import Cassette
from cometnb.client.cassette.vcr import import_recordings
from cometnb.client.catalog import read_catalog
from cometnb.client.client import Client
from cometnb.client.simulator.reply import Break
from cometnb.errors import CometError, CometWarning, ConfigError
from cometnb.ledger.pricelist.price_table import example, read_table
from cometnb.ledger.prices import Billable, Prices
from tests.fuzz.looking import check_error, check_response, check_text
from tests.fuzz.target import Target
from tests.needs import ROOT

__all__ = ["TARGETS", "cassette", "catalog", "price_table", "vcr_json", "vcr_yaml"]

_MOST_PLAYED = 3
_TOKENS_CASSETTE = (
    b'{"cassette": 1}\n', b'{"request": "POST /responses", "key": "a"}\n', b'{"answer": 200}\n', b'{"end": "whole"}\n',
    b'{"event": {"type": "response.completed"}}\n', b'{"body": null}\n', b'{"base64": "AA=="}\n', b'"gap_s": 1e9',
)  # fmt: skip
_TOKENS_YAML = (
    b"&a ", b"*a", b"!!python/object/apply:os.system ['true']", b"!!binary ", b"<<: ", b"? ", b"- ", b"  ", b"|\n",
    b"interactions:\n", b"request:", b"response:", b"status:", b"body:", b"string: ", b"%YAML 1.1\n---\n", b"!!set ",
    b"2026-99-99", b"1_000", b"0x", b"!!timestamp ", b"!!float ", b"~",
)  # fmt: skip
_TOKENS_TOML = (
    b"[[price]]\n", b"[price]\n", b"[[price.tier]]\n", b"model = ", b"input = ", b"output = ", b"from = ", b"nan",
    b"inf", b"-1", b"0x" + b"f" * 5000, b"2026-02-30", b"1979-05-27T07:32:00Z", b'"""', b"[" * 2000, b"{a=" * 2000,
    b'"*"', b'"[a-"', b"above_input_tokens = ", b"service_tier = ", b"tool_fees_per_1000 = {}", b"a." * 2000,
)  # fmt: skip


def cassette(data: bytes) -> None:
    """Open a file as a cassette, write it again, and play it: only errors of our own, and the same again."""
    try:
        tape = read_tape(data, "calls.jsonl")
    except ConfigError as error:
        check_error(error)
        return
    shelf = Shelf(only_good=True)
    shelf.add(tape.recordings)
    lines = [line_of(written(None))]
    for recording in tape.recordings:
        parts = [
            recording.asked,
            *([recording] if recording.status else []),
            *recording.pieces,
            recording.end,
        ]
        lines += [line_of(written(part)) for part in parts if part is not None]
        for action in actions(recording, "fast"):
            assert isinstance(action, bytes | Break) or (action.seconds or 0) >= 0
    again = read_tape(b"".join(lines), "calls.jsonl")
    assert [(one.status, one.pieces, one.asked) for one in again.recordings] == [
        (one.status, one.pieces, one.asked) for one in tape.recordings
    ]
    _play(data)


def _play(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", CometWarning)
        path = Path(folder) / "calls.jsonl"
        path.write_bytes(data)
        played = Cassette(path, pace="instant")
        assert played.recorded_usd >= 0
        check_text(repr(played))
        bodies = [one.asked.body for one in played._shelf.recordings if isinstance(one.asked.body, dict)]
        with Client(transport=played, max_retries=1) as client:
            for body in [*bodies[:_MOST_PLAYED], {"model": "m", "input": "never recorded"}]:
                try:
                    check_response(client.respond(extra_body=body))
                except CometError as error:
                    check_error(error)
                    if error.response is not None:
                        check_response(error.response)
        assert path.read_bytes() == data, "a replay changes its file"
        assert [file.name for file in Path(folder).iterdir()] == ["calls.jsonl"]


def vcr_yaml(data: bytes) -> None:
    """Import a file as YAML: plain values only, bounded, and a cassette that can be read."""
    _import(data, "other.yaml")


def vcr_json(data: bytes) -> None:
    """Import a file as JSON."""
    _import(data, "other.json")


def _import(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, to = Path(folder) / name, Path(folder) / "calls.jsonl"
        source.write_bytes(data)
        try:
            came = import_recordings([source], to)
        except CometError as error:
            check_error(error)
            return
        assert source.read_bytes() == data
        made = read_tape(to.read_bytes(), "calls.jsonl") if to.exists() else None
        assert came.n_calls == (len(made.recordings) if made else 0)
        assert {file.name for file in Path(folder).iterdir()} <= {name, "calls.jsonl"}


def price_table(data: bytes) -> None:
    """Read a file as a price table, and price a call with it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prices.toml"
        path.write_bytes(data)
        prices = Prices(path, catalog=Path(folder) / "none.json")
        try:
            table = read_table(path)
        except ConfigError as error:
            check_error(error)
            assert math.isnan(prices.cost(_billable("m")).usd)
            return
        for entry in table.entries[:5]:
            assert all(rate is None or 0 <= rate <= 1_000_000 for rate in entry.tariff.base)
            _check_priced(prices, entry.model)
        _check_priced(prices, "m")
        assert table.service_tiers(["m"]) == tuple(dict.fromkeys(table.service_tiers(["m"])))


def catalog(data: bytes) -> None:
    """Read a file as CometAPI's catalog, and price a call with it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "models.json"
        path.write_bytes(data)
        read = read_catalog(path)
        prices = Prices(Path(folder) / "prices.toml", catalog=path)
        prices._must_exist = False
        names = list(read.listings)[:5] if read is not None else []
        if read is not None:
            assert 0 < read.n_models >= read.n_priced >= 0
            for one in read.listings.values():
                for price in (one.input, one.output, one.ratio, one.per_request):
                    assert price is None or (math.isfinite(price) and price > 0)
        for name in [*names, "gpt-5.4"]:
            _check_priced(prices, name)


def _billable(name: str) -> Billable:
    return Billable(model=name, base_url="https://api.cometapi.com/v1", input_tokens=10**6, output_tokens=10)


def _check_priced(prices: Prices, name: str) -> None:
    cost = prices.cost(_billable(name))
    assert math.isnan(cost.usd) or 0 <= cost.usd < float("inf"), cost
    check_text(cost.source)
    for offer in prices.offers(name, at=datetime(2026, 11, 1, tzinfo=UTC)):
        check_text(offer.source)


def _cassettes() -> Iterator[bytes]:
    body = {"model": "m", "input": "Hi"}
    head = [{"cassette": 1, "by": "cometnb"}, {"request": "POST /responses", "key": "k1", "body": body}]
    answer = {"answer": 200, "gap_s": 0.1, "headers": {"content-type": "text/event-stream"}}
    end = {
        "end": "whole",
        "gap_s": 0.0,
        "at": "2026-01-01T00:00:00Z",
        "cost_usd": 0.1,
        "ttft_s": 0.1,
        "backend": "api",
    }
    delta = {"event": {"type": "response.output_text.delta", "delta": "Hi"}, "gap_s": 0.01}
    last = {
        "event": {"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}},
        "name": "x",
    }
    whole = [*head, answer, delta, last, {"data": "[DONE]"}, end]
    json_answer = {"answer": 200, "headers": {"content-type": "application/json"}}
    told = {"body": {"id": "resp_1", "object": "response", "status": "completed", "output": []}}
    follow = {"request": "POST /responses", "key": "k2", "body": body | {"previous_response_id": "@k1"}}
    look = {"request": "GET /responses/@k1", "key": "k3", "query": {"stream": "true"}}
    for lines in (
        whole,
        whole[:-1],
        [
            *head,
            json_answer,
            told,
            end,
            follow,
            json_answer,
            told,
            end,
            look,
            json_answer,
            {"text": "no JSON"},
            end,
        ],
        [*head, {"answer": 429, "headers": {"retry-after": "0"}}, {"base64": "AP8="}, {"end": "broken"}],
        head[:1],
    ):
        yield b"".join(json.dumps(line).encode() + b"\n" for line in lines)


_VCR = ROOT / "tests" / "client" / "cassette" / "vcr"
_BOMB = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


def _yamls() -> Iterator[bytes]:
    yield from (file.read_bytes() for file in sorted(_VCR.iterdir()))
    yield f"a0: &a0 [x]\n{_BOMB}interactions: *a11\n".encode()
    yield f"a0: &a0 [x]\n{_BOMB}interactions:\n- request: {{method: POST, uri: 'http://h/v1/responses', body: *a11}}\n  response: {{status: 200, body: {{string: *a11}}}}\n".encode()
    yield b"interactions: &a\n- *a\n"
    yield b"interactions:\n- &a {request: *a, response: *a}\n"


def _jsons() -> Iterator[bytes]:
    request = {"method": "POST", "uri": "https://h/v1/responses", "body": '{"model": "m", "input": "Hi"}'}
    reply = {"status": {"code": 200, "message": "OK"}, "headers": {"Content-Type": ["application/json"]}}
    told = {"id": "resp_1", "object": "response", "status": "completed", "output": []}
    sse = 'data: {"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}}\n\n'
    for body in (
        {"string": json.dumps(told)},
        {"base64_string": "e30="},
        {"string": sse},
        json.dumps(told),
        told,
    ):
        call = {
            "request": request,
            "response": reply | {"body": body},
            "recorded_at": "Thu, 01 Jan 2026 00:00:00 GMT",
        }
        yield json.dumps({"interactions": [call, call]}).encode()
    packed = reply | {"headers": {"content-encoding": "gzip"}, "body": "not packed"}
    yield json.dumps({"http_interactions": [{"request": request, "response": packed}]}).encode()


def _tables() -> Iterator[bytes]:
    text = example("m", date(2026, 11, 1))
    yield text.encode()
    yield text.replace("# ", "").encode()
    yield b'[[price]]\nmodel = "*"\ninput = 1\n[[price]]\nmodel = "m"\noutput = 2.5\nfrom = "2020-01-01"\n'
    yield b'[[price]]\nmodel = "[!m"\ninput = 1\ntier = [{above_input_tokens = 5, input = 2}]\n'


def _catalogs() -> Iterator[bytes]:
    rows = [
        {"id": "gpt-5.4", "name": "GPT", "code": "x", "pricing": {"input": 1.0, "output": "8", "ratio": 0.8}},
        {"id": "m", "pricing": {"per_request": 0.1, "currency": "USD/M Tokens"}},
    ]
    for models in ({"data": rows}, rows, {"data": {"list": rows}}):
        yield json.dumps({"fetched_at": "2026-11-01T00:00:00+00:00", "models": models}).encode()


TARGETS = (
    Target("cassette", cassette, _cassettes, tokens=_TOKENS_CASSETTE, n_tested=150),
    Target("vcr_yaml", vcr_yaml, _yamls, tokens=_TOKENS_YAML, n_tested=100, limit_s=10.0),
    Target("vcr_json", vcr_json, _jsons, n_tested=150),
    Target("price_table", price_table, _tables, tokens=_TOKENS_TOML, n_tested=200),
    Target("catalog", catalog, _catalogs, n_tested=150),
)
