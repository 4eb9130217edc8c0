"""Presets that come with cometnb: a handful of ways to ask that people want again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cometnb.session.settings import Settings

__all__ = ["SHIPPED", "Shipped"]


class Shipped(NamedTuple):
    """A preset that comes with cometnb.

    Attributes
    ----------
    doc : str
        One line: what it is for.
    settings : Settings
        Without a prompt where the panel's own shall stay.
    """

    doc: str
    settings: Settings


SHIPPED: Mapping[str, Shipped] = {
    "Quick and short": Shipped(
        "A short answer at little cost: little reasoning, few words, and a bound on both.",
        Settings(
            params={
                "reasoning": {"effort": "low"},
                "text": {"verbosity": "low"},
                "max_output_tokens": 2_000,
            }
        ),
    ),
    "Think hard": Shipped(
        "A difficult question: much reasoning, with a summary of it, and room for a long answer.",
        Settings(
            params={
                "reasoning": {"effort": "high", "summary": "auto"},
                "text": {"verbosity": "medium"},
                "max_output_tokens": 32_000,
            }
        ),
    ),
    "As repeatable as can be": Shipped(
        "Temperature 0, for a model that takes it; most models that reason do not.",
        Settings(params={"model": "gpt-4.1", "temperature": 0}),
    ),
    "Many ideas": Shipped(
        "Ten ideas that differ, from a model that takes a temperature.",
        Settings(
            params={
                "model": "gpt-4.1",
                "temperature": 1.2,
                "instructions": "Give ten ideas that differ in kind, one line each. No introduction, no conclusion.",
            }
        ),
    ),
    "Extract a table": Shipped(
        "What a text says about each thing in it, as rows for a DataFrame: response.to_frame().",
        Settings(
            params={
                "reasoning": {"effort": "low"},
                "instructions": "Extract every item the text names. Take values as they stand there, and leave out "
                "what it does not say instead of guessing it.",
            },
            schema="[item, value number?, unit?, quote: the words of the text it is from]",
        ),
    ),
    "Classify": Shipped(
        "A label, how sure it is, and why; put your own labels into the schema.",
        Settings(
            params={"reasoning": {"effort": "low"}, "instructions": "Classify the text."},
            schema="label positive|negative|neutral, confidence number: from 0 to 1, reason: one sentence",
        ),
    ),
    "Look at a DataFrame": Shipped(
        "What stands out in the DataFrame df of the notebook, and code that shows it.",
        Settings(
            prompt="Here is a DataFrame called df:\n\n{{df}}\n\n"
            "Say in five lines what stands out, name what could be wrong with the data, and write pandas code that "
            "checks the most important point.",
            params={"reasoning": {"effort": "medium"}},
        ),
    ),
    "Review code": Shipped(
        "Faults in code, the worst first, each with its mend.",
        Settings(
            params={
                "reasoning": {"effort": "high"},
                "text": {"verbosity": "low"},
                "instructions": "Review the code. List real faults only, the worst first: where, what happens, how to "
                "mend it. Say so if there are none. Leave style alone.",
            }
        ),
    ),
    "Search the web": Shipped(
        "An answer from what the web says today, with its sources.",
        Settings(
            params={
                "include": ["web_search_call.action.sources"],
                "instructions": "Answer from what you find, cite every claim, and give the date of each source.",
            },
            tools=("web_search_preview",),
        ),
    ),
}
