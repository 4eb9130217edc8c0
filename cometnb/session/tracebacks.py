"""An exception as a prompt reads it: the user's own lines on the way to it, its type and its message."""

from __future__ import annotations

import linecache
import os
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

from cometnb.errors import masked

__all__ = ["exception_text"]

_MOST_LINES = 20
_MOST_CAUSES = 5
_OWN_PACKAGE = str(Path(__file__).resolve().parent.parent)


def exception_text(error: BaseException) -> str:
    """Return an exception and its causes, the first cause first, as Python prints them.

    Lines of the standard library, of installed packages and of cometnb are left out; a key in the text is masked.
    """
    chain = list(_chain(error))
    blocks = [_one(each) for each, _ in reversed(chain)]
    joints = [joint for _, joint in reversed(chain)][:-1]
    text = blocks[0]
    for joint, block in zip(joints, blocks[1:], strict=True):
        text += f"\n\n{joint}\n\n{block}"
    return masked(text)


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield the exception and what led to it, each with the words that join it to the one before."""
    seen: set[int] = set()
    joint = ""
    each: BaseException | None = error
    while each is not None and id(each) not in seen and len(seen) < _MOST_CAUSES:
        seen.add(id(each))
        yield each, joint
        if each.__cause__ is not None:
            each, joint = each.__cause__, "This was the direct cause of:"
        else:
            each = None if each.__suppress_context__ else each.__context__
            joint = "While this was handled, there came:"


def _one(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    lines: list[str] = []
    for frame in frames[-_MOST_LINES:]:
        within = "" if frame.name == "<module>" else f", in {frame.name}"
        lines.append(f"  {_place(frame.filename)}, line {frame.lineno}{within}")
        lines += [f"    {frame.line}"] if frame.line else []
    if lines:
        left_out = len(frames) - _MOST_LINES
        more = [f"  … {left_out:,} earlier lines"] if left_out > 0 else []
        lines = ["Traceback, your own lines only:", *more, *lines]
    inner = [f"  with {line}" for each in _members(error) for line in _said(each)]
    return "\n".join([*lines, *_said(error), *inner])


def _said(error: BaseException) -> list[str]:
    return [line.rstrip("\n") for line in traceback.format_exception_only(error) if line.strip()]


def _members(error: BaseException) -> tuple[BaseException, ...]:
    return error.exceptions if isinstance(error, BaseExceptionGroup) else ()


def _is_users(filename: str) -> bool:
    if _is_cell(filename):
        return True
    # "<frozen …>" and "<string>" have no lines to show.
    if filename.startswith("<"):
        return False
    paths = sysconfig.get_paths()
    installed = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    real = os.path.realpath(filename)
    return not any(
        filename.startswith(f"{folder}{os.sep}") or real.startswith(f"{os.path.realpath(folder)}{os.sep}")
        for folder in (*installed, _OWN_PACKAGE)
    )


def _is_cell(filename: str) -> bool:
    # IPython keeps the lines of each cell under a made-up name without a date; a lazy entry has one item.
    entry = linecache.cache.get(filename)
    return entry is not None and len(entry) > 1 and entry[1] is None


def _place(filename: str) -> str:
    if _is_cell(filename):
        return "Cell"
    # The name alone: where a file lies on this machine is nobody's business.
    return f'File "{Path(filename).name}"'
