"""Writes the simulator's answer: Markdown about what was really sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cometnb.client.simulator.models import reasons
from cometnb.client.simulator.prompt import Inventory
from cometnb.client.simulator.reasoning import DEFAULT_EFFORT
from cometnb.client.simulator.sums import SUMS, Sum
from cometnb.protocol.counted import counted
from cometnb.protocol.params import PARAMS, Param

__all__ = ["answered", "quoted"]

_QUOTED_WORDS, _QUOTED_CHARACTERS = 8, 60
_VALUE_CHARACTERS = 40
_PARAMETERS_SHOWN = 6
# The formula is easier to follow with a small number.
_LARGEST_N = 20
# What the answer speaks of elsewhere, or what is no setting.
_NOT_SETTINGS = frozenset(
    {"model", "input", "instructions", "stream", "stream_options", "metadata", "tools", "reasoning.effort"}
)


class _Subject(NamedTuple):
    body: Mapping[str, Any]
    stock: Inventory
    key: bytes

    def pick(self, place: int, choices: Sequence[Any]) -> Any:
        """Return one of the choices: the same one for the same request, seed and place."""
        return choices[self.key[place] % len(choices)]

    @property
    def n(self) -> int:
        """The number the sum runs to: the prompt's words, within what is pleasant to read."""
        return max(2, min(_LARGEST_N, len(self.stock.last_text.split())))

    @property
    def sum(self) -> Sum:
        return self.pick(4, SUMS)  # type: ignore[no-any-return]  # it is one of the rows


def answered(body: Mapping[str, Any], stock: Inventory, key: bytes) -> str:
    """Return the answer's Markdown.

    Parameters
    ----------
    body : Mapping
        The request. ``text.verbosity`` sets the length: low about 60 tokens, medium 220, high 500.
    stock : Inventory
        What it holds.
    key : bytes
        At least 16 bytes that choose the wording.
    """
    verbosity = (body.get("text") or {}).get("verbosity")
    subject = _Subject(body, stock, key)
    return "\n\n".join(write(subject) for write in _PARTS.get(verbosity, _PARTS["medium"])) + "\n"


def quoted(text: str) -> str:
    """Return the first words of `text` as inline code, in which nothing of it can act as Markdown or HTML."""
    plain = "".join(char if char.isprintable() else " " for char in text[: 4 * _QUOTED_CHARACTERS])
    words = plain.replace("`", "'").split()
    shown = " ".join(words[:_QUOTED_WORDS])[:_QUOTED_CHARACTERS].strip()
    if not shown:
        return "nothing in words"
    cut = len(plain) < len(text) or len(" ".join(words)) > len(shown)
    return f"`{shown}{'…' if cut else ''}`"


def _opening(subject: _Subject) -> str:
    hello = subject.pick(
        0,
        (
            "This is the simulator, and no model was asked.",
            "You are talking to the simulator: no model was asked.",
            "Here speaks the simulator; no model was asked.",
        ),
    )
    begins = subject.pick(1, ("Your prompt begins with", "The prompt that came begins with", "You wrote"))
    return f"{hello} {begins} {quoted(subject.stock.last_text)}."


def _in_short(subject: _Subject) -> str:
    stock = subject.stock
    parts = [f"**{counted(stock.n_items, 'item')}**", f"{counted(stock.n_characters, 'character')}"]
    parts += [counted(number, noun) for number, noun in _attachments(stock) if number]
    return f"It came as {', '.join(parts)}; in all that is ${stock.n_tokens}$ tokens of input."


def _particulars(subject: _Subject) -> str:
    body, stock = subject.body, subject.stock
    instructions = body.get("instructions")
    said = f"{counted(len(instructions), 'character')}" if isinstance(instructions, str) else "none sent"
    lines = [f"**Model** `{_inert(body['model'])}`, {_effort(body)}", f"**Instructions** {said}"]
    if stock.n_earlier:
        lines.append(f"**Conversation** goes on after {counted(stock.n_earlier, 'earlier item')}")
    return "\n".join(f"- {line}" for line in [*lines, *_settings(body)])


def _settings(body: Mapping[str, Any]) -> list[str]:
    """Return a line for every parameter that is not at its default."""
    changed = list(_changed(body, PARAMS))
    lines = []
    for name, value, default in changed[:_PARAMETERS_SHOWN]:
        usual = "" if default is None else f", by default `{_inert(default)}`"
        lines.append(f"**{name}** `{_inert(value)}`{usual}")
    if len(changed) > _PARAMETERS_SHOWN:
        lines.append(f"and {counted(len(changed) - _PARAMETERS_SHOWN, 'more setting')}")
    return lines or ["**Parameters** all at their defaults"]


