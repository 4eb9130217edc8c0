"""Loading and unloading: what is added to a shell, and that all of it goes again."""

from __future__ import annotations

from typing import Any

from tests.magics.shells import Shell


def _ours(shell: Shell) -> list[Any]:
    matchers = [one for one in shell.ip.Completer.custom_matchers if "cometnb" in repr(one).lower()]
    traits = [one for one in shell.ip.configurables if type(one).__name__ == "CometMagics"]
    words = [name for kind in ("cell", "line") for name in shell.ip.magics_manager.magics[kind]]
    return [len(matchers), len(traits), "respond" in words, "comet" in words]


def test_unloading_leaves_nothing(shell: Shell) -> None:
    """Magics, settings and completion come once, also after a reload, and go."""
    assert _ours(shell) == [1, 1, True, True]
    shell.run("%reload_ext cometnb")
    assert _ours(shell) == [1, 1, True, True]
    shell.run("%unload_ext cometnb")
    assert _ours(shell) == [0, 0, False, False]
    shell.run("%load_ext cometnb")


def test_completion_reads_no_cell_that_is_not_ours(shell: Shell) -> None:
    """A cell of Python is told apart by its text alone."""
    (matcher,) = shell.ip.Completer.custom_matchers

    class Context:
        full_text = "respond = 1\nresp"

    assert matcher(Context()) == {"completions": []}
