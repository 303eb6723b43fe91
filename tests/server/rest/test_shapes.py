"""Shapes of bodies: what fits, and each kind of fault with its type, place and words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from antiphon_protocol.rest import Fault
from antiphon_protocol.units import ranged, says
from antiphon_protocol.units import shaped as shape_of
from antiphon_server.rest.shapes import MOST_FAULTS, shaped


class _Inner(Struct, frozen=True):
    """An inner object."""

    name: Annotated[str, ranged("A name.", min_length=1, max_length=3)]
    mode: Annotated[Literal["cold", "warm", "hot"] | None, says("A mode.")] = None


class _Body(Struct, frozen=True):
    """A body with a field of each kind."""

    inner: _Inner
    whole: Annotated[int | UnsetType | None, ranged("Whole.", ge=1, le=30)] = UNSET
    free_whole: int = 0
    number: Annotated[float, ranged("Any.", ge=0.5)] = 1.0
    flag: bool = False
    items: Annotated[tuple[_Inner, ...] | None, ranged("Some.", min_items=1, max_items=2)] = None
    words: dict[str, str] = {}
    free: Any = None
    shape: Annotated[Any, shape_of("Passed through by decoders.", _Inner | None)] = UNSET
    word: Annotated[str | None, ranged("A word.", pattern="^[a-z]+$")] = None


class _Strict(Struct, frozen=True, forbid_unknown_fields=True):
    """An object that takes nothing else."""

    name: str = ""


_INNER = {"name": "a"}


def _faults(**fields: Any) -> list[tuple[Any, ...]]:
    read = shaped({"inner": _INNER, **fields}, _Body)
    assert isinstance(read, tuple)
    return [(fault.type, fault.loc[1:], fault.msg, fault.ctx) for fault in read]


def test_what_fits_becomes_the_struct() -> None:
    """Keys that are not known are ignored, null and absence stay apart."""
    read = shaped(
        {
            "inner": {"name": "abc", "mode": "hot", "more": 1},
            "whole": 30.0,
            "number": 2,
            "items": [_INNER, _INNER],
            "words": {"a": "b"},
            "free": {"deep": [10**30, None, {"x": 2.5}]},
            "shape": {"name": "a", "more": 1},
            "word": "abc",
            "more": {},
        },
        _Body,
    )
    assert read == _Body(
        inner=_Inner("abc", "hot"),
        whole=30,
        number=2.0,
        items=(_Inner("a"), _Inner("a")),
        words={"a": "b"},
        free={"deep": [10**30, None, {"x": 2.5}]},
        shape={"name": "a"},
        word="abc",
    )
    assert shaped({"inner": _INNER, "whole": None}, _Body) == _Body(_Inner("a"), whole=None)
    assert shaped({"inner": _INNER}, _Body) == _Body(_Inner("a"))


@pytest.mark.parametrize(
    ("fields", "kind", "place", "told", "context"),
    [
        ({"whole": "1"}, "int_type", ("whole",), "Input should be a valid integer", None),
        ({"whole": True}, "int_type", ("whole",), "Input should be a valid integer", None),
        (
            {"whole": 1.5},
            "int_from_float",
            ("whole",),
            "Input should be a valid integer, got a number with a fractional part",
            None,
        ),
        (
            {"whole": 0},
            "greater_than_equal",
            ("whole",),
            "Input should be greater than or equal to 1",
            {"ge": 1},
        ),
        (
            {"whole": 10**30},
            "less_than_equal",
            ("whole",),
            "Input should be less than or equal to 30",
            {"le": 30},
        ),
        (
            {"free_whole": 10**30},
            "int_parsing_size",
            ("free_whole",),
            "Input should be a smaller number",
            None,
        ),
        ({"number": None}, "float_type", ("number",), "Input should be a valid number", None),
        ({"number": False}, "float_type", ("number",), "Input should be a valid number", None),
        ({"flag": "true"}, "bool_type", ("flag",), "Input should be a valid boolean", None),
        ({"flag": 1}, "bool_type", ("flag",), "Input should be a valid boolean", None),
        ({"items": {}}, "list_type", ("items",), "Input should be a valid list", None),
        (
            {"items": []},
            "too_short",
            ("items",),
            "List should have at least 1 item after validation, not 0",
            {"min_length": 1},
        ),
        (
            {"items": [_INNER] * 3},
            "too_long",
            ("items",),
            "List should have at most 2 items after validation, not 3",
            {"max_length": 2},
        ),
        ({"items": [_INNER, {}]}, "missing", ("items", 1, "name"), "Field required", None),
        ({"words": []}, "dict_type", ("words",), "Input should be a valid dictionary", None),
        (
            {"words": {"a": 1}},
            "string_type",
            ("words", "a"),
            "Input should be a valid string",
            None,
        ),
        (
            {"inner": {"name": None}},
            "string_type",
            ("inner", "name"),
            "Input should be a valid string",
            None,
        ),
        (
            {"inner": {"name": ""}},
            "string_too_short",
            ("inner", "name"),
            "String should have at least 1 character",
            {"min_length": 1},
        ),
        (
            {"inner": {"name": "abcd"}},
            "string_too_long",
            ("inner", "name"),
            "String should have at most 3 characters",
            {"max_length": 3},
        ),
        (
            {"inner": {"name": "a", "mode": "x"}},
            "literal_error",
            ("inner", "mode"),
            "Input should be 'cold', 'hot' or 'warm'",
            {"expected": "'cold', 'hot' or 'warm'"},
        ),
        ({"shape": {}}, "missing", ("shape", "name"), "Field required", None),
        (
            {"shape": "x"},
            "model_attributes_type",
            ("shape",),
            "Input should be a valid dictionary or object to extract fields from",
            None,
        ),
        *(
            (
                {"word": word},
                "string_pattern_mismatch",
                ("word",),
                "String should match pattern '^[a-z]+$'",
                {"pattern": "^[a-z]+$"},
            )
            for word in ("", "A", "a\n", "a b")
        ),
        (
            {"inner": None},
            "model_attributes_type",
            ("inner",),
            "Input should be a valid dictionary or object to extract fields from",
            None,
        ),
    ],
)
def test_a_fault_has_the_type_place_and_words_of_the_hosted_service(
    fields: dict[str, Any], kind: str, place: tuple[Any, ...], told: str, context: Any
) -> None:
    """Clients look at the type and show the words."""
    assert _faults(**fields) == [(kind, place, told, context)]


def test_all_faults_are_told_at_once() -> None:
    """Up to a number that an answer can hold."""
    places = [place for _, place, _, _ in _faults(whole=0, flag=1, number="x", inner={})]
    assert places == [("inner", "name"), ("whole",), ("number",), ("flag",)]
    assert len(_faults(words={str(name): 1 for name in range(1_000)})) == MOST_FAULTS


def test_a_list_that_is_too_long_is_not_read() -> None:
    """It may have half a million entries."""
    assert _faults(items=[{}] * 500_000) == [
        (
            "too_long",
            ("items",),
            "List should have at most 2 items after validation, not 500000",
            {"max_length": 2},
        )
    ]


def test_a_text_is_not_repeated() -> None:
    """It may be a secret in the wrong place; a number, or what is no known word, may be."""
    read = shaped({"inner": {"name": "a secret", "mode": "tepid"}, "whole": 99}, _Body)
    assert isinstance(read, tuple)
    assert [fault.input for fault in read] == [None, "tepid", 99]


def test_unknown_keys_are_ignored_where_a_struct_does_not_forbid_them() -> None:
    """Where it does, the first is told, and not all of a large body."""
    assert shaped({"inner": _INNER, "more": 1}, _Body) == _Body(_Inner("a"))
    read = shaped({"name": "a", "x" * 65: 1, "y": 2}, _Strict)
    assert isinstance(read, tuple)
    (fault,) = read
    assert (fault.type, fault.loc, fault.input) == ("extra_forbidden", ("body", "x" * 64), None)


def test_what_is_no_object_is_at_fault_as_a_whole() -> None:
    """There is no name to give."""
    read = shaped([], _Body)
    assert isinstance(read, tuple)
    assert [(fault.type, fault.loc) for fault in read] == [("model_attributes_type", ("body",))]


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    value=_json
    | st.fixed_dictionaries(
        {"inner": st.fixed_dictionaries({"name": _json})},
        optional=dict.fromkeys(_Body.__struct_fields__[1:], _json),
    )
)
def test_every_json_value_is_a_struct_or_faults(value: Any) -> None:
    """Never an exception; and the struct can be written again."""
    read = shaped(value, _Body)
    if isinstance(read, _Body):
        assert shaped(msgspec.json.decode(msgspec.json.encode(read)), _Body) == read
    else:
        assert read
        assert all(isinstance(fault, Fault) for fault in read)