def _changed(
    given: Mapping[str, Any], rows: Iterable[Param], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, value and default of what differs; an object's known fields one by one."""
    for row in rows:
        name, value = f"{prefix}{row.name}", given.get(row.name)
        if value is None or value == row.default or name in _NOT_SETTINGS:
            continue
        if row.fields and isinstance(value, Mapping):
            yield from _changed(value, row.fields, f"{name}.")
        else:
            yield name, value, row.default


def _effort(body: Mapping[str, Any]) -> str:
    if not reasons(body["model"]):
        return "which does not reason"
    effort = (body.get("reasoning") or {}).get("effort") or DEFAULT_EFFORT
    return f"reasoning effort `{_inert(effort)}`"


def _table(subject: _Subject) -> str:
    stock = subject.stock
    counts = [("items", stock.n_items), ("characters", stock.n_characters), ("input tokens", stock.n_tokens)]
    counts += [(f"{noun}s", number) for number, noun in _attachments(stock) if number]
    rows = [f"| {name} | {number} |" for name, number in counts]
    return "\n".join(["| what arrived | count |", "|---|---:|", *rows])


def _attachments(stock: Inventory) -> list[tuple[int, str]]:
    return [
        (stock.n_images, "image"),
        (stock.n_files, "file"),
        (stock.n_results, "function result"),
        (stock.n_tools, "tool"),
    ]


def _maths(subject: _Subject) -> str:
    lead = subject.pick(2, ("Some maths to look at:", "A formula, so that you see one:", "And a formula:"))
    total = subject.sum.value(subject.n)
    return f"{lead} for $n = {subject.n}$ the sum is ${total}$.\n\n$$\n{subject.sum.formula}\n$$"


def _code(subject: _Subject) -> str:
    lead = subject.pick(3, ("The same in Python:", "Python agrees:", "You can check it:"))
    chosen, n = subject.sum, subject.n
    return (
        f"{lead}\n\n```python\nn = {n}\ntotal = sum({chosen.term} for k in range(1, n + 1))\n"
        f"assert total == {chosen.closed_form}\nprint(total)  # {chosen.value(n)}\n```"
    )


def _repeatable(subject: _Subject) -> str:
    return (
        "Nothing here is chance. The same request with the same seed gives the same words, token by token, "
        "and another seed changes the wording. That is why a notebook that runs on the simulator can be "
        "compared from one day to the next, in a classroom or on a machine without a key."
    )


def _usage(subject: _Subject) -> str:
    return (
        "> The figures in `usage` are counted, not invented: input from what was sent, output from what you "
        "read, and reasoning tokens from the effort that was asked for. They are part of the output, so "
        "*total* is always input plus output. The counts follow words and signs; "
        "a real tokenizer differs a little."
    )


def _next_steps(subject: _Subject) -> str:
    steps = [
        "Set `max_output_tokens` to 40 and see an answer that is **incomplete**.",
        "Raise `reasoning.effort` from `low` to `high` and compare the reasoning tokens.",
        "Ask with `text.verbosity` at `low` for two sentences.",
        'Send `metadata={"simulate": "429"}` and see how a refusal looks.',
    ]
    first = subject.key[5] % len(steps)
    ordered = steps[first:] + steps[:first]
    return "What you could try next:\n\n" + "\n".join(f"{i}. {step}" for i, step in enumerate(ordered, 1))


def _closing(subject: _Subject) -> str:
    return str(
        subject.pick(
            6,
            (
                "When you are ready for a real model, set your key; the cell stays as it is.",
                "With a key in place the same cell asks a real model.",
                "Set a key, and this very request goes to a real model.",
            ),
        )
    )


def _inert(value: Any) -> str:
    """Return a value's short form for inline code: one line, no backtick, no pipe."""
    text = "".join(char if char.isprintable() else " " for char in str(value)[: _VALUE_CHARACTERS + 1])
    text = text.replace("`", "'").replace("|", "/").strip()
    return text if len(text) <= _VALUE_CHARACTERS else text[: _VALUE_CHARACTERS - 1] + "…"


_MEDIUM = (_opening, _particulars, _table, _maths, _code, _closing)
_PARTS: dict[str | None, tuple[Callable[[_Subject], str], ...]] = {
    "low": (_opening, _in_short),
    "medium": _MEDIUM,
    "high": (_opening, _repeatable, _particulars, _table, _maths, _code, _usage, _next_steps, _closing),
}
