"""The widgets' style sheets, which a page that shows several of them holds all at once."""

from __future__ import annotations

import itertools
import re

from cometnb.panel.widgets import ColumnHead, Deck, Sheet
from cometnb.view.multiples_widget import MultiplesView
from cometnb.view.spending_panel import SpendingView
from cometnb.view.widget import LiveView

_CLASS = re.compile(r"cometnb-[a-z-]*[a-z]")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SELECTORS = re.compile(r"([^{}]+)\{")
_LIST = re.compile(r",(?![^(]*\))")
# What is shown as one thing has one style.
_FAMILIES = ((LiveView,), (MultiplesView,), (SpendingView,), (Deck, Sheet, ColumnHead))


def test_no_style_sheet_reaches_into_another_widget() -> None:
    """Each selector names a class that only its own widget has: a name that both have would be drawn in both ways."""
    sheets = [_COMMENT.sub("", "".join(vars(one).get("_css", "") for one in family)) for family in _FAMILIES]
    names = [set(_CLASS.findall("".join(vars(one)["_esm"] for one in family))) for family in _FAMILIES]
    for mine, theirs in itertools.permutations(range(len(_FAMILIES)), 2):
        selectors = [one for part in _SELECTORS.findall(sheets[mine]) for one in _LIST.split(part)]
        found = [set(_CLASS.findall(selector)) for selector in selectors]
        assert [classes for classes in found if classes and classes <= names[theirs]] == []
