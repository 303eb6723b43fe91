"""Origins as operators write them."""

from __future__ import annotations

import pytest

from antiphon_server.security.origins import OriginFault, normal_origin


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://App.Example.COM/", "https://app.example.com"),
        (" https://app.example.com ", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("http://app.example.com:80", "http://app.example.com"),
        ("https://app.example.com:80", "https://app.example.com:80"),
        ("https://app.example.com:", "https://app.example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://192.0.2.1:8080", "http://192.0.2.1:8080"),
        ("http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_as_browsers_write_it(written: str, expected: str) -> None:
    """Twice makes no difference."""
    assert normal_origin(written) == normal_origin(expected) == expected


@pytest.mark.parametrize(
    "written",
    [
        "", "null", "*", "app.example.com", "//app.example.com", "https://", "https:",
        "https://*.example.com", "https://app.example.com/path", "https://app.example.com?x",
        "https://app.example.com#x", "https://user@app.example.com", "https://a:b@app.example.com",
        "https://app.example.com:http", "https://app.example.com:99999", "https://bücher.example",
        "https://app.example.com, https://b.example", "https://a b", "https://[::1", "https://a..b",
        "https://app.example.com\x00", "1https://app.example.com", "file:///etc", "https://.a",
        "https://\udcff.example",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(written: str) -> None:
    """With what one looks like; no browser would ever say it."""
    with pytest.raises(OriginFault, match=r"https://app\.example\.com or"):
        normal_origin(written)
