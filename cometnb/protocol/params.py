"""The parameters of ``POST /v1/responses``, one row each: the single declaration everything else reads.

Names, types, bounds, choices and defaults are CometAPI's API reference; where it disagrees with itself or with
the wire, the row says what holds. Validation, the magic's options, the simulator and the docs are built from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["FOREIGN_NAMES", "PARAMS", "PASSED_ON", "Param", "find"]


@dataclass(frozen=True, slots=True)
class Param:
    """One request parameter, or one field inside an object parameter.

    Attributes
    ----------
    name : str
        As sent.
    kinds : tuple of str
        JSON types it may have: string, integer, number, boolean, array, object.
    doc : str
        One line for help and tooltips.
    default : object
        What the service assumes when it is not sent; None if it documents none.
    minimum, maximum : float or None
        Inclusive bounds of a number.
    choices : tuple of str
        Known values (of the entries, for an array).
    closed : bool
        True if no other value is valid. Choices that grow upstream are open: an unknown one passes with a note.
    max_length : int or None
        Characters after which a note is given.
    unit : str
        Of a number, for labels.
    required : bool
    deprecated : str
        What to use instead; empty if it is current.
    excludes : tuple of str
        Parameters it cannot be sent with.
    fields : tuple of Param
        Known fields of an object. Unknown fields pass.
    """

    name: str
    kinds: tuple[str, ...]
    doc: str
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    closed: bool = False
    max_length: int | None = None
    unit: str = ""
    required: bool = False
    deprecated: str = ""
    excludes: tuple[str, ...] = ()
    fields: tuple[Param, ...] = ()


_SUMMARY = ("auto", "concise", "detailed")

_REASONING = (
    Param(
        "effort",
        ("string",),
        "How hard to reason before answering; which values a model takes differs.",
        # xhigh and max are not in CometAPI's list; the models that take them do.
        choices=("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    ),
    Param("summary", ("string",), "Ask for a summary of the reasoning.", choices=_SUMMARY),
    Param(
        "generate_summary",
        ("string",),
        "The older spelling of summary; it is sent as summary.",
        choices=_SUMMARY,
        deprecated="reasoning.summary",
    ),
)

_TEXT = (
    Param(
        "format",
        ("object",),
        "Plain text, any JSON, or JSON that fits a schema; sent in the flat form {type, name, schema, strict}.",
        fields=(
            Param(
                "type",
                ("string",),
                "The kind of output.",
                choices=("text", "json_object", "json_schema"),
            ),
            Param("json_schema", ("object",), "The nested form; flattened before it is sent."),
        ),
    ),
    Param("verbosity", ("string",), "How long the answer should be.", choices=("low", "medium", "high")),
)

_PROMPT = (
    Param("id", ("string",), "The template's id."),
    Param("variables", ("object",), "Values for the template's variables."),
    Param("version", ("string",), "Which version of the template."),
)

PARAMS: tuple[Param, ...] = (
    Param("model", ("string",), "Which model answers.", required=True),
    Param("input", ("string", "array"), "The prompt: text, or a list of input items.", required=True),
    Param(
        "instructions",
        ("string",),
        "System message for this call; not carried over with previous_response_id.",
    ),
    Param("background", ("boolean",), "Run in the background and fetch the answer by its id.", default=False),
    Param(
        "context_management",
        ("array",),
        "What to do when the conversation outgrows the context window: a list of {type, compact_threshold}.",
    ),
    Param(
        "conversation",
        ("string", "object"),
        "The server-side conversation this call belongs to.",
        excludes=("previous_response_id",),
    ),
    Param(
        "include",
        ("array",),
        "Extra data to send back.",
        choices=(
            "web_search_call.action.sources",
            "web_search_call.results",
            "code_interpreter_call.outputs",
            "computer_call_output.output.image_url",
            "file_search_call.results",
            "message.input_image.image_url",
            "message.output_text.logprobs",
            "reasoning.encrypted_content",
        ),
    ),
    Param(
        "max_output_tokens",
        ("integer",),
        "Upper bound for the answer and its reasoning together.",
        minimum=1,
        unit="tokens",
    ),
    Param(
        "max_tool_calls",
        ("integer",),
        "Upper bound for calls of built-in tools, all tools together.",
        minimum=0,
        unit="calls",
    ),
    Param("metadata", ("object",), "Up to 16 pairs of text kept with the response."),
    Param("parallel_tool_calls", ("boolean",), "Allow several tool calls at once.", default=True),
    Param(
        "previous_response_id",
        ("string",),
        "Continue from that response, without sending its history.",
        excludes=("conversation",),
    ),
    Param("prompt", ("object",), "A stored prompt template: {id, variables, version}.", fields=_PROMPT),
    Param("prompt_cache_key", ("string",), "Groups similar requests so that their prefix is cached better."),
    Param(
        "prompt_cache_retention",
        ("string",),
        "How long a cached prefix stays.",
        # The reference spells in-memory, the upstream service in_memory; either is sent as given.
        choices=("in-memory", "in_memory", "24h"),
    ),
    Param("reasoning", ("object",), "Reasoning effort and summary.", fields=_REASONING),
    Param(
        "safety_identifier",
        ("string",),
        "A hashed name of your end user, for abuse detection.",
        max_length=64,
    ),
    Param(
        "service_tier",
        ("string",),
        "Processing tier; the response says which was used.",
        choices=("auto", "default", "flex", "priority", "scale", "fast", "ultrafast"),
    ),
    Param("store", ("boolean",), "Keep the response on the server for later retrieval.", default=True),
    Param("stream", ("boolean",), "Send the answer as it is generated.", default=False),
    Param(
        "stream_options",
        ("object",),
        "Options of the stream; only with stream.",
        fields=(Param("include_obfuscation", ("boolean",), "Pad deltas against traffic analysis."),),
    ),
    Param(
        "temperature",
        ("number",),
        "Randomness: low is focused, high is varied. Change this or top_p, not both.",
        default=1,
        minimum=0,
        maximum=2,
    ),
    Param("text", ("object",), "Output format and verbosity.", fields=_TEXT),
    Param(
        "tool_choice",
        ("string", "object"),
        "auto, none, required, or an object naming one tool.",
        default="auto",
    ),
    Param("tools", ("array",), "Tools the model may call: functions, built-in tools, MCP servers."),
    Param(
        "top_logprobs",
        ("integer",),
        "Log probabilities of this many likeliest tokens; include must ask for message.output_text.logprobs.",
        minimum=0,
        maximum=20,
    ),
    Param(
        "top_p",
        ("number",),
        "Nucleus sampling: keep only tokens within this probability mass.",
        default=1,
        minimum=0,
        maximum=1,
    ),
    Param(
        "truncation",
        ("string",),
        "Drop the oldest items when the input is too long (auto), or refuse it (disabled).",
        default="disabled",
        choices=("auto", "disabled"),
        closed=True,
    ),
    Param(
        "user",
        ("string",),
        "An id of your end user.",
        deprecated="safety_identifier and prompt_cache_key",
    ),
)

# Real parameters upstream that the reference does not list: sent as given, without "did you mean".
PASSED_ON = frozenset({"access_programs", "image", "moderation", "prompt_cache_options", "provider"})

# What people write who come from other APIs, and how to say it here.
FOREIGN_NAMES: dict[str, str] = {
    "effort": 'reasoning={"effort": …}',
    "functions": "tools",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "messages": "input",
    "reasoning_effort": 'reasoning={"effort": …}',
    "response_format": 'text={"format": …}',
    "system": "instructions",
    "system_prompt": "instructions",
    "verbosity": 'text={"verbosity": …}',
}


def find(path: str) -> Param | None:
    """Return the row for a parameter or, with dots, for a field inside one; None if there is none.

    Examples
    --------
    >>> find("reasoning.effort").kinds
    ('string',)
    """
    rows, found = PARAMS, None
    for name in path.split("."):
        found = next((row for row in rows if row.name == name), None)
        if found is None:
            return None
        rows = found.fields
    return found
