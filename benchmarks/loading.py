"""Row 6: the CPU of importing cometnb, and of loading its magics into a kernel that runs."""

from __future__ import annotations

from functools import partial

from benchmarks.comparison.kernels import START_S, bare_kernel
from benchmarks.comparison.left import trouble
from benchmarks.kernel import fresh_kernel, run_cell
from benchmarks.plan import RIVALS, Plan, failing_is_unmeasured
from benchmarks.rounds import run_rounds
from benchmarks.tables import Section, Target

__all__ = ["import_cpu", "load_cpu"]

_OURS = "import cometnb"
_LOAD = "%load_ext cometnb"
_CAUSE = "It is the reading of its own byte code and of the standard library's; nothing else is imported"
_FIRST_USE = "from cometnb import Client"
_IMPORTS = {
    "import httpx": "httpx",
    "import anywidget": "anywidget",
    "import openai": "openai",
    "import chatlas": "chatlas",
    "import lisette": "lisette",
}
_MAGICS = {
    "%load_ext jupyter_ai_magics": "jupyter-ai-magics",
    "%load_ext jupyter_ai_magic_commands": "jupyter-ai-magic-commands",
}


def import_cpu(plan: Plan) -> Section:
    """Measure the imports a user would write, each in a fresh interpreter."""
    n_rounds = plan.rounds(5)
    statements = {_OURS: "", _FIRST_USE: "", **_IMPORTS}
    rounds = run_rounds(
        {each: partial(_import_cpu_s, plan, each, slug) for each, slug in statements.items()},
        n_rounds,
        n_discarded=plan.size(0, 1),
    )
    return Section(
        title="CPU of an import",
        note=(
            f"Seconds of CPU in a fresh interpreter, median of {n_rounds} interleaved rounds; byte code is cached."
            f" A ratio is the median of the ratios within a round, to `{_FIRST_USE}`, which loads the client and httpx."
        ),
        columns=("statement", "CPU s", "times"),
        rows=rounds.rows(statements, lambda each: (rounds.median(each), rounds.ratio(each, _FIRST_USE))),
        samples=rounds.samples,
        targets=[
            Target(f"`{_OURS}`", rounds.median(_OURS), 0.06, unit="s", cause=_CAUSE).beside(
                rounds, _OURS, _IMPORTS
            ),
        ],
        picture="imports",
    )


def load_cpu(plan: Plan) -> Section:
    """Measure loading the magics, and what others' loading costs in the same place."""
    n_rounds = plan.rounds(3)
    statements = {_LOAD: "", **_IMPORTS, **_MAGICS}
    rounds = run_rounds(
        {each: partial(_cell_cpu_s, plan, each, slug) for each, slug in statements.items()},
        n_rounds,
        n_discarded=plan.size(0, 1),
    )
    return Section(
        title="CPU of `%load_ext cometnb` in a running kernel",
        note=(
            f"Seconds of CPU of a kernel's process around the statement, median of {n_rounds} interleaved rounds, each in"
            " a fresh kernel. A ratio is the median of the ratios within a round."
        ),
        columns=("statement", "CPU s", f"times `{_LOAD}`"),
        rows=rounds.rows(statements, lambda each: (rounds.median(each), rounds.ratio(each, _LOAD))),
        samples=rounds.samples,
        targets=[
            Target(f"`{_LOAD}`", rounds.median(_LOAD), 0.10, unit="s", cause=_CAUSE).beside(
                rounds, _LOAD, _MAGICS
            ),
        ],
    )


def _import_cpu_s(plan: Plan, statement: str, slug: str) -> float:
    code = f"import time; start_s = time.process_time(); {statement}; print(time.process_time() - start_s)"
    cpu_s: float = plan.result_of(slug, "-c", code)
    return cpu_s


def _cell_cpu_s(plan: Plan, statement: str, slug: str) -> float:
    cell = f"import time\nstart_s = time.process_time()\n{statement}\nspent_s = time.process_time() - start_s"
    if not slug:
        with fresh_kernel() as kernel:
            run_cell(kernel, cell)
            return float(kernel.value("spent_s"))
    plan.python(slug)
    with failing_is_unmeasured(), bare_kernel(RIVALS[slug], plan.environments, plan.feed_url) as kernel:
        run = kernel.run(cell, timeout_s=START_S)
        assert not run.errors, trouble(run)
        return float(kernel.value("spent_s"))
