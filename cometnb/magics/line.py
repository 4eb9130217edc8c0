"""The words of a ``%comet`` line and the text that answers them."""

from __future__ import annotations

from cometnb.errors import CellError, printable

__all__ = ["no_more", "one_of", "say"]


def say(text: str) -> None:
    """Print a line magic's answer into the cell's output."""
    print(printable(text))  # noqa: T201  # it is what the line is for


def no_more(name: str, words: list[str]) -> None:
    """Refuse words after a subcommand that takes none.

    Raises
    ------
    CellError
        If there are any.
    """
    if words:
        raise CellError(
            f"%comet {name} takes nothing after it, not {' '.join(words)!r}.", "%comet help shows more."
        )


def one_of(name: str, words: list[str], choices: tuple[str, ...]) -> str:
    """Return the one word given, or the first choice if there is none.

    Raises
    ------
    CellError
        More than one word, or one that is not a choice.
    """
    if len(words) > 1 or (words and words[0] not in choices):
        raise CellError(
            f"%comet {name} does not know {' '.join(words)!r}.", f"Write %comet {name} [{'|'.join(choices)}]."
        )
    return words[0] if words else choices[0]
