"""What was presented, from where, and what an admission says of it."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers, QueryParams

from antiphon_server.security.admission import (
    SCOPES,
    UNKNOWN_ORIGIN,
    Admission,
    credential,
    origin,
)

PAGE = "https://app.example.com"
WITH_PORT = "http://localhost:3000"


@pytest.mark.parametrize(
    ("header", "token", "expected"),
    [
        ("key-1", None, "key-1"),
        ("Bearer key-1", None, "key-1"),
        ("bearer key-1", None, "key-1"),
        ("BEARER   key-1  ", None, "key-1"),
        (None, "key-1", "key-1"),
        ("key-1", "key-2", "key-1"),
        ("Bearer ", "key-2", "key-2"),
        ("", "", None),
        (None, None, None),
        ("Bearer Bearer key-1", None, "Bearer key-1"),
        ("Basic dTpw", "key-2", "key-2"),
        ("Basic dTpw", None, "Basic dTpw"),
        ("negotiate YII", "key-2", "key-2"),
    ],
)
def test_a_credential_is_found_in_each_place(
    header: str | None, token: str | None, expected: str | None
) -> None:
    """Header with or without ``Bearer``, else ``?token=`` (protocol section 1.2)."""
    headers = Headers({} if header is None else {"authorization": header})
    query = QueryParams({} if token is None else {"token": token})
    assert credential(headers, query) == expected


@pytest.mark.parametrize("second", ["key-1", "key-2", "Bearer key-1", "x"])
def test_of_several_headers_none_is_believed(second: str) -> None:
    """A proxy may have checked another one than we would."""
    headers = _headers(authorization=("Bearer key-1", second))
    assert credential(headers, QueryParams("token=key-1")) == f"key-1, {second}"


@pytest.mark.parametrize("header", [b"\xff\xfe\x00", b"key\x00-1", b"k" * 100_000, b"Bearer \xe4"])
def test_a_header_of_any_bytes_is_a_credential(header: bytes) -> None:
    """Of nobody; nothing raises."""
    found = credential(Headers(raw=[(b"authorization", header)]), QueryParams())
    assert found == header.decode("latin-1").removeprefix("Bearer ")


def test_a_page_says_where_it_is_from() -> None:
    """Whatever it has for a credential; without a header and a page it is not known."""
    assert origin(_headers(origin=(PAGE,))) == PAGE
    assert origin(_headers(origin=(PAGE,), authorization=("key-1",))) == PAGE
    assert origin(_headers(authorization=("key-1",))) is None
    assert origin(_headers()) == UNKNOWN_ORIGIN
    assert origin(_headers(origin=(PAGE, PAGE))) == f"{PAGE}, {PAGE}"


@pytest.mark.parametrize("given", [PAGE, WITH_PORT, None])
def test_an_origin_that_is_named_is_let_in(given: str | None) -> None:
    """And a client that is no page: its header is a secret no page has."""
    assert Admission(account="a", origins=(PAGE, WITH_PORT)).is_from(given)


@pytest.mark.parametrize(
    "given",
    [
        UNKNOWN_ORIGIN,
        "null",
        "NULL",
        "*",
        "https://evil.example",
        "http://app.example.com",
        "wss://app.example.com",
        "https://app.example.com:443",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com.evil.example",
        "https://evil.example#https://app.example.com",
        "https://user@app.example.com",
        "https://sub.app.example.com",
        "https://app.example.com ",
        "https://app.example.com, https://app.example.com",
        "https://APP.example.com",
        "https://аpp.example.com",  # noqa: RUF001 (the first letter is Cyrillic)
        "http://localhost",
        "http://localhost:30000",
        "http://127.0.0.1:3000",
        "https://app.example.com\x00",
        "//app.example.com",
        "app.example.com",
    ],
)
def test_any_other_origin_is_not(given: str) -> None:
    """As browsers write it, in full; nothing that merely looks like it (RFC 6454)."""
    assert not Admission(account="a", origins=(PAGE, WITH_PORT)).is_from(given)
    assert Admission(account="a").is_from(given)


def test_a_scope_is_there_or_not() -> None:
    """All of them, unless the key names some."""
    assert all(Admission(account="a").is_for(scope) for scope in SCOPES)
    narrow = Admission(account="a", scopes=("usage",))
    assert [scope for scope in SCOPES if narrow.is_for(scope)] == ["usage"]


def _headers(**several: tuple[str, ...]) -> Headers:
    raw = [(name.encode(), text.encode()) for name, texts in several.items() for text in texts]
    return Headers(raw=raw)
