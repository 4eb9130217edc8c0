"""Decides which of the offered functions to call, and with what: from the prompt, the same way every time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cometnb.client.simulator.hints import Hints, listed_names
from cometnb.client.simulator.orders import Orders
from cometnb.client.simulator.plausible import name_words
from cometnb.client.simulator.reply import Refusal
from cometnb.client.simulator.schema_sample import NoValue, sampled
from cometnb.client.simulator.turn import Turn

__all__ = ["Called", "allowed", "decided"]

_COUNTS = {
    word: n
    for n, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], 1
    )
}
_ROUNDS = re.compile(rf"(?i)\bin (\d{{1,2}}|{'|'.join(_COUNTS)}) (?:rounds?|steps?|turns?)\b")
_ALL = re.compile(
    r"(?i)\b(?:both|all|each|every)(?: of)?(?: the| your| these)?(?: \w+)?\b.{0,20}\b(?:tools?|functions?)\b"
)
_BOTH = re.compile(r"(?i)\b(?:call|use|ask|run|try) (?:both|all|each|every)")
# Words that stand in most names and most prompts.
_WEAK = frozenset(
    [
        "about",
        "after",
        "also",
        "and",
        "any",
        "are",
        "call",
        "can",
        "data",
        "each",
        "find",
        "for",
        "from",
        "function",
        "get",
        "give",
        "given",
        "has",
        "have",
        "how",
        "into",
        "item",
        "list",
        "make",
        "new",
        "not",
        "number",
        "of",
        "one",
        "our",
        "out",
        "put",
        "return",
        "returns",
        "run",
        "set",
        "show",
        "tell",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "this",
        "tool",
        "use",
        "user",
        "value",
        "values",
        "what",
        "when",
        "where",
        "which",
        "will",
        "with",
        "you",
        "your",
    ]
)
_MOST_CALLS = 8
_FUNCTIONS = ("function", "custom")


@dataclass(frozen=True, slots=True)
class Called:
    """A call the model makes.

    Attributes
    ----------
    name : str
    arguments : str
        JSON of an object, or the plain input of a custom tool.
    is_custom : bool
    """

    name: str
    arguments: str
    is_custom: bool = False


def allowed(body: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], bool]:
    """Return the tools a request lets the model use, and whether it has to use one.

    Parameters
    ----------
    body : Mapping
        The request: ``tools`` and ``tool_choice`` (auto, none, required, one tool, or allowed tools).
    """
    tools = [tool for tool in body.get("tools") or () if isinstance(tool, Mapping)]
    choice = body.get("tool_choice") or "auto"
    if choice == "none":
        return [], False
    if not isinstance(choice, Mapping):
        return tools, choice == "required"
    if choice.get("type") == "allowed_tools":
        listed = choice.get("tools")
        named = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
        chosen = [tool for tool in tools if any(_is_meant(tool, one) for one in named)]
        return chosen, choice.get("mode") == "required"
    return [tool for tool in tools if _is_meant(tool, choice)], True


def decided(body: Mapping[str, Any], turn: Turn, orders: Orders, key: bytes) -> list[Called]:
    """Return the calls of functions a model would make now; none if it is to answer.

    Parameters
    ----------
    body : Mapping
        The request.
    turn : Turn
        Where the conversation stands.
    orders : Orders
        ``rounds`` and ``calls`` on demand.
    key : bytes
        Chooses what the prompt leaves open.

    Notes
    -----
    With ``auto`` a function is called whose name, or a word of its name, stands in the prompt, or two words of
    its description, or a name of its required parameters; once its output is there, the answer follows. A
    prompt may ask for more ("in five rounds"). Where a call is required it is made every time, as by the
    service: whoever requires it in a loop has to stop requiring it.
    """
    tools, has_to = allowed(body)
    functions = [
        tool for tool in tools if tool.get("type") in _FUNCTIONS and isinstance(tool.get("name"), str)
    ]
    if not functions or (has_to and len(functions) < len(tools) and not _fitting(functions, turn.prompt)):
        return []
    chosen = _chosen(functions, turn, orders, has_to=has_to)
    if body.get("parallel_tool_calls") is False:
        chosen = chosen[:1]
    elif orders.calls is not None and chosen:
        chosen = [chosen[n % len(chosen)] for n in range(orders.calls)]
    return _with_arguments(chosen, turn, key, body.get("parallel_tool_calls") is not False)


def _chosen(
    functions: list[Mapping[str, Any]], turn: Turn, orders: Orders, *, has_to: bool
) -> list[Mapping[str, Any]]:
    n_rounds = orders.rounds if orders.rounds is not None else _rounds_asked(turn.prompt)
    fitting = _fitting(functions, turn.prompt)
    if n_rounds is not None:
        in_turn = fitting or functions
        if turn.n_rounds >= n_rounds:
            return []
        return in_turn if orders.calls is not None else [in_turn[turn.n_rounds % len(in_turn)]]
    if has_to:
        return fitting or functions[:1]
    if not turn.n_rounds and orders.calls is not None:
        return fitting or functions
    return [tool for tool in fitting if tool["name"] not in turn.called]


def _fitting(functions: list[Mapping[str, Any]], prompt: str) -> list[Mapping[str, Any]]:
    """Return the functions a prompt speaks of: those it names, or those it seems to mean."""
    if _ALL.search(prompt) or _BOTH.search(prompt):
        return functions
    named = [tool for tool in functions if _is_named(tool, prompt)]
    if named:
        return named
    words = {_stem(word) for word in name_words(prompt)}
    return [tool for tool in functions if _is_about(tool, words)]


def _is_named(tool: Mapping[str, Any], prompt: str) -> bool:
    name = str(tool["name"])
    spelled = r"[\s_-]?".join(map(re.escape, name_words(name))) or re.escape(name)
    is_a_word = len(name_words(name)) == 1 and name.islower()
    exact = rf"(?<!\w){re.escape(name)}(?!\w)"
    return re.search(exact if is_a_word else rf"(?i){exact}|(?<!\w){spelled}(?!\w)", prompt) is not None


def _is_about(tool: Mapping[str, Any], words: set[str]) -> bool:
    if _strong(str(tool["name"])) & words or len(_strong(str(tool.get("description") or "")) & words) > 1:
        return True
    return any(_strong(name) & words for name in _required(tool))


def _required(tool: Mapping[str, Any]) -> list[str]:
    parameters = tool.get("parameters")
    required = parameters.get("required") if isinstance(parameters, Mapping) else None
    return [str(name) for name in required] if isinstance(required, list) else []


def _strong(text: str) -> set[str]:
    return {_stem(word) for word in name_words(text) if len(word) > 2 and word not in _WEAK}


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > 2:
            return word[: -len(ending)]
    return word


def _rounds_asked(prompt: str) -> int | None:
    found = _ROUNDS.search(prompt)
    if found is None:
        return None
    said = found.group(1).lower()
    return _COUNTS[said] if said in _COUNTS else int(said)


def _is_meant(tool: Mapping[str, Any], choice: Mapping[str, Any]) -> bool:
    kind, wanted = str(tool.get("type")), str(choice.get("type"))
    # The service takes either name of a tool that has a preview.
    if kind.removesuffix("_preview").partition("_2")[0] != wanted.removesuffix("_preview").partition("_2")[0]:
        return False
    return all(choice.get(name) in (None, tool.get(name)) for name in ("name", "server_label"))


def _with_arguments(
    tools: Sequence[Mapping[str, Any]], turn: Turn, key: bytes, is_parallel: bool
) -> list[Called]:
    phrase, names = listed_names(turn.prompt)
    if is_parallel and len(tools) == 1 and len(names) > 1 and _takes_one_name(tools[0]):
        prompts = [turn.prompt.replace(phrase, name) for name in names[:_MOST_CALLS]]
        return [_called(tools[0], prompt, key, 0) for prompt in prompts]
    seen: dict[str, int] = {}
    calls = []
    for tool in tools:
        number = seen.setdefault(tool["name"], turn.called.count(tool["name"]))
        seen[tool["name"]] += 1
        calls.append(_called(tool, turn.prompt, key, number))
    return calls


def _takes_one_name(tool: Mapping[str, Any]) -> bool:
    """Tell whether a function's one required parameter is free text."""
    parameters = tool.get("parameters")
    named = parameters.get("properties") if isinstance(parameters, Mapping) else None
    if not isinstance(named, Mapping):
        return False
    return len([name for name in _required(tool) if _is_free_text(named.get(name))]) == 1


def _is_free_text(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "string" and "enum" not in schema


def _called(tool: Mapping[str, Any], prompt: str, key: bytes, number: int) -> Called:
    if tool["type"] == "custom":
        return Called(tool["name"], prompt or "Made up by the simulator.", is_custom=True)
    parameters = tool.get("parameters")
    schema = parameters if isinstance(parameters, Mapping) else {"type": "object"}

    def offers() -> Hints:
        hints = Hints(prompt)
        hints.pass_over(number)
        return hints

    try:
        value = sampled(schema, key[7] + number, offers=offers)
    except NoValue as none:
        message = f"Invalid schema for function '{tool['name']}': {none}."
        raise Refusal(400, message, "invalid_function_parameters", "tools") from None
    return Called(tool["name"], json.dumps(value, ensure_ascii=False, separators=(",", ":")))
