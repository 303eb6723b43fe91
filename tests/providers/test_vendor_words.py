"""Vendors' errors of all shapes are read for their words, and nothing is raised."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.vendor_words import MAX_WORDS, retry_after, without, words_in, words_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error": "Invalid API key"}', ("Invalid API key", None)),
        (b'{"error": {"message": "no such model", "code": "404x"}}', ("no such model", "404x")),
        (b'{"err_code": "INVALID_AUTH", "err_msg": "no"}', ("no", "INVALID_AUTH")),
        (b'{"detail": {"status": "quota", "message": "spent"}}', ("spent", "quota")),
        (b'{"detail": [{"type": "missing", "msg": "field"}]}', ("field", "missing")),
        (b'{"detail": "Not Found"}', ("Not Found", None)),
        (b'{"error_code": 1008, "error": "who?"}', ("who?", "1008")),
        (b'{"title": "Bad", "message": "worse"}', ("worse", None)),
        (b"  too many requests\n", ("too many requests", None)),
        (b"<html><body>502</body></html>", ("", None)),
        (b"", ("", None)),
        (b"[]", ("", None)),
        (b"7", ("", None)),
        (b'{"error": true, "code": false}', ("", None)),
    ],
)
def test_the_words_and_the_code_are_found(body: bytes, expected: tuple[str, str | None]) -> None:
    """In each vendor's own shape; a web page and a number have no words."""
    assert words_of(body) == expected


def test_words_are_bounded() -> None:
    """However much a vendor says."""
    assert len(words_of(b"x" * 100_000)[0]) == MAX_WORDS
    assert len(words_of(msgspec.json.encode({"error": "x" * 100_000}))[0]) == MAX_WORDS
    assert words_of(b"[" * 100_000 + b"]" * 100_000)[1] is None


@given(JSON)
def test_any_json_is_read_without_an_error(said: object) -> None:
    """Whatever it is, what comes out are words and perhaps a code."""
    words, code = words_in(said)
    assert isinstance(words, str)
    assert code is None or isinstance(code, str)


@given(st.binary())
def test_any_bytes_are_read_without_an_error(body: bytes) -> None:
    """Garbage too."""
    words, _ = words_of(body)
    assert isinstance(words, str)


def test_secrets_are_taken_out_as_they_are_and_as_a_url_has_them() -> None:
    """No secrets, or empty ones, change nothing."""
    said = "key a/b+c was refused (?token=a%2Fb%2Bc)"
    assert without(("a/b+c",), said) == "key [api key] was refused (?token=[api key])"
    assert without((), said) == said
    assert without(("",), said) == said


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("9" * 50, 86_400.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("inf", None),
        ("nan", None),
        ("1.2.3", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_the_wait_a_vendor_asks_for_is_understood(
    header: str | None, seconds: float | None
) -> None:
    """Seconds or a date; what is neither is none, what is past is now."""
    assert retry_after(header) == seconds


def test_a_date_to_come_is_a_wait() -> None:
    """Counted from now."""
    header = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60), usegmt=True)
    seconds = retry_after(header)
    assert seconds is not None
    assert 50 < seconds <= 60
