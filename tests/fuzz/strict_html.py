"""HTML read back by a parser that is none of ours, which refuses whatever a target does not expect."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

__all__ = ["Attributes", "check_html"]

Attributes = list[tuple[str, str | None]]


def check_html(html: str, check_element: Callable[[str, Attributes], None]) -> None:
    """Check every element, and that there is nothing but elements and text.

    Raises
    ------
    AssertionError
        `check_element` refuses one, or there is a comment, a declaration, an instruction or a section.
    """
    reader = _Strict(check_element)
    reader.feed(html)
    reader.close()


class _Strict(HTMLParser):
    def __init__(self, check_element: Callable[[str, Attributes], None]) -> None:
        super().__init__(convert_charrefs=True)
        self._check_element = check_element

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        """Check an element."""
        self._check_element(tag, attrs)

    def handle_comment(self, data: str) -> None:
        """Refuse a comment."""
        raise AssertionError(f"a comment: {data!r}")

    def handle_decl(self, decl: str) -> None:
        """Refuse a declaration."""
        raise AssertionError(f"a declaration: {decl!r}")

    def handle_pi(self, data: str) -> None:
        """Refuse an instruction."""
        raise AssertionError(f"an instruction: {data!r}")

    def unknown_decl(self, data: str) -> None:
        """Refuse a section."""
        raise AssertionError(f"a section: {data!r}")
