"""Arguments are checked as the tool's parameters say, and nothing they say can hurt."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from antiphon_server.arguments import check as arguments
from antiphon_server.arguments.check import MOST_PROBLEMS, Arguments
from antiphon_server.arguments.parameters import compiled
from server.arguments.schema_strategies import ARGUMENTS, HOSTILE, SCHEMAS

BOOKING = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "guests": {"type": "integer", "minimum": 1, "maximum": 12},
        "date": {"type": "string", "format": "date"},
        "phone": {"type": "string", "pattern": r"\d{3}( ?\d){4}"},
        "room": {"enum": ["inside", "terrace"]},
        "extras": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    },
    "required": ["name", "date"],
    "additionalProperties": False,
}
RIGHT: dict[str, Any] = {"name": "Ada", "date": "2026-03-01"}


def kinds(schema: dict[str, Any], given: dict[str, Any]) -> list[tuple[str, str]]:
    """Where and of what kind the problems are."""
    return [(problem.path, problem.kind) for problem in Arguments(schema).check(given)]


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value fits where a schema is that of one argument."""
    return not Arguments({"properties": {"x": schema}}).check({"x": value})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"guests": 12, "room": "terrace"},
        {"guests": 2.0},
        {"phone": "415 5 5 0 1"},
        {"extras": ["tea", "milk"]},
    ],
)
def test_right_arguments_have_no_problems(more: dict[str, Any]) -> None:
    """Also those that are written as speech is: digits with spaces, where the pattern has them."""
    assert kinds(BOOKING, RIGHT | more) == []


@pytest.mark.parametrize(
    ("given", "where", "kind"),
    [
        ({"date": "2026-03-01"}, "name", "required"),
        (RIGHT | {"name": "A"}, "name", "minLength"),
        (RIGHT | {"guests": "two"}, "guests", "type"),
        (RIGHT | {"guests": True}, "guests", "type"),
        (RIGHT | {"guests": 0}, "guests", "minimum"),
        (RIGHT | {"guests": 13}, "guests", "maximum"),
        (RIGHT | {"date": "tomorrow"}, "date", "format"),
        (RIGHT | {"date": "2026-02-30"}, "date", "format"),
        (RIGHT | {"phone": "41555012"}, "phone", "pattern"),
        (RIGHT | {"phone": "4155501\n"}, "phone", "pattern"),
        (RIGHT | {"room": "roof"}, "room", "enum"),
        (RIGHT | {"extras": ["tea", 1]}, "extras[1]", "type"),
        (RIGHT | {"extras": ["tea", "tea"]}, "extras", "uniqueItems"),
        (RIGHT | {"pets": 1}, "pets", "additionalProperties"),
    ],
)
def test_a_wrong_argument_is_named_with_its_kind(
    given: dict[str, Any], where: str, kind: str
) -> None:
    """One problem, at the argument itself, also where it is missing or too much."""
    assert kinds(BOOKING, given) == [(where, kind)]


def test_a_pattern_must_match_the_whole_value_as_it_is() -> None:
    """Python's syntax, full match (protocol section 3.3): nothing is trimmed or searched for."""
    schema = {"pattern": r"(?P<code>[A-Z]{2}) ?\d+"}
    assert fits(schema, "AB 12")
    assert fits(schema, 12)
    for wrong in ("AB 12.", " AB 12", "xAB 12", "", "ab 12"):
        assert not fits(schema, wrong)


def test_a_money_amount_is_a_multiple_of_a_cent() -> None:
    """Although 19.99 / 0.01 is 1998.9999999999998 in binary fractions."""
    assert all(fits({"multipleOf": 0.01}, cents / 100) for cents in range(3000))
    assert not fits({"multipleOf": 0.01}, 19.995)
    assert fits({"multipleOf": 5}, 15)
    assert not fits({"multipleOf": 5}, 16)


def test_references_within_the_schema_are_followed() -> None:
    """By pointer and by anchor, also into places that no draft knows."""
    date = {"type": "string", "format": "date"}
    for holder, pointer in (
        ({"$defs": {"day": date}}, "#/$defs/day"),
        ({"definitions": {"day": date}}, "#/definitions/day"),
        ({"components": {"schemas": {"day": date}}}, "#/components/schemas/day"),
        ({"$defs": {"day": date | {"$anchor": "day"}}}, "#day"),
        ({"$id": "https://example.com/tool", "$defs": {"day": date}}, "#/$defs/day"),
    ):
        schema = {"properties": {"on": {"$ref": pointer}}, **holder}
        assert kinds(schema, {"on": "soon"}) == [("on", "format")]
        assert kinds(schema, {"on": "2026-03-01"}) == []


def test_the_draft_is_the_one_that_is_named() -> None:
    """``exclusiveMinimum`` is a switch in draft 4 and a number since; 2020-12 without a name."""
    old = {"$schema": "http://json-schema.org/draft-04/schema#"}
    limit = {"minimum": 3, "exclusiveMinimum": True}
    assert kinds(old | {"properties": {"n": limit}}, {"n": 3}) == [("n", "minimum")]
    assert kinds({"properties": {"n": limit}}, {"n": 3}) == []
    listed = {"items": [{"type": "integer"}], "additionalItems": False}
    seven = {"$schema": "http://json-schema.org/draft-07/schema#"}
    assert kinds(seven | {"properties": {"x": listed}}, {"x": [1, 2]})
    third = {"$schema": "http://json-schema.org/draft-03/schema#"}
    assert kinds(third | {"required": ["n"]}, {}) == [("n", "required")]
    for unknown in ("https://example.com/mine", 7, ["a"], "", "http://["):
        assert kinds({"$schema": unknown, "required": ["n"]}, {}) == [("n", "required")]


