"""No API key in small multiples, live or final, nor half of one where an answer is cut."""

from __future__ import annotations

import io

from cometnb.session.sweep_frame import Result
from cometnb.view.multiples import multiples_bundle
from cometnb.view.multiples_live import TerminalMultiples
from cometnb.view.multiples_widget import MultiplesView
from tests.view.test_multiples import answer, answered, grid


def test_a_cut_answer_holds_no_half_of_a_key() -> None:
    """Nor does a note, a line in the terminal or the line that ends a live cell."""
    made, out = grid(effort=["low", "high"]), io.StringIO()
    key = "sk-Canary2x7Qm4Vt9Zp1Rw6Kb3"
    for n_before in (0, 45, 50, 55, 1190, 11_990):
        results = answered(made, "x" * n_before + f" {key}" + "y" * 9)
        data, _ = multiples_bundle(made, results, notes=[f"Of {key}."])
        terminal = TerminalMultiples(made, [key], out)
        terminal.update({}, results)
        terminal.finish(results, [key])
        assert key[:9] not in str(data) + out.getvalue()
    cell = MultiplesView(made, "")
    cell.update({}, [Result(made.runs[0], answer("x", f"odd {key}"))], "", 0.0)
    assert "Canary" not in str(cell.sweep)
