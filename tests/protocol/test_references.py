"""References inside a schema, and what JSON calls a number."""

from __future__ import annotations

from typing import Any

import pytest

from cometnb.protocol.references import KINDS, referred

_ROOT: dict[str, Any] = {
    "$defs": {"a/b": {"type": "string"}, "c~d": {"type": "null"}, "e f": {}},
    "prefixItems": [{"const": 1}],
}


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("#", _ROOT),
        ("#/$defs/a~1b", {"type": "string"}),
        ("#/$defs/c~0d", {"type": "null"}),
        ("#/$defs/e%20f", {}),
        ("#/prefixItems/0", {"const": 1}),
        ("#/prefixItems/1", None),
        ("#/$defs/gone", None),
        ("#/$defs/a~1b/type/0", None),
    ],
)
def test_a_reference_finds_its_schema(target: str, found: Any) -> None:
    """Also one whose name holds a slash, a tilde or a space; None where nothing is."""
    assert referred(target, _ROOT) == found


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (1, {"integer", "number"}),
        (1.0, {"integer", "number"}),
        (1.5, {"number"}),
        (True, {"boolean"}),
        (None, {"null"}),
        ("1", {"string"}),
        ([], {"array"}),
        ({}, {"object"}),
    ],
)
def test_a_value_has_the_types_that_schemas_give_it(value: Any, kinds: set[str]) -> None:
    """True is no number, and 1.0 is an integer."""
    assert {kind for kind, is_one in KINDS.items() if is_one(value)} == kinds
