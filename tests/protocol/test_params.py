"""The parameter table says what the API's reference says, and where it says more that is listed here."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from cometnb.protocol.params import FOREIGN_NAMES, PARAMS, PASSED_ON, Param, find
from tests.needs import ROOT

_REFERENCE = ROOT.parent / "shared" / "reference" / "responses.openapi.yaml"

# Bounds that hold although the reference does not write them: a count is never negative, and an answer has a token.
_OUR_BOUNDS = {("max_output_tokens", "minimum", 1), ("max_tool_calls", "minimum", 0)}

# Deprecated the other way round in the reference than in the service itself.
_OUR_DEPRECATED = {"reasoning.generate_summary"}
_THEIR_DEPRECATED = {"reasoning.summary"}

# Which parameters cannot go together, in the reference's prose only.
_EXCLUDED = {("conversation", "previous_response_id"), ("previous_response_id", "conversation")}

# Every parameter by name, with its JSON types.
_KINDS = {
    "model": "string",
    "input": "string array",
    "instructions": "string",
    "background": "boolean",
    "context_management": "array",
    "conversation": "string object",
    "include": "array",
    "max_output_tokens": "integer",
    "max_tool_calls": "integer",
    "metadata": "object",
    "parallel_tool_calls": "boolean",
    "previous_response_id": "string",
    "prompt": "object",
    "prompt.id": "string",
    "prompt.variables": "object",
    "prompt.version": "string",
    "prompt_cache_key": "string",
    "prompt_cache_retention": "string",
    "reasoning": "object",
    "reasoning.effort": "string",
    "reasoning.generate_summary": "string",
    "reasoning.summary": "string",
    "safety_identifier": "string",
    "service_tier": "string",
    "store": "boolean",
    "stream": "boolean",
    "stream_options": "object",
    "stream_options.include_obfuscation": "boolean",
    "temperature": "number",
    "text": "object",
    "text.format": "object",
    "text.format.json_schema": "object",
    "text.format.type": "string",
    "text.verbosity": "string",
    "tool_choice": "string object",
    "tools": "array",
    "top_logprobs": "integer",
    "top_p": "number",
    "truncation": "string",
    "user": "string",
}


def _rows(rows: tuple[Param, ...] = PARAMS, prefix: str = "") -> dict[str, Param]:
    """Return every row by its path."""
    found: dict[str, Param] = {}
    for row in rows:
        found[prefix + row.name] = row
        found |= _rows(row.fields, f"{prefix}{row.name}.")
    return found


def _reference() -> dict[str, Any]:
    """Return the reference's schema of the request; where there is none the test is skipped."""
    if not _REFERENCE.is_file():
        pytest.skip("needs the API's reference in ../shared/reference, which is not part of a clone")
    document = yaml.safe_load(_REFERENCE.read_text("utf-8"))
    body = document["paths"]["/v1/responses"]["post"]["requestBody"]
    schema: dict[str, Any] = body["content"]["application/json"]["schema"]
    return schema


def _schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of every parameter and of every named field inside one, by its path."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [("", _reference())]
    while waiting:
        path, schema = waiting.pop()
        for name, inner in schema.get("properties", {}).items():
            found[f"{path}{name}"] = inner
            waiting.append((f"{path}{name}.", inner))
    return found


def _kinds(schema: dict[str, Any]) -> set[str]:
    kinds = [one["type"] for one in schema["oneOf"]] if "oneOf" in schema else schema["type"]
    return {kinds} - {"null"} if isinstance(kinds, str) else set(kinds) - {"null"}


def test_the_table_has_these_rows_of_these_types() -> None:
    """29 parameters and the named fields inside them."""
    assert {path: " ".join(row.kinds) for path, row in _rows().items()} == _KINDS
    assert len(PARAMS) == 29