def test_a_schema_inside_names_no_other_draft() -> None:
    """It would be checked by the library itself, without time limits."""
    inner = {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "^(a+)+$"}
    assert kinds({"properties": {"x": inner}}, {"x": "a" * 60 + "!"}) == [("x", "pattern")]


@pytest.mark.parametrize("broken", ["(", "a" * 1001, "(a{1000}){1000}", "a{20000}" * 9, 7, None])
def test_a_pattern_that_cannot_be_used_refuses_nothing(broken: Any) -> None:
    """And costs nothing: what would unroll to a million states is not even compiled."""
    assert fits({"pattern": broken}, "anything")
    assert fits({"patternProperties": {str(broken): False}}, {"anything": 1})


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (r"(\w+\s?)*$!", "a" * 5000),
        (r"((a?){100}){100}!", "a" * 300),
        (r"(x|xx|xxx)+y", "x" * 3000),
        (r"(?:(a)|b|ab)*\1c", "ab" * 900),
    ],
)
def test_a_catastrophic_pattern_does_not_match(pattern: str, value: str) -> None:
    """It is cut off, also where many values have it, and counts as no match."""
    schema = {"properties": {"x": {"items": {"pattern": pattern}}}}
    problems = Arguments(schema).check({"x": [value[n:] for n in range(10)]})
    assert {problem.kind for problem in problems} == {"pattern"}
    named = {"patternProperties": {pattern: False}, "additionalProperties": True}
    assert Arguments(named).check({value: 1}) == ()


def test_no_more_problems_are_told_than_a_model_can_mend() -> None:
    """Five of a hundred."""
    schema = {"additionalProperties": {"type": "integer"}}
    assert len(Arguments(schema).check({str(n): "x" for n in range(100)})) == MOST_PROBLEMS


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"anyOf": [{"$ref": "#"}, {"not": {"$ref": "#"}}]},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$dynamicAnchor": "x", "$dynamicRef": "#x"},
    ],
)
def test_a_schema_that_never_ends_is_given_up(schema: dict[str, Any]) -> None:
    """What is reached before counts; the rest counts as right."""
    assert Arguments(schema).check({"n": 1}) == ()
    assert kinds({"required": ["n"]} | schema, {})[0] == ("n", "required")


def test_a_schema_that_doubles_at_every_level_is_given_up() -> None:
    """Thirty levels of two references each are a billion checks."""
    levels = {f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(30)}
    schema = {"$defs": levels | {"l30": {"type": "object"}}, "$ref": "#/$defs/l0"}
    assert Arguments(schema).check({"n": 1}) == ()


def test_arguments_beyond_all_measure_are_refused() -> None:
    """Too deep, too long: nothing of them is looked at."""
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"x": deep}
    assert kinds({}, deep) == [("", "depth")]
    assert kinds({}, {"x": "a" * 70_000}) == [("", "size")]


def test_nothing_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference to an address is not followed, by whichever keyword it comes."""

    def refuse(*_: Any) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        for address in (
            "http://127.0.0.1/x",
            "https://example.com/a#/b",
            "file:///etc/passwd",
            "x",
        ):
            one = Arguments(
                {"$id": "https://example.com/", "properties": {"x": {keyword: address}}}
            )
            assert one.check({"x": 1}) == ()
            assert len(one.complaints) == 1


def test_a_check_is_over_when_its_time_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever takes it: the event loop waits."""
    monkeypatch.setattr(arguments, "CHECK_SECONDS", -1.0)
    assert kinds({"required": ["n"]}, {}) == []


@given(SCHEMAS, ARGUMENTS)
def test_ordinary_schemas_mean_what_the_library_says(
    schema: dict[str, Any], given: dict[str, Any]
) -> None:
    """The guards change nothing of what is right and what is wrong."""
    assert (not Arguments(schema).check(given)) == Draft202012Validator(schema).is_valid(given)


@settings(deadline=None, max_examples=300)
@given(HOSTILE, ARGUMENTS)
def test_no_schema_breaks_a_call(schema: dict[str, Any], given: dict[str, Any]) -> None:
    """Whatever it holds, a check answers, within bounds, in words of bounded length."""
    problems = Arguments(schema).check(given)
    assert len(problems) <= MOST_PROBLEMS
    assert all(problem.message and len(problem.text) < 2_000 for problem in problems)


def test_a_schema_is_read_when_a_call_is_checked_and_not_before() -> None:
    """A client may send sixty tools at once, all of them new, and calls wait for none of them."""
    compiled.cache_clear()
    check = Arguments({"properties": {"x": {"pattern": "only here"}}})
    assert compiled.cache_info().misses == 0
    assert check.check({"x": "elsewhere"})
    assert compiled.cache_info().misses == 1
