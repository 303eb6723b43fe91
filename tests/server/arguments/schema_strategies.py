"""Schemas of tools and arguments for them, drawn by hypothesis: sensible ones and hostile ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(("city", "date", "id", "n", "tags", "x"))
TEXTS = st.text("ab1 -@.", max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9, width=16) | TEXTS


def values(most: int = 8) -> st.SearchStrategy[Any]:
    """Any JSON value."""
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=most,
    )


ARGUMENTS = st.dictionaries(NAMES, values(), max_size=4)

_LIMITS = st.integers(0, 4)
_SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(("string", "number", "integer", "boolean", "object", "array", "null")),
    "enum": st.lists(SCALARS, min_size=1, max_size=3),
    "const": SCALARS,
    "minimum": st.integers(-5, 5),
    "exclusiveMaximum": st.integers(-5, 5),
    "minLength": _LIMITS,
    "maxLength": _LIMITS,
    "minItems": _LIMITS,
    "maxItems": _LIMITS,
    "minProperties": _LIMITS,
    "required": st.lists(NAMES, max_size=2, unique=True),
}


def _with_inner(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    named = st.dictionaries(NAMES, inner, max_size=3)
    several = st.lists(inner, min_size=1, max_size=2)
    composed: dict[str, st.SearchStrategy[Any]] = {
        "properties": named,
        "additionalProperties": inner | st.booleans(),
        "items": inner,
        "allOf": several,
        "anyOf": several,
        "oneOf": several,
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
    }
    return st.fixed_dictionaries({}, optional=composed | _SIMPLE)


SCHEMAS = st.recursive(
    st.fixed_dictionaries({}, optional=_SIMPLE), _with_inner, max_leaves=6
).filter(lambda schema: isinstance(schema, dict))
"""Well-formed, of the keywords on which our check and the library must agree."""

_KEYWORDS = st.sampled_from(
    (
        "$defs", "$dynamicRef", "$id", "$ref", "$schema", "additionalProperties", "allOf", "anyOf",
        "const", "contains", "definitions", "dependencies", "dependentRequired",
        "dependentSchemas", "enum", "exclusiveMinimum", "format", "if", "items", "maxItems",
        "maxLength", "minContains", "minimum", "multipleOf", "not", "oneOf", "pattern",
        "patternProperties", "prefixItems", "properties", "propertyNames", "required", "then",
        "type", "unevaluatedProperties", "uniqueItems", "city", "x",
    )
)  # fmt: skip
_HOSTILE_TEXTS = st.sampled_from(
    (
        "#", "#/$defs/x", "#/properties/x", "#x", "https://example.com/schema", "string", "date",
        "email", "^(a+)+$", "(", "[", "(?P<x>", "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-07/schema#", "",
    )
)  # fmt: skip
HOSTILE = st.dictionaries(
    _KEYWORDS,
    st.recursive(
        SCALARS | _HOSTILE_TEXTS,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(_KEYWORDS | _HOSTILE_TEXTS, inner, max_size=5)
        ),
        max_leaves=25,
    ),
    max_size=6,
)
"""Keywords with anything in them."""