def test_the_bounds_defaults_and_limits_are_these() -> None:
    """What is checked before anything is sent, in one place."""
    rows = _rows()
    bounds = {path: (row.minimum, row.maximum) for path, row in rows.items()}
    assert {path: bound for path, bound in bounds.items() if bound != (None, None)} == {
        "max_output_tokens": (1, None),
        "max_tool_calls": (0, None),
        "temperature": (0, 2),
        "top_logprobs": (0, 20),
        "top_p": (0, 1),
    }
    assert {path: row.default for path, row in rows.items() if row.default is not None} == {
        "background": False,
        "parallel_tool_calls": True,
        "store": True,
        "stream": False,
        "temperature": 1,
        "tool_choice": "auto",
        "top_p": 1,
        "truncation": "disabled",
    }
    assert {path for path, row in rows.items() if row.required} == {"model", "input"}
    assert {path for path, row in rows.items() if row.closed} == {"truncation"}
    assert {path: row.max_length for path, row in rows.items() if row.max_length} == {"safety_identifier": 64}
    assert {(path, other) for path, row in rows.items() for other in row.excludes} == _EXCLUDED


def test_every_row_has_its_line_of_documentation() -> None:
    """It is shown in help and tooltips: one sentence on one line."""
    for row in _rows().values():
        assert row.doc.endswith(".")
        assert "\n" not in row.doc


def test_names_and_types_are_the_reference_s() -> None:
    """No parameter or field more or less, and each of the JSON types written there."""
    schemas = _schemas()
    assert len(_reference()["properties"]) == 29
    named = {path for path in schemas if not path.startswith("context_management.")}
    assert set(_rows()) == named
    for path, row in _rows().items():
        assert set(row.kinds) == _kinds(schemas[path]), path


def test_bounds_are_the_reference_s_or_listed_above() -> None:
    """Nothing the reference allows is refused, except what is said here."""
    ours, theirs = set(), set()
    schemas = _schemas()
    for path, row in _rows().items():
        for name in ("minimum", "maximum"):
            if getattr(row, name) is not None:
                ours.add((path, name, getattr(row, name)))
            if schemas[path].get(name) is not None:
                theirs.add((path, name, schemas[path][name]))
    assert ours - theirs == _OUR_BOUNDS
    assert theirs <= ours


def test_every_choice_of_the_reference_is_known() -> None:
    """Ours may be more where they are open; a closed choice is exactly the reference's."""
    schemas = _schemas()
    for path, row in _rows().items():
        theirs = set(schemas[path].get("enum") or schemas[path].get("items", {}).get("enum") or ())
        assert theirs <= set(row.choices), path
        assert not row.closed or theirs == set(row.choices), path
        assert bool(theirs) == bool(row.choices), path


def test_defaults_are_the_reference_s() -> None:
    """What the service assumes, and nothing where it documents nothing."""
    schemas = _schemas()
    assert {path: row.default for path, row in _rows().items()} == {
        path: schemas[path].get("default") for path in _rows()
    }


def test_required_deprecated_and_lengths_are_the_reference_s() -> None:
    """With the one exception that is settled in favour of the service."""
    schemas, rows = _schemas(), _rows()
    assert {path for path, row in rows.items() if row.required} == set(_reference()["required"])
    theirs = {path for path in rows if schemas[path].get("deprecated")}
    ours = {path for path, row in rows.items() if row.deprecated}
    assert ours - _OUR_DEPRECATED == theirs - _THEIR_DEPRECATED
    assert {path: row.max_length for path, row in rows.items()} == {
        path: schemas[path].get("maxLength") for path in rows
    }


def test_find_follows_dots() -> None:
    """A field inside a parameter is found by its path, and nothing else is."""
    for path, row in _rows().items():
        assert find(path) is row
    for path in ("", "nothing", "reasoning.nothing", "model.x", "reasoning.", ".reasoning"):
        assert find(path) is None


def test_names_of_other_apis_are_no_parameters() -> None:
    """A name is either ours, passed on, or explained."""
    names = {row.name for row in PARAMS}
    assert not names & set(FOREIGN_NAMES)
    assert not names & PASSED_ON
    assert not PASSED_ON & set(FOREIGN_NAMES)
