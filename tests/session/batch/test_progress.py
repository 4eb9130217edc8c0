"""What the bar says: rows, cost, what failed, what came from the file, how long it takes, why it waits."""

from __future__ import annotations

from math import nan

import pytest

from cometnb.session.batch.engine import BatchRun
from cometnb.session.batch.limits import Limits
from cometnb.session.batch.progress import Progress
from cometnb.session.batch.results import Line
from tests.session.batch.running import jobs, run
from tests.session.batch.services import Plain

_ANSWER = Line(response_id="resp_1", source="asked", status="completed", cost_usd=0.25)
_STORED = Line(response_id="resp_2", source="checkpoint", status="completed", cost_usd=0.25)


@pytest.mark.parametrize(
    ("line", "is_asked", "words"),
    [
        (_ANSWER, True, "$0.25"),
        (_ANSWER, False, "$0.00"),
        (_STORED, False, "$0.00, 1 from the checkpoint"),
        (
            Line(response_id="resp_1", source="asked", error="It does not fit.", cost_usd=0.25),
            True,
            "$0.25, 1 failed",
        ),
        (Line(response_id="resp_1", source="asked", cost_usd=nan), True, "1 without a known price"),
        (Line(source="asked", error="The service broke.", cost_usd=nan), True, "$0.00, 1 failed"),
    ],
)
def test_each_row_is_counted_as_the_frame_has_it(line: Line, is_asked: bool, words: str) -> None:
    """Costs of this run alone; an answer that does not fit has failed; what has no answer has no price."""
    progress = Progress(3, shows=False)
    progress.take(line, is_asked=is_asked)
    assert progress.words() == words


def test_the_time_left_is_that_of_what_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand rows from the file in a moment do not promise that the rest is done in a moment."""
    progress = Progress(1_010)
    for _ in range(1_000):
        progress.take(_STORED, is_asked=False)
    bar = progress._bar
    bar.start_t -= 60
    for _ in range(5):
        progress.take(_ANSWER, is_asked=True)
    bar.refresh()
    progress.close()
    assert "[01:00<01:00" in capsys.readouterr().err


def test_a_wait_is_told_until_it_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    """Also when a row comes in between, and not behind a batch that has ended."""
    _, batch = run(Plain(), jobs("a"))
    progress = Progress(2)
    waiting = _Waiting(batch)
    progress.tick(waiting)
    progress.take(_ANSWER, is_asked=True)
    assert progress.words() == "$0.25, waits 12 s (the service is busy)"
    progress.tick(batch)
    assert progress.words() == "$0.25"
    progress.tick(waiting)
    progress.close()
    assert capsys.readouterr().err.rstrip().endswith("$0.25]")


class _Waiting(BatchRun):
    """A run whose service has asked for 12 s."""

    def __init__(self, batch: BatchRun) -> None:
        self.limits = Limits()
        self._entrance = batch._entrance

    @property
    def pause_s(self) -> float:
        """As its service asked."""
        return 12.0
