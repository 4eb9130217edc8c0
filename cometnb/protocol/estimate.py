"""How many tokens a text, a request or a cut-off answer has, estimated without a tokenizer and without a download."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from cometnb.protocol.image_tokens import image_size, image_tokens
from cometnb.protocol.text_tokens import text_tokens
from cometnb.protocol.usage import Usage

__all__ = ["estimated_input_tokens", "estimated_tokens", "estimated_usage"]

# Every message is wrapped in three tokens and its role, and three more begin the answer: OpenAI's cookbook, "How to
# count tokens with tiktoken". That calls and their outputs are wrapped in the same way is an assumption.
_PER_MESSAGE, _PER_ANSWER = 4, 3
# What functions cost, from the same text (its figures for gpt-4o). That fields inside fields count alike, and that a
# schema of `text.format` does, too, is an assumption.
_PER_FUNCTION, _ALL_FUNCTIONS, _PROPERTIES, _PROPERTY, _ENUM, _CHOICE = 7, 12, 3, 3, -3, 3
# The guide "File inputs" says that of a PDF both the text and an image of each page are put into the context. How much
# text a page has, and how many pages are in so many bytes where they cannot be counted, are assumptions.
_PAGE_TEXT, _BYTES_PER_PAGE, _PAGE_SIZE = 500, 50_000, (1024, 1325)
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
# Assumptions: bytes of a packed document for each token of its text, and the tokens of a file behind a URL or an id.
_BYTES_PER_TOKEN, _UNSEEN_FILE = 10, 3_000
_TEXT_FILE = re.compile(r"text/|application/(?:.*\+)?(?:json|xml|yaml|javascript|csv)")
_TEXT_NAME = re.compile(
    r"\.(?:txt|md|csv|tsv|json|jsonl|xml|html?|ya?ml|py|js|ts|c|h|cpp|java|go|rs|sql|tex|log|ipynb)$"
)

# Fields that hold no text for the model.
_SILENT = frozenset(
    {"encrypted_content", "id", "call_id", "status", "type", "role", "detail", "result", "logprobs"}
)
# Fields of an output item that the model wrote; the others are the service's.
_WRITTEN = {
    "message": ("content",),
    "reasoning": ("summary", "content"),
    "function_call": ("name", "arguments"),
    "custom_tool_call": ("name", "input"),
    "mcp_call": ("name", "arguments"),
    "code_interpreter_call": ("code",),
}
_BEGUN = ("id", "status", "output", "model", "created_at")


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has for models that use o200k_base, as OpenAI's do.

    Parameters
    ----------
    text : str
        Any text, lone surrogates included.

    Returns
    -------
    int
        0 for an empty text, otherwise from 1 up.

    Notes
    -----
    Measured against o200k_base on texts of the kinds it was fitted to, but other ones: documentation, messages of
    programs, modules, files of data, of 800 characters or more each. "All" is the error over all characters together,
    "mean" and "worst" are those of single texts:

    ========== ====== =========== ====== ====== ======
    text        texts  characters    all   mean  worst
    ========== ====== =========== ====== ====== ======
    English       412   1,535,806  +1.2%   2.2%   +21%
    Japanese       41     254,082  -1.1%   2.6%   -10%
    Korean         31     203,345  -0.5%   2.3%    -6%
    Turkish        40     322,799  -2.3%   2.8%   +10%
    German         55     502,937  -1.0%   2.1%    +9%
    Chinese        40     185,174  +0.9%   2.7%    +7%
    French         56     536,343  +0.2%   1.7%    -9%
    Spanish        52     473,746  -0.7%   2.1%    +8%
    Polish         45     335,256  -3.0%   3.4%    -7%
    Russian        46     396,752  +4.5%   4.8%   +16%
    Ukrainian      46     403,178  -6.9%   7.1%   -12%
    JSON           58     202,083  +1.2%   3.1%   +10%
    Python        201   2,569,775  +1.1%   3.7%   -36%
    Markdown       60     433,394  +0.3%   3.0%    +9%
    CSV            14     168,000  +0.0%   0.5%    -1%
    ========== ====== =========== ====== ====== ======

    Short texts vary more: 300 characters of prose were up to 11 % off in English and German, 13 % in Japanese and
    Chinese, 17 % in Korean. Pictures drawn with rare symbols are the worst case of all. Models by other makers have
    other tokenizers; what the ledger has seen of them corrects the estimate (`cometnb.ledger.calibration`).

    Examples
    --------
    >>> estimated_tokens("The sea rises and falls twice a day.")
    9
    """
    return ceil(text_tokens(text) - 1e-6)


def estimated_input_tokens(params: Mapping[str, Any]) -> int:
    """Return about how many input tokens a request has.

    Parameters
    ----------
    params : Mapping
        The request's body. What it holds in a wrong form counts as nothing.

    Returns
    -------
    int
        Instructions, input, tools and the schema of the output, with what wraps them. What the service adds is not in
        it: the history behind `previous_response_id` and `conversation`, a stored `prompt`, results of built-in
        tools. Images count by the documented rules for the model, as `ASSUMED_SIZE` where their size cannot be seen;
        PDFs count as 500 tokens and an image for each page; other packed documents one token for 10 bytes; a file
        behind a URL or an id 3,000 tokens. The last three are assumptions.
    """
    model = params.get("model")
    model = model if isinstance(model, str) else ""
    total = _PER_ANSWER + _tools_tokens(params.get("tools")) + _format_tokens(params.get("text"))
    instructions, given = params.get("instructions"), params.get("input")
    if isinstance(instructions, str) and instructions:
        total += _PER_MESSAGE + estimated_tokens(instructions)
    for item in given if isinstance(given, list | tuple) else [given] if given else []:
        if not isinstance(item, Mapping):
            total += _PER_MESSAGE + _content_tokens(item, model)
        elif item.get("type") not in ("reasoning", "item_reference"):
            # Reasoning of earlier turns is dropped by the service, but for tool calls in progress.
            total += _PER_MESSAGE + _content_tokens(item, model)
    return total


