"""``{{expression}}`` in a prompt: evaluated in the notebook, and nothing else in the text is touched."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from cometnb.errors import CellError
from cometnb.session.content import one_line, pieces_of, raised
from cometnb.session.piece import Piece, text_of

__all__ = ["Expression", "compiled", "filled", "stretches"]


# Pairs of braces inside one expression; each is tried, and each try reads the expression anew.
_MOST_ENDS = 100


@dataclass(frozen=True, slots=True)
class Expression:
    """One ``{{expression}}`` of a text.

    Attributes
    ----------
    code : code
        Compiled, for `eval`.
    text : str
        As it was typed, without the braces.
    """

    code: CodeType
    text: str

    @property
    def shown(self) -> str:
        """How errors name it: on one line, in its braces."""
        return f"{{{{{one_line(self.text)}}}}}"

    def value(self, namespace: Mapping[str, Any]) -> Any:
        """Return what it comes to with these names.

        Raises
        ------
        CellError
            An unknown name, or an error in the expression.
        """
        return _value(self.code, self.shown, namespace)


def filled(template: str, namespace: Mapping[str, Any]) -> str:
    r"""Return a text with every ``{{expression}}`` replaced by the text of its value, whole.

    Parameters
    ----------
    template : str
        An option's value.
    namespace : Mapping
        The notebook's names.

    Raises
    ------
    CellError
        As `stretches`, and if a value is an image or a file.
    """
    texts: list[str] = []
    for name, piece in stretches(template, namespace):
        if piece.kind != "text":
            raise CellError(
                f"{{{{{one_line(name)}}}}} is {'an image' if piece.kind == 'image' else 'a file'}, "
                "and only text can stand here.",
                "Put it into the cell's body, or attach it with --image or --file.",
            )
        texts.append(piece.text)
    return "".join(texts)


def stretches(template: str, namespace: Mapping[str, Any]) -> Iterator[tuple[str, Piece]]:
    r"""Yield the text as it stands, and in its place what every ``{{expression}}`` gives.

    Single braces, ``$x``, LaTeX and JSON stay as typed. A backslash keeps a pair of braces: ``\{{`` stands for
    ``{{``.

    Parameters
    ----------
    template : str
        The cell's body.
    namespace : Mapping
        The notebook's names.

    Yields
    ------
    tuple of str and Piece
        The expression, empty for text of the template itself, and the content.

    Raises
    ------
    CellError
        No end, no Python, an unknown name, an error in the expression, or a value that has no rendering. It names
        the expression; nothing has been sent.
    """
    for part in compiled(template):
        if isinstance(part, str):
            yield "", text_of(part, is_listed=False)
            continue
        for piece in pieces_of(part.value(namespace), part.shown):
            yield part.text, piece


def compiled(template: str) -> Iterator[str | Expression]:
    r"""Yield the text as it stands, ``\{{`` as ``{{``, and between it every expression.

    Raises
    ------
    CellError
        No end, or no Python.
    """
    at = 0
    while (start := template.find("{{", at)) >= 0:
        if start and template[start - 1] == "\\":
            yield template[at : start - 1] + "{{"
            at = start + 2
            continue
        yield template[at:start]
        code, end = _expression(template, start)
        yield Expression(code, template[start + 2 : end - 2].strip())
        at = end
    yield template[at:]


def _expression(template: str, start: int) -> tuple[CodeType, int]:
    """Return the compiled expression that opens at `start`, and where its closing braces end.

    A dict or a text inside it may hold ``}}`` too, so the first end at which it is Python counts.
    """
    end = first_end = template.find("}}", start + 2)
    problem = ""
    for _ in range(_MOST_ENDS):
        if end < 0:
            break
        # "{{ {1: {2: 3}} }}": of a longer run of braces the last two may be the closing ones.
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                return compile(template[start + 2 : end].strip(), "{{…}}", "eval"), end + 2
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            # The parser says the latter two of what is nested too deep.
            problem = problem or str(error).split(" ({{")[0] or "it is nested too deep"
        if template.find("\n\n", start, end) >= 0:
            break
        end = template.find("}}", end + 1)
    if first_end < 0:
        raise CellError(
            f"{{{{{one_line(template[start + 2 :])} has no closing }}}}.",
            "Close it, write \\{{ for two plain braces, or use --raw.",
        )
    raise CellError(
        f"{{{{{one_line(template[start + 2 : first_end].strip())}}}}} is not a Python expression: {problem}.",
        "Mend it, write \\{{ for two plain braces, or use --raw.",
    )


def _value(code: CodeType, shown: str, namespace: Mapping[str, Any]) -> Any:
    try:
        return eval(code, dict(namespace))  # noqa: S307  # the user's own code in the user's own kernel
    except NameError as error:
        close = difflib.get_close_matches(
            str(error.name), [name for name in namespace if not name.startswith("_")], n=1
        )
        meant = f"Did you mean {close[0]}? Else run" if close else "Run"
        raise CellError(
            f"{shown}: {error}.",
            f"{meant} the cell that defines it, write \\{{{{ for two plain braces, or use --raw.",
        ) from error
    except Exception as error:
        raise raised(shown, error) from error
