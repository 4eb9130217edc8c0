"""How the live view of a run ends: with its answer's last words, with an error, or whole for whoever came late."""

from __future__ import annotations

from typing import Any

from cometnb.panel.history import Run
from cometnb.panel.packing import without_key
from cometnb.protocol.response import Response
from cometnb.view.blocks import Blocks
from cometnb.view.feed import Feed
from cometnb.view.html import block_html

__all__ = ["ended", "shown_whole"]


def ended(feed: Feed, run: Run) -> dict[str, Any]:
    """Return the news that end the view of a run, also of one without an answer."""
    if run.response is None:
        words = "nothing came" if run.error is None else str(run.error) or type(run.error).__name__
        return {"phase": "done", "tail": "", "detail": without_key(words.splitlines()[0])}
    return feed.last(run.response)


def shown_whole(feed: Feed, response: Response) -> dict[str, Any]:
    """Return the news that show a finished answer in a view that has seen nothing of it."""
    feed.clear(response.model or "")
    blocks = Blocks()
    text = response.output_text or (f"**Refused.** {response.refusal}" if response.refusal else "")
    done = [*blocks.feed(text), blocks.finish()]
    return {**feed.last(response), "blocks": [block_html(block) for block in done if block]}
