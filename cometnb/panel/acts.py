"""What the keys of a board do, one function for each wish of the page."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cometnb.errors import CellError, CometWarning
from cometnb.panel.tabs import CODE_FORMS
from cometnb.panel.widgets import Part

if TYPE_CHECKING:
    from cometnb.panel.board import Board

__all__ = ["ACTS", "Act"]

Act = Callable[["Board", Part, Mapping[str, Any]], None]
"""Takes the board, the part that was touched, and the page's message."""


def _set(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    """Nothing more: changes come with every message."""


def _tab(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    board.open_tab(_word(message, "tab"))


def _run(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    board.panel.start()


def _stop(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    board.panel.stop()


def _clear(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    board.panel.clear()
    board.empty()


def _drop(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    path = _word(message, "path")
    board.panel.drop_refused(path)
    board.say(f"{path} is not sent any more.")


def _cell(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    # Only the view whose key was pressed adds a cell.
    part.send({"op": "insert", "view": message.get("view"), "text": board.panel.code("cell")})


def _form(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    form = _word(message, "form")
    if form in CODE_FORMS:
        board.picked.form, board.picked.asked_for = form, board.panel.settings
        board.picked.filled = None
        board.draw_page()


def _pick(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    board.picked.pick(_word(message, "id"), message.get("is_picked") is True)
    board.draw_page()


def _run_load(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    run = next((one for one in board.panel.runs if one.run_id == message.get("id")), None)
    if run is None:
        raise CellError("This run is no longer kept.", "Choose another one.")
    board.panel.settings = run.settings
    board.say(f"The settings of run {run.number} are loaded.")


def _preset_load(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    name = _word(message, "name")
    board.panel.load_preset(name)
    board.choose_preset(name)
    board.say(" ".join(filter(None, [f"Preset {name}.", board.panel.presets.doc(name)])))


def _preset_save(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    name = _word(message, "name")
    is_own = name in board.panel.presets.own
    if is_own and name != board.chosen:
        raise CellError(
            f"There is a preset {name!r} already.",
            "Choose another name, or choose it from the list to replace it.",
        )
    board.panel.presets.save(name, board.panel.settings, replace=is_own)
    board.choose_preset(name)
    board.say(f"Saved as {name}.")


def _preset_rename(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    name = _word(message, "name")
    board.panel.presets.rename(board.chosen, name)
    board.say(f"{board.chosen} is {name} now.")
    board.choose_preset(name)


def _preset_delete(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    board.panel.presets.delete(board.chosen)
    board.say(f"{board.chosen} is deleted; its settings stay on the board.")
    board.choose_preset("")


def _share(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    board.say("", text=board.panel.share())


def _load(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", CometWarning)
        board.panel.load(_word(message, "text"))
    words = ["Loaded.", *(str(one.message) for one in noted)]
    if not board.panel.settings.is_literal:
        words.append("It uses names or expressions of this notebook: look at it before you run it.")
    board.say(" ".join(words))


def _add_column(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    board.columns.add_settings()
    board.open_tab("compare")


def _run_columns(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    board.panel.start_columns()


def _differences(board: Board, part: Part, message: Mapping[str, Any]) -> None:
    board.picked.is_diff = not board.picked.is_diff
    board.draw_page()


def _word(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    return value if isinstance(value, str) else ""


ACTS: Mapping[str, Act] = {
    "add_column": _add_column,
    "cell": _cell,
    "clear": _clear,
    "differences": _differences,
    "drop": _drop,
    "form": _form,
    "load": _load,
    "pick": _pick,
    "preset_delete": _preset_delete,
    "preset_load": _preset_load,
    "preset_rename": _preset_rename,
    "preset_save": _preset_save,
    "run": _run,
    "run_columns": _run_columns,
    "run_load": _run_load,
    "set": _set,
    "share": _share,
    "stop": _stop,
    "tab": _tab,
}
