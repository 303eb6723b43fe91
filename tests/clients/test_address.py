"""Addresses as people type them."""

import pytest

from antiphon.address import socket_url, without_token
from antiphon.errors import CannotConnect


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("ws://localhost:8400/v1/ws", "ws://localhost:8400/v1/ws"),
        ("http://localhost:8400", "ws://localhost:8400/v1/ws"),
        ("https://voice.example/", "wss://voice.example/v1/ws"),
        ("wss://voice.example/v1", "wss://voice.example/v1/ws"),
        (" ws://voice.example/behind/a/proxy/ ", "ws://voice.example/behind/a/proxy"),
        ("ws://voice.example?token=a%2Bb", "ws://voice.example/v1/ws?token=a%2Bb"),
    ],
)
def test_an_address_becomes_the_sockets(typed: str, url: str) -> None:
    """Scheme and path are completed; another path and the query are kept."""
    assert socket_url(typed) == url


def test_the_timeline_is_asked_for_in_the_query_once() -> None:
    """An address that asks already is left alone."""
    asking = "ws://voice.example/v1/ws?token=t&timeline=1"
    assert socket_url("ws://voice.example?token=t", timeline=True) == asking
    assert socket_url(asking, timeline=True) == asking


@pytest.mark.parametrize("typed", ["", "localhost:8400", "ftp://voice.example", "ws://", "//x"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    """The error shows what one looks like."""
    with pytest.raises(CannotConnect, match="write it like ws://"):
        socket_url(typed)


def test_the_credential_is_taken_out_of_an_address_and_nothing_else() -> None:
    """It was for the first handshake; whoever resumes has another."""
    url = "ws://voice.example/v1/ws?token=t&timeline=1&x="
    assert without_token(url) == "ws://voice.example/v1/ws?timeline=1&x="
    assert without_token("ws://voice.example/v1/ws") == "ws://voice.example/v1/ws"
