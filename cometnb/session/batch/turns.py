"""Jobs that may call functions of the notebook: each is a conversation of one turn, asked round by round."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from cometnb.client.stream import AsyncResponseStream
from cometnb.protocol.response import Response
from cometnb.session.batch.asking import Asking, Runner, ask, opened
from cometnb.session.conversation import Conversation
from cometnb.session.rounds import DEFAULT_MAX_ROUNDS, asking
from cometnb.session.tools import Toolbox
from cometnb.session.turn_stream import TurnStream

__all__ = ["turns"]


def turns(toolbox: Toolbox, max_rounds: int = DEFAULT_MAX_ROUNDS) -> Runner:
    """Return a runner that offers a toolbox to every job, runs the functions it calls and sends their results back.

    Parameters
    ----------
    toolbox : Toolbox
    max_rounds : int
        Most calls of the service for one job.

    Notes
    -----
    Only the last answer is kept in a checkpoint, with the items of all rounds. A job whose rounds were cut off is
    asked anew from the first: its functions run again.
    """

    async def run(job: Asking) -> Response:
        if not toolbox.runs_functions:
            params = {**job.job.params, **toolbox.offered()}
            return await ask(job.with_params(params))
        chat = Conversation()
        params = {"model": job.client.setup.model, **job.job.params, **toolbox.offered()}
        prompt = params.pop("input", "")
        turn = chat.begin(prompt)
        flow = asking(chat, turn, job.client.base_url, params, runs_tools=True, max_rounds=max_rounds)
        stream = TurnStream(flow, partial(_opened, job), toolbox, None, chat.remarks)
        try:
            async with stream:
                async for event in stream:
                    if job.on_events is not None:
                        job.on_events(job.job, (event,))
        finally:
            for note in stream.notes:
                job.note(note)
        return stream.response

    return run


def _opened(job: Asking, params: Mapping[str, Any]) -> AsyncResponseStream:
    return opened(job, {**params, "stream": True})
