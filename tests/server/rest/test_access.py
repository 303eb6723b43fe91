"""Who may use the REST API."""

from __future__ import annotations

import json

import pytest
from starlette.requests import Request

from antiphon_server.rest.access import account, admitted, presented
from antiphon_server.rest.errors import Forbidden, MissingAuthorization, UnknownKey
from antiphon_server.security.admission import ANYBODY, SCOPES
from antiphon_server.security.keys import Keys
from antiphon_server.store.database import Database, Unreachable
from antiphon_server.store.keys import KeyStore
from server.rest.rest_client import api_of, ask
from server.security.created_keys import PEPPER, create, unreachable

PAGE = b"https://app.example.com"


def _request(*authorizations: bytes, query: str = "", origins: tuple[bytes, ...] = ()) -> Request:
    headers = [(b"authorization", header) for header in authorizations]
    headers += [(b"origin", one) for one in origins]
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


@pytest.mark.parametrize("header", [b"key-1", b"Bearer key-1", b"BEARER key-1"])
async def test_a_key_is_an_account(header: bytes) -> None:
    """However it is written; for everything."""
    keys = Keys(("key-1",))
    expected = (await keys.owner("key-1")).account
    for scope in (*SCOPES, None):
        assert await account(keys, _request(header), scope) == expected


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ((), MissingAuthorization),
        ((b"",), MissingAuthorization),
        ((b"Bearer ",), MissingAuthorization),
        ((b"key-2",), UnknownKey),
        ((b"\x00",), UnknownKey),
        ((b"key-1\x00",), UnknownKey),
        ((b"Bearer \xff\xfe",), UnknownKey),
        ((b"key-1 \xc3\xa4",), UnknownKey),
        ((b"k" * 100_000,), UnknownKey),
        ((b"Basic a2V5LTE6",), UnknownKey),
        ((b"key-1", b"key-1"), UnknownKey),
        ((b"key-1", b"key-2"), UnknownKey),
        ((b"Bearer x", b"key-1"), UnknownKey),
    ],
)
async def test_anything_else_is_refused(headers: tuple[bytes, ...], error: type[Exception]) -> None:
    """Told apart: nothing, and something wrong; a key in the query is nothing."""
    with pytest.raises(error):
        await account(Keys(("key-1",)), _request(*headers, query="token=key-1"), "agents")


async def test_without_keys_everybody_has_the_same_account() -> None:
    """With a header and without."""
    for headers in ((), (b"anything",)):
        assert await account(Keys(()), _request(*headers), "agents") == ANYBODY
    assert presented(_request(query="token=x")) is None


async def test_a_token_is_nobody() -> None:
    """It opens sessions, and does nothing else."""
    keys = Keys(("key-1",))
    token = keys.mint(await keys.owner("key-1"), 60, 60)
    with pytest.raises(UnknownKey):
        await account(keys, _request(token.encode()), None)


async def test_a_key_does_what_its_scopes_say(database: Database) -> None:
    """Anything else is forbidden, by the name of what is missing; any key may read the lists."""
    keys = Keys((), store=KeyStore(database), pepper=PEPPER)
    for own in SCOPES:
        _, text = create(database, scopes=(own,))
        request = _request(text.encode())
        for good in (own, None):
            assert await account(keys, request, good) == "default"
        for other in set(SCOPES) - {own}:
            with pytest.raises(Forbidden, match=other) as refused:
                await account(keys, request, other)
            assert (refused.value.status, refused.value.code) == (403, "forbidden")
    await keys.close()


async def test_a_page_of_another_origin_is_forbidden(database: Database) -> None:
    """A server that says no origin is not a page."""
    keys = Keys((), store=KeyStore(database), pepper=PEPPER)
    key_id, text = create(database, origins=(PAGE.decode(),))
    for request in (_request(text.encode()), _request(text.encode(), origins=(PAGE,))):
        assert (await admitted(keys, request, "calls")).key_id == key_id
    for origins in (
        (b"null",),
        (b"",),
        (b"https://evil.example",),
        (PAGE, PAGE),
        (PAGE, b"https://evil.example"),
        (PAGE + b"/",),
        (b"\xff",),
    ):
        with pytest.raises(Forbidden, match="origin"):
            await admitted(keys, _request(text.encode(), origins=origins), "calls")
    await keys.close()


async def test_without_the_database_a_key_is_not_called_wrong(database: Database) -> None:
    """The API answers 503: the same request may succeed later."""
    keys = Keys((), store=KeyStore(database), pepper=PEPPER)
    _, text = create(database)
    with unreachable(database):
        with pytest.raises(Unreachable):
            await account(keys, _request(text.encode()), "agents")
        got = await ask(api_of(keys), "GET /v1/voices", authorization=text)
    assert got.status == 503


async def test_both_token_addresses_ask_for_the_scope(database: Database) -> None:
    """Each says it in its own shape."""
    keys = Keys((), store=KeyStore(database), pepper=PEPPER)
    app = api_of(keys)
    _, text = create(database, scopes=("usage",))
    told = "This key does not have the scope 'calls'"
    got = await ask(app, "GET /v1/token?expires_in_seconds=60", authorization=text)
    assert (got.status, json.loads(got.raw)) == (403, {"detail": told})
    got = await ask(app, "POST /v1/tokens", authorization=text)
    assert (got.status, got.body["code"], got.body["message"]) == (403, "forbidden", told)
    await keys.close()
