"""Formats: the standards', with what speech leaves out left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.arguments.formats import DESCRIBED, FORMATS, PHONES

GOOD = {
    "date": ["2026-03-01", "2024-02-29"],
    "time": ["14:30", "14:30:05", "14:30:05.25Z", "09:00+01:00"],
    "date-time": ["2026-03-01T14:30", "2026-03-01T14:30:00Z", "2026-03-01 14:30:00+02:00"],
    "duration": ["PT30M", "P1DT2H", "P2W", "P1Y"],
    "email": ["sam@example.com", "sam.o'neil+x@mail.example.co.uk", "jörg@bücher.example"],
    "phone": ["+1 415 555 0100", "4 1 5 5 5 5", "(0)20-7946-0018", "+14155550100", "555.0100 x12"],
    "uri": ["https://example.com/a?b=c#d", "mailto:sam@example.com"],
    "url": ["http://example.com"],
    "hostname": ["example.com", "a-b.example."],
    "ipv4": ["192.0.2.1"],
    "ipv6": ["2001:db8::1"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000"],
}
BAD = {
    "date": [
        "tomorrow",
        "2026-02-30",
        "2026-3-1",
        "20260301",
        "2026-W09-7",
        "",
        "2026-03-01T00:00",
    ],
    "time": ["14", "half past two", "25:00", "14:60", "1430", ""],
    "date-time": ["2026-03-01", "2026-02-30T10:00", "now", "2026-W09-7T10:00", "T10:00", ""],
    "duration": ["30 minutes", "P", "PT", "P1S", ""],
    "email": ["sam", "sam at example dot com", "sam@example", "s am@example.com", "a@b@c.de", ""],
    "phone": ["call me", "1234", "12345678901234567", "+", ""],
    "uri": ["example.com", "http:// x", "", "https://exa<mple.com"],
    "url": ["example.com"],
    "hostname": ["-a.com", "a..b", "a b", ""],
    "ipv4": ["192.0.2.256", "1.2.3", ""],
    "ipv6": ["2001:db8::1::2", "1.2.3.4", ""],
    "uuid": ["123e4567", "123e4567e89b12d3a456426614174000", ""],
}


@pytest.mark.parametrize(("name", "value"), [(n, value) for n in GOOD for value in GOOD[n]])
def test_a_value_of_the_format_conforms(name: str, value: str) -> None:
    """As the standard writes it, or as speech leaves it."""
    assert FORMATS.conforms(value, name)


@pytest.mark.parametrize(("name", "value"), [(n, value) for n in BAD for value in BAD[n]])
def test_another_value_does_not(name: str, value: str) -> None:
    """Words instead of a date are what a model sends when it was told none."""
    assert not FORMATS.conforms(value, name)


def test_a_format_nobody_knows_asks_nothing() -> None:
    """As the standard has it."""
    assert FORMATS.conforms("anything", "shoe-size")


def test_only_texts_have_a_format() -> None:
    """A number is for ``type`` to refuse."""
    assert all(FORMATS.conforms(7, name) for name in FORMATS.checkers)


def test_every_format_can_be_described_to_a_model() -> None:
    """Also the many names of a telephone number."""
    known = set(FORMATS.checkers) - set(PHONES) | {"phone"}
    assert known == set(DESCRIBED)


@given(st.sampled_from(sorted(FORMATS.checkers)), st.text(max_size=40) | st.text("0-9:@.T+ZP"))
def test_no_text_breaks_a_format(name: str, text: str) -> None:
    """It conforms or it does not."""
    assert FORMATS.conforms(text, name) in {True, False}


@pytest.mark.parametrize("name", sorted(FORMATS.checkers))
def test_no_format_takes_long(name: str) -> None:
    """Nothing so long has one, so it is not even looked at."""
    for hostile in ("a" * 100_000, "1" * 100_000, "a." * 50_000, "@" * 50_000, "P1" * 50_000):
        assert not FORMATS.conforms(hostile, name)
