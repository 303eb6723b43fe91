"""Who may use the REST API."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from antiphon_server.rest.access import account, presented
from antiphon_server.rest.errors import MissingAuthorization, UnknownKey
from antiphon_server.security.keys import ANYBODY, Keys


def _request(authorization: str | None, query: str = "") -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


@pytest.mark.parametrize("header", ["key-1", "Bearer key-1", "BEARER key-1"])
def test_a_key_is_an_account(header: str) -> None:
    """However it is written."""
    keys = Keys(("key-1",))
    assert account(keys, _request(header)) == keys.account("key-1")


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (None, MissingAuthorization),
        ("", MissingAuthorization),
        ("Bearer ", MissingAuthorization),
        ("key-2", UnknownKey),
        ("\x00", UnknownKey),
    ],
)
def test_anything_else_is_refused(header: str | None, error: type[Exception]) -> None:
    """Told apart: nothing, and something wrong; a key in the query is nothing."""
    with pytest.raises(error):
        account(Keys(("key-1",)), _request(header, "token=key-1"))


def test_without_keys_everybody_has_the_same_account() -> None:
    """With a header and without."""
    for header in (None, "anything"):
        assert account(Keys(()), _request(header)) == ANYBODY
    assert presented(_request(None, "token=x")) is None
