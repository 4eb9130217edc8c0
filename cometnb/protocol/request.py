"""From the caller's parameters to the body that is sent: checked, settled, or refused before anything is sent."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cometnb.errors import ParamError
from cometnb.protocol.items import input_items
from cometnb.protocol.params import FOREIGN_NAMES, PARAMS, PASSED_ON, Param

__all__ = ["LOGPROBS", "Prepared", "checked", "laid_over", "prepare"]

LOGPROBS = "message.output_text.logprobs"
_METADATA_PAIRS, _METADATA_KEY, _METADATA_VALUE = 16, 64, 512
_KIND_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "True or False",
    "array": "a list",
    "object": "a dict",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request ready to send.

    Attributes
    ----------
    body : dict
        JSON values only; a copy, later changes to what the caller passed do not reach it.
    notes : tuple of str
        What was let through or settled and the caller should know: unknown choices, old spellings.
    """

    body: dict[str, Any]
    notes: tuple[str, ...]


def prepare(params: Mapping[str, Any]) -> Prepared:
    """Check a call's parameters against the table and return the body to send.

    Parameters
    ----------
    params : Mapping
        By the API's names. None means "not set" and is not sent. ``extra_body`` (a dict) is laid over the
        result unchecked, for what the table cannot know.

    Returns
    -------
    Prepared

    Raises
    ------
    ParamError
        Out of range, wrong type, an unknown name close to a known one, two parameters that exclude each other,
        one that needs another, metadata over its limits, a value without a JSON form. ``param`` names it.
    """
    try:
        return _prepared(params)
    except RecursionError:
        raise ParamError(
            "A parameter holds itself, or is nested too deep to become JSON.",
            "Pass a flatter value.",
        ) from None


def _prepared(params: Mapping[str, Any]) -> Prepared:
    given = {_key(name, "the request"): value for name, value in params.items() if value is not None}
    extra = _plain(given.pop("extra_body", {}), "extra_body")
    if not isinstance(extra, dict):
        raise _wrong_kind("extra_body", extra, "a dict of further fields")
    notes: list[str] = []
    _check_names(given, PARAMS, "")
    if isinstance(given.get("input"), tuple | list | Mapping):
        given["input"] = input_items(given["input"])
    body: dict[str, Any] = {name: _plain(value, name) for name, value in given.items()}
    rows = {row.name: row for row in PARAMS}
    body = {
        name: checked(rows[name], value, name, notes) if name in rows else value
        for name, value in body.items()
    }
    for settle in _SETTLERS:
        settle(body, notes)
    whole = laid_over(body, extra)
    for rule in _RULES:
        rule(whole)
    return Prepared(whole, tuple(notes))


def checked(row: Param, value: Any, path: str, notes: list[str]) -> Any:
    """Return `value` if the row allows it, adding to `notes` what is unusual but passes.

    Raises
    ------
    ParamError
        If the type, bounds or a closed choice are violated.
    """
    value = _of_kind(row, value, path)
    if row.minimum is not None or row.maximum is not None:
        _check_bounds(row, value, path)
    if row.choices:
        for entry in value if isinstance(value, list) else [value]:
            _check_choice(row, entry, path, notes)
    if row.max_length is not None and len(value) > row.max_length:
        notes.append(f"{path} has {len(value)} characters; the reference allows {row.max_length}.")
    if row.deprecated:
        notes.append(f"{path} is deprecated; use {row.deprecated}.")
    if row.fields and isinstance(value, dict):
        _check_names(value, row.fields, f"{path}.")
        by_name = {field.name: field for field in row.fields}
        for name, inner in value.items():
            if name in by_name and inner is not None:
                value[name] = checked(by_name[name], inner, f"{path}.{name}", notes)
    return value


def _check_names(given: Mapping[str, Any], rows: tuple[Param, ...], prefix: str) -> None:
    known = [row.name for row in rows]
    for name in given:
        if name in known or (not prefix and name in PASSED_ON):
            continue
        foreign = {} if prefix else FOREIGN_NAMES
        instead = foreign.get(name)
        if instead is None:
            close = difflib.get_close_matches(name, [*known, *foreign], n=1, cutoff=0.8)
            instead = foreign.get(close[0], f"{prefix}{close[0]}") if close else None
        if instead is not None:
            raise ParamError(
                f"{prefix}{name} is not a parameter of the Responses API.",
                f"Did you mean {instead}? To send it all the same, use extra_body={{{name!r}: …}}.",
                param=f"{prefix}{name}",
            )


def _of_kind(row: Param, value: Any, path: str) -> Any:
    if any(_KIND_TESTS[kind](value) for kind in row.kinds):
        return value
    if "integer" in row.kinds and isinstance(value, float) and value.is_integer():
        return int(value)
    raise _wrong_kind(path, value, " or ".join(_KIND_WORDS[kind] for kind in row.kinds))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KIND_TESTS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _check_bounds(row: Param, value: float, path: str) -> None:
    low, high = row.minimum, row.maximum
    if low is not None and value < low:
        bound = f"below its minimum {low:g}"
    elif high is not None and value > high:
        bound = f"above its maximum {high:g}"
    else:
        return
    span = f"from {low:g} to {high:g}" if high is not None else f"of at least {low:g}"
    raise ParamError(
        f"{path}={value!r} is {bound}.",
        f"Give {path} {_KIND_WORDS[row.kinds[0]]} {span}.",
        param=path,
    )


