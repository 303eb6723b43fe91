"""Where links to what a session left begin."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from antiphon_server.rest.artifact_links import base_of


def _asked(host: str | None) -> Request:
    headers = [] if host is None else [(b"host", host.encode())]
    return Request({"type": "http", "scheme": "https", "path": "/", "headers": headers})


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("voice.example.com", "https://voice.example.com"),
        ("127.0.0.1:8080", "https://127.0.0.1:8080"),
        ("[::1]:8080", "https://[::1]:8080"),
        (None, "https://localhost"),
        ("evil.example/path", "https://localhost"),
        ("a b", "https://localhost"),
        ("user@evil.example", "https://localhost"),
    ],
)
def test_links_begin_with_what_was_asked(host: str | None, base: str) -> None:
    """As far as it is a host."""
    assert base_of(_asked(host), "") == base


def test_links_begin_with_what_the_operator_says() -> None:
    """Whatever was asked."""
    assert base_of(_asked("other.example"), "https://voice.example/") == "https://voice.example"