def estimated_usage(params: Mapping[str, Any], raw: Mapping[str, Any]) -> Usage:
    """Return what an answer has used, from what arrived of it.

    Parameters
    ----------
    params : Mapping
        The request's body.
    raw : Mapping
        The response so far.

    Returns
    -------
    Usage
        ``input_tokens``, ``output_tokens`` and ``total_tokens``. Output is what can be read: text, refusals,
        arguments of calls, code, reasoning that was shown; reasoning that was not shown is not known. Falsy if the
        service had not begun to answer.
    """
    if not any(raw.get(name) for name in _BEGUN):
        return Usage()
    output = raw.get("output")
    written = [
        text
        for item in (output if isinstance(output, list) else [])
        if isinstance(item, Mapping)
        for name in _WRITTEN.get(str(item.get("type")), ())
        for text in _texts(item.get(name))
    ]
    counts = {
        "input_tokens": estimated_input_tokens(params),
        "output_tokens": sum(map(estimated_tokens, written)),
    }
    return Usage(counts | {"total_tokens": sum(counts.values())})


def _content_tokens(content: Any, model: str) -> int:
    """Return the tokens of an item or of anything inside it; images and files by their own rules."""
    total, waiting = 0, [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            total += estimated_tokens(value)
        elif isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, Mapping):
            kind = value.get("type")
            if kind in ("input_image", "computer_screenshot"):
                total += _image_part_tokens(value, model)
            elif kind == "input_file":
                total += _file_part_tokens(value, model)
            else:
                waiting += [
                    inner
                    for name, inner in value.items()
                    if name not in _SILENT and not (isinstance(inner, str) and inner.startswith("data:"))
                ]
    return total


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts the model wrote inside a field of an output item."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (inner for name in ("text", "refusal") if isinstance(inner := value.get(name), str))
        if not {"text", "refusal"} & set(value):
            # Some services send arguments as an object.
            yield _json(value)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part) if isinstance(part, str | Mapping) else ()


def _image_part_tokens(part: Mapping[str, Any], model: str) -> int:
    url = part.get("image_url")
    size = image_size(url) if isinstance(url, str) else None
    return image_tokens(model, size, str(part.get("detail") or "auto"))


def _file_part_tokens(part: Mapping[str, Any], model: str) -> int:
    given, name = part.get("file_data"), str(part.get("filename") or "").lower()
    if not isinstance(given, str):
        return _UNSEEN_FILE
    head, _, encoded = given.rpartition(",")
    media_type = head.removeprefix("data:").partition(";")[0].lower()
    try:
        data = b64decode(encoded)
    except ValueError:
        return ceil(len(encoded) * 3 / 4 / _BYTES_PER_TOKEN)
    if media_type == "application/pdf" or name.endswith(".pdf"):
        n_pages = len(_PAGE.findall(data)) or ceil(len(data) / _BYTES_PER_PAGE)
        return n_pages * (_PAGE_TEXT + image_tokens(model, _PAGE_SIZE, "high"))
    if _TEXT_FILE.match(media_type) or _TEXT_NAME.search(name):
        return estimated_tokens(data.decode("utf-8", "replace"))
    return ceil(len(data) / _BYTES_PER_TOKEN)


def _tools_tokens(tools: Any) -> int:
    offered = [tool for tool in tools if isinstance(tool, Mapping)] if isinstance(tools, list | tuple) else []
    functions = [tool for tool in offered if tool.get("type") == "function"]
    total = sum(
        _PER_FUNCTION
        + estimated_tokens(f"{tool.get('name')}:{str(tool.get('description') or '').removesuffix('.')}")
        + _schema_tokens(tool.get("parameters"))
        for tool in functions
    )
    # What a built-in tool adds is documented nowhere; its own declaration is the least.
    others = sum(estimated_tokens(_json(tool)) for tool in offered if tool.get("type") != "function")
    return total + others + _ALL_FUNCTIONS * bool(functions)


def _format_tokens(text: Any) -> int:
    chosen = text.get("format") if isinstance(text, Mapping) else None
    if not isinstance(chosen, Mapping) or chosen.get("type") != "json_schema":
        return 0
    nested = chosen.get("json_schema")
    named = nested if isinstance(nested, Mapping) else chosen
    described = f"{named.get('name') or ''}:{named.get('description') or ''}"
    return _PER_FUNCTION + estimated_tokens(described) + _schema_tokens(named.get("schema"))


def _schema_tokens(schema: Any) -> int:
    total, waiting = 0, [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list | tuple):
            waiting += value
        if not isinstance(value, Mapping):
            continue
        fields = value.get("properties")
        if isinstance(fields, Mapping) and fields:
            total += _PROPERTIES + sum(_property_tokens(name, field) for name, field in fields.items())
            waiting += fields.values()
        for name in ("items", "anyOf", "oneOf", "allOf", "prefixItems"):
            waiting.append(value.get(name))
        for name in ("$defs", "definitions"):
            shared = value.get(name)
            waiting += shared.values() if isinstance(shared, Mapping) else ()
        choices = value.get("enum")
        if isinstance(choices, list | tuple) and choices:
            total += _ENUM + sum(_CHOICE + estimated_tokens(str(choice)) for choice in choices)
    return total


def _property_tokens(name: str, field: Any) -> int:
    field = field if isinstance(field, Mapping) else {}
    described = str(field.get("description") or "").removesuffix(".")
    return _PROPERTY + estimated_tokens(f"{name}:{field.get('type') or ''}:{described}")


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return ""
