"""CometAPI's catalog: fetched when asked for, read tolerantly, kept with its date."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.client import catalog
from cometnb.client.catalog import CATALOG_URL, Catalog, catalog_path, fetch_catalog, read_catalog
from cometnb.errors import ConfigError, ConnectionFailedError, UnexpectedContentError
from tests.loopback import served

_ROW = {
    "id": "grok-4.5",
    "code": "grok-4-5",
    "name": "Grok 4.5",
    "endpoints": "{}",
    "pricing": {"currency": "USD / M Tokens", "input": 1.6, "output": "4.8", "per_request": 0, "ratio": 0.8},
}


def _answer(body: Any, status: int = 200) -> httpx.MockTransport:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.MockTransport(lambda request: httpx.Response(status, content=content))


def _fetched(body: Any, path: Path) -> Catalog:
    return fetch_catalog(path, transport=_answer(body))


def test_the_catalog_is_fetched_without_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is public: nothing that identifies the user is sent."""
    monkeypatch.setenv("COMETAPI_KEY", "sk-secret-secret")
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"success": True, "data": [_ROW]})

    fetch_catalog(tmp_path / "c.json", transport=httpx.MockTransport(answer))
    (request,) = seen
    assert (request.method, str(request.url)) == ("GET", CATALOG_URL)
    assert "authorization" not in request.headers
    assert "secret" not in str(request.headers)


def test_a_row_is_found_by_id_name_and_code(tmp_path: Path) -> None:
    """Numbers may be text, and 0 is "does not apply"."""
    other = {"id": "x", "name": "grok-4.5", "pricing": {"input": 9, "output": 9}}
    catalog = _fetched({"data": [other, _ROW]}, tmp_path / "c.json")
    assert (catalog.n_models, catalog.n_priced) == (2, 2)
    for name in ("grok-4.5", "grok-4-5"):
        listing = catalog.listings[name]
        assert (listing.name, listing.input, listing.output) == ("grok-4.5", 1.6, 4.8)
        assert (listing.ratio, listing.per_request) == (0.8, None)


def test_the_catalog_is_kept_with_its_date(tmp_path: Path) -> None:
    """And read without the network; the rows are kept whole."""
    path = tmp_path / "new" / "folder" / "c.json"
    fetched = _fetched({"data": [_ROW]}, path)
    assert abs(datetime.now(UTC) - fetched.fetched_at) < timedelta(minutes=5)
    assert read_catalog(path) == fetched
    assert json.loads(path.read_bytes())["models"]["data"] == [_ROW]
    assert [file.name for file in path.parent.iterdir()] == ["c.json"]


def test_a_folder_that_cannot_be_written_to_costs_only_the_keeping(tmp_path: Path) -> None:
    """The prices are shown all the same."""
    (tmp_path / "file").write_text("")
    assert _fetched({"data": [_ROW]}, tmp_path / "file" / "c.json").n_models == 1


