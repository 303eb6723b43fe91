"""Regular expressions of schemas, run only where they end soon."""

from __future__ import annotations

import pytest

from antiphon_providers.local.dialogue.patterns import MOST_WAYS, compiled, fits, ways


def test_a_simple_pattern_must_fit_the_whole_value() -> None:
    """The match is a full match, as the protocol's section 3.3 has it."""
    assert fits(r"[A-Z]{2}\d{4}", "AB1234")
    assert not fits(r"[A-Z]{2}\d{4}", "AB12345")
    assert not fits(r"\d{3}", "12a")


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a*)*", "(?:a?){25}a{25}", r"(\w+)\1+", "a*a*a*a*a*b"]
)
def test_a_pattern_that_could_run_for_long_is_not_run(pattern: str) -> None:
    """Its estimate exceeds the limit, and the value passes unchecked, at once."""
    assert ways(pattern, 60) > MOST_WAYS
    assert fits(pattern, "a" * 60)


@pytest.mark.parametrize("pattern", ["[", "(", "*", "a{2,1}", "x" * 1_000, "(?P<n>a", "[[a]"])
def test_an_invalid_or_endless_pattern_is_ignored(pattern: str) -> None:
    """What is no regular expression constrains nothing, and warns nobody."""
    assert compiled(pattern) is None or pattern == "[[a]"
    assert fits(pattern, "[" if pattern == "[[a]" else "anything")


def test_ordinary_patterns_of_real_schemas_are_run() -> None:
    """Mail, phone and reference patterns stay below the limit for values of their length."""
    for pattern, value in (
        (r"[^@\s]+@[^@\s]+\.[a-z]+", "sam@example.com"),
        (r"\+?\d{7,15}", "+441632960123"),
        (r"\(?\d{3}\)?[-. ]?\d{3}[-. ]?\d{4}", "555-123-4567"),
        (r"(\d{4} ?){4}", "4111 1111 1111 1111"),
    ):
        assert ways(pattern, len(value)) <= MOST_WAYS
        assert fits(pattern, value)
        assert not fits(pattern, "nonsense")