def _check_choice(row: Param, value: Any, path: str, notes: list[str]) -> None:
    if not isinstance(value, str):
        raise _wrong_kind(path, value, "text")
    if value in row.choices:
        return
    known = ", ".join(row.choices)
    if row.closed:
        raise ParamError(f"{path}={value!r} is not one of: {known}.", f"Use one of: {known}.", param=path)
    notes.append(f"{path}={value!r} is not a known value ({known}); it is sent as it is.")


def _wrong_kind(path: str, value: Any, wanted: str) -> ParamError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return ParamError(
        f"{path}={shown} is {type(value).__name__}, not {wanted}.", f"Give {path} {wanted}.", param=path
    )


def _plain(value: Any, path: str) -> Any:
    """Return a copy of `value` made of JSON types only."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ParamError(
                f"{path}={value} is not a finite number.", f"Give {path} a finite number.", param=path
            )
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(inner, f"{path}.{key}") for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        # A NumPy scalar is what people get from a DataFrame; its .item() is the plain number.
        return _plain(value.item(), path)
    raise ParamError(
        f"{path} holds a {type(value).__name__}, which has no JSON form.",
        "Use text, numbers, True/False, lists and dicts.",
        param=path,
    )


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return key
    raise ParamError(f"{path} has the key {key!r}, which is not text.", "Use text for every key.", param=path)


def _settle_summary(body: dict[str, Any], notes: list[str]) -> None:
    reasoning = body.get("reasoning")
    if not isinstance(reasoning, dict) or "generate_summary" not in reasoning:
        return
    older, newer = reasoning.pop("generate_summary"), reasoning.get("summary")
    if newer is None and older is not None:
        reasoning["summary"] = older
    elif older not in (None, newer):
        raise ParamError(
            f"reasoning.summary={newer!r} and reasoning.generate_summary={older!r} differ.",
            "Send reasoning.summary alone.",
            param="reasoning.generate_summary",
        )


def _settle_format(body: dict[str, Any], notes: list[str]) -> None:
    text = body.get("text")
    if not isinstance(text, dict):
        return
    form = text.get("format")
    if not isinstance(form, dict) or not isinstance(form.get("json_schema"), dict):
        return
    nested = form.pop("json_schema")
    inner = nested if "schema" in nested else {"schema": nested}
    text["format"] = {"type": "json_schema", "name": "answer"} | form | inner
    notes.append("text.format.json_schema is sent in the flat form {type, name, schema, strict}.")


_SETTLERS = (_settle_summary, _settle_format)


def _rule_required(body: Mapping[str, Any]) -> None:
    for row in PARAMS:
        if row.required and row.name not in body:
            raise ParamError(
                f"{row.name} is missing.",
                f"Give {row.name}: {row.doc[0].lower()}{row.doc[1:]}",
                param=row.name,
            )
    blank = body["model"].strip() == "" if isinstance(body["model"], str) else False
    if blank:
        raise ParamError("model is blank.", 'Name a model, such as model="gpt-5.4".', param="model")
    has_context = any(body.get(name) for name in ("prompt", "conversation", "previous_response_id"))
    empty = not body["input"] or (isinstance(body["input"], str) and not body["input"].strip())
    if empty and not has_context:
        raise ParamError("input is empty.", "Write a prompt.", param="input")


def _rule_excludes(body: Mapping[str, Any]) -> None:
    for row in PARAMS:
        for other in row.excludes:
            if row.name in body and other in body:
                raise ParamError(
                    f"{row.name} and {other} cannot be sent together.",
                    f"Leave out one of them: {row.name} or {other}.",
                    param=row.name,
                )


def _rule_logprobs(body: Mapping[str, Any]) -> None:
    include = body.get("include")
    if "top_logprobs" in body and not (isinstance(include, list) and LOGPROBS in include):
        raise ParamError(
            f"top_logprobs={body['top_logprobs']} needs {LOGPROBS} in include.",
            f'Add include=["{LOGPROBS}"].',
            param="top_logprobs",
        )


def _rule_stream_options(body: Mapping[str, Any]) -> None:
    if "stream_options" in body and body.get("stream") is not True:
        raise ParamError(
            "stream_options needs stream=True.",
            "Stream the answer, or leave out stream_options.",
            param="stream_options",
        )


def _rule_metadata(body: Mapping[str, Any]) -> None:
    metadata = body.get("metadata")
    if not isinstance(metadata, Mapping):
        return
    if len(metadata) > _METADATA_PAIRS:
        raise ParamError(
            f"metadata has {len(metadata)} pairs; {_METADATA_PAIRS} is the most.",
            "Leave some out, or pack them into one value.",
            param="metadata",
        )
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise _wrong_kind(f"metadata.{key}", value, "text")
        if len(key) > _METADATA_KEY or len(value) > _METADATA_VALUE:
            raise ParamError(
                f"metadata {key[:40]!r} has a key of {len(key)} and a value of {len(value)} characters;"
                f" {_METADATA_KEY} and {_METADATA_VALUE} are the most.",
                "Shorten it.",
                param="metadata",
            )


_RULES = (_rule_required, _rule_excludes, _rule_logprobs, _rule_stream_options, _rule_metadata)


def laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two JSON objects field by field; where both hold something else than objects, `over` wins."""
    result = dict(under)
    for name, value in over.items():
        below = result.get(name)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[name] = laid_over(below, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return result