@pytest.mark.parametrize(
    ("body", "n_models", "n_priced"),
    [
        ([_ROW], 1, 1),
        ({"data": {"models": [_ROW]}}, 1, 1),
        ({"data": [_ROW, None, 5, "x", [], {}, {"id": 7}, {"id": " "}]}, 1, 1),
        ({"data": [{"id": "a"}]}, 1, 0),
        ({"data": [{"id": "a", "pricing": None}, {"name": "b", "pricing": []}]}, 2, 0),
        ({"data": [{"id": "a", "pricing": {"input": "free", "output": {}}}]}, 1, 0),
        ({"data": [{"id": "a", "pricing": {"input": -1, "output": True}}]}, 1, 0),
        ({"data": [{"id": "a", "pricing": {"input": 1e308, "output": 1e7}}]}, 1, 0),
        ({"data": [{"id": "a", "pricing": {"input": 1, "output": 1, "currency": "CNY / M Tokens"}}]}, 1, 0),
        ({"data": [{"id": "a", "pricing": {"input": 1, "output": 1, "currency": "USD / K Tokens"}}]}, 1, 0),
        ({"data": [{"id": "a", "pricing": {"per_request": 0.05, "currency": "USD"}}]}, 1, 0),
    ],
)
def test_rows_of_any_shape_are_read(tmp_path: Path, body: Any, n_models: int, n_priced: int) -> None:
    """What is no price in dollars per million tokens is none."""
    catalog = _fetched(body, tmp_path / "c.json")
    assert (catalog.n_models, catalog.n_priced) == (n_models, n_priced)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>", 200),
        (b"", 200),
        (b"[" * 100_000, 200),
        ({"success": False}, 200),
        ({"data": []}, 200),
        ({"data": [_ROW]}, 500),
        ([_ROW], 404),
        (None, 200),
    ],
)
def test_an_answer_without_models_is_an_error_and_keeps_the_old_catalog(
    tmp_path: Path, body: Any, status: int
) -> None:
    """Two lines with the status."""
    path = tmp_path / "c.json"
    before = _fetched({"data": [_ROW]}, path)
    with pytest.raises(UnexpectedContentError) as caught:
        fetch_catalog(path, transport=_answer(body, status))
    assert f"HTTP {status}" in caught.value.fact
    assert caught.value.status_code == status
    assert read_catalog(path) == before


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_what_is_too_large_is_left_at_its_bound(tmp_path: Path, coding: str) -> None:
    """Unpacked: a few bytes may stand for gigabytes. What has been read is counted, and no more is."""
    n_pieces = 0
    packer = zlib.compressobj(wbits=31)

    def pieces() -> Iterator[bytes]:
        nonlocal n_pieces
        while n_pieces < 1000:
            n_pieces += 1
            piece = b" " * 2**20
            yield packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) if coding else piece

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=pieces(), headers={"content-encoding": coding} if coding else {})

    with pytest.raises(UnexpectedContentError, match="more than 33 MB") as caught:
        fetch_catalog(tmp_path / "c.json", transport=httpx.MockTransport(answer))
    assert n_pieces < 40
    assert caught.value.next_step == "Try again later: %comet prices --fetch"


def test_no_coding_is_asked_for_that_unpacks_without_bound(tmp_path: Path) -> None:
    """And one that comes all the same is not undone."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["accept-encoding"])
        body = gzip.compress(gzip.compress(json.dumps([_ROW]).encode()))
        return httpx.Response(200, content=iter([body]), headers={"content-encoding": "gzip, gzip"})

    with pytest.raises(UnexpectedContentError, match="no list of models"):
        fetch_catalog(tmp_path / "c.json", transport=httpx.MockTransport(answer))
    assert seen == ["gzip, deflate"]


def test_one_that_never_ends_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a little of it comes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b" ")
                    time.sleep(0.01)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    monkeypatch.setattr(catalog, "_TIMEOUT_S", 0.2)
    with served(Handler) as base_url:
        monkeypatch.setattr(catalog, "CATALOG_URL", base_url)
        with pytest.raises(ConnectionFailedError, match="cannot be fetched"):
            fetch_catalog()


def test_a_proxy_that_is_none_is_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with any other call."""
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://127.0.0.1")
    with pytest.raises(ConfigError, match="cannot be set up"):
        fetch_catalog()


def test_no_answer_is_an_error() -> None:
    """And says that prices do not depend on it."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    with pytest.raises(ConnectionFailedError, match="no route") as caught:
        fetch_catalog(transport=httpx.MockTransport(refuse))
    assert "need none" in caught.value.next_step
    assert not catalog_path().exists()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["data", "id", "pricing", "input", "ratio", "currency", "models"]), inner
        )
    ),
    max_leaves=20,
)


@given(_json)
def test_any_json_is_read_or_refused(body: Any) -> None:
    """A catalog that changed its shape breaks nothing."""
    with_models = 0
    try:
        with_models = fetch_catalog(Path("/dev/null/c.json"), transport=_answer(body)).n_models
    except UnexpectedContentError:
        return
    assert with_models > 0


def test_a_name_can_be_printed(tmp_path: Path) -> None:
    """Half a surrogate pair in it, as JSON may hold, is replaced."""
    catalog = _fetched({"data": [{"id": "\ud83d"}]}, tmp_path / "c.json")
    assert [one.name.encode() for one in catalog.listings.values()] == ["�".encode()]
    assert list(catalog.listings) == ["�"]


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"fetched_at": 5, "models": []}',
        '{"fetched_at": "x", "models": []}',
        "[" * 9999,
    ],
)
def test_a_kept_file_that_cannot_be_read_is_none(tmp_path: Path, kept: str) -> None:
    """It is as if the catalog had not been fetched."""
    path = tmp_path / "c.json"
    path.write_text(kept)
    assert read_catalog(path) is None
    assert read_catalog(tmp_path) is None
    assert read_catalog(tmp_path / "none") is None
