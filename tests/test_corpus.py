"""The loader of recorded traffic finds every file and pairs it with what reading it must give."""

from __future__ import annotations

import json

from tests import corpus


def test_every_row_of_the_manifest_is_loaded_once() -> None:
    """Streams and bodies together are the manifest."""
    lines = (corpus.folder() / "manifest.jsonl").read_text("utf-8").splitlines()
    loaded = sorted(recording.name for recording in corpus.streams() + corpus.bodies())
    assert loaded == sorted(json.loads(line)["file"] for line in lines)


def test_a_stream_says_what_folding_must_give() -> None:
    """Most streams have a consensus, and each names text, calls, usage and status."""
    corpus.folder()
    expected = [recording.expected for recording in corpus.streams()]
    known = [each for each in expected if each is not None]
    assert len(known) > len(expected) // 2
    for each in known:
        assert {"output_text", "function_calls", "usage", "status"} <= each.keys()


def test_transcripts_of_servers_have_bytes_and_no_expectation() -> None:
    """They are there to be survived, not compared."""
    corpus.folder()
    transcripts = corpus.servers()
    assert transcripts
    assert all(each.data and each.expected is None for each in transcripts)
