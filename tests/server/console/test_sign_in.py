"""The sign-in: a key once, then a sealed cookie that only our own pages can use."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Route

from antiphon_server.console.attempts import MOST_WRONG
from antiphon_server.console.sign_in import (
    COOKIE,
    MOST_KEY_CHARACTERS,
    SECONDS,
    SECURE_COOKIE,
    Cookies,
    SignInRoutes,
    WithCookie,
)
from antiphon_server.rest.api import Api
from antiphon_server.rest.lists import ListRoutes
from antiphon_server.rest.tokens import TokenRoutes
from antiphon_server.security.keys import Keys
from antiphon_server.security.secrets import KEY_BYTES, Vault
from antiphon_server.store.database import Database
from server.rest.rest_client import KEY, Answer, ask
from server.security.created_keys import Clock, create, keys_of, revoke

HOST = "voice.example.com"
OURS = ("x-antiphon-console", "1")
PAGE = ("origin", f"https://{HOST}")
PLAIN_PAGE = ("origin", f"http://{HOST}")
SAME_SITE = ("sec-fetch-site", "same-origin")
VOICES = "GET /v1/calls"
"""What any key may ask for."""


class Desk:
    """A server with keys, a console and a clock."""

    def __init__(self, keys: Keys, public_url: str = "") -> None:
        self.clock = Clock()
        self.vault = Vault((secrets.token_bytes(KEY_BYTES),))
        self.cookies = Cookies(self.vault, public_url, self.clock)
        rest = Api((*TokenRoutes(keys).operations(), *ListRoutes(keys).operations()))
        sign_in = Api(SignInRoutes(keys, self.cookies).operations())
        self.app = Starlette(
            routes=[
                Route("/console/session", sign_in, methods=["POST", "DELETE"]),
                Route("/v1/{path:path}", WithCookie(rest, self.cookies)),
            ]
        )

    async def ask(self, target: str, *headers: tuple[str, str], body: bytes = b"") -> Answer:
        """A request without a credential but what is in the headers."""
        return await ask(self.app, target, body, authorization=None, host=HOST, headers=headers)

    async def sign_in(self, key: Any = KEY, *headers: tuple[str, str]) -> Answer:
        """A sign-in; by default as our own page does it over HTTPS."""
        body = json.dumps({"key": key}).encode()
        return await self.ask(
            "POST /console/session", *(headers or (OURS, PAGE, SAME_SITE)), body=body
        )

    async def cookie(self, key: str = KEY, *headers: tuple[str, str]) -> tuple[str, str]:
        """The header that a browser sends from then on."""
        answer = await self.sign_in(key, *headers)
        assert answer.status == 204, answer.raw
        return ("cookie", answer.headers["set-cookie"].partition(";")[0])


@pytest.fixture
def desk() -> Desk:
    """One with a key in its settings."""
    return Desk(Keys((KEY,)))


@pytest.fixture
async def stored(database: Database) -> AsyncIterator[tuple[Desk, Keys, Clock]]:
    """One with keys in a database, and their clock."""
    clock = Clock()
    keys = keys_of(database, clock=clock)
    yield Desk(keys), keys, clock
    await keys.close()


async def test_a_signed_in_page_may_ask_what_its_key_may(desk: Desk) -> None:
    """Lists, and tokens for calls, which it opens without the cookie."""
    cookie = await desk.cookie()
    assert (await desk.ask(VOICES, OURS, SAME_SITE, cookie)).status == 200
    token = await desk.ask("GET /v1/token?expires_in_seconds=60", OURS, cookie)
    assert token.status == 200


async def test_the_cookie_alone_is_no_credential(desk: Desk) -> None:
    """Browsers send it by themselves, wherever the request comes from."""
    cookie = await desk.cookie()
    for headers in ((), (("x-antiphon-console", "0"),), (OURS, OURS)):
        refused = await desk.ask(VOICES, cookie, *headers)
        assert (refused.status, refused.body["code"]) == (401, "missing_authorization")


async def test_the_header_alone_is_no_credential(desk: Desk) -> None:
    """Everybody can send it who is no page."""
    assert (await desk.ask(VOICES, OURS, SAME_SITE)).status == 401


@pytest.mark.parametrize(
    "foreign",
    [
        ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"), ("origin", "https://evil.example"), ("origin", "null"),
        ("origin", f"http://{HOST}"),
    ],
)  # fmt: skip
async def test_the_cookie_is_nothing_in_another_sites_request(
    desk: Desk, foreign: tuple[str, str]
) -> None:
    """Were the header ever allowed there: what browsers say about the page counts, too."""
    cookie = await desk.cookie()
    assert (await desk.ask(VOICES, OURS, cookie, foreign)).status == 401


async def test_another_credential_wins(desk: Desk) -> None:
    """A wrong one is not made good by the cookie."""
    cookie = await desk.cookie()
    wrong = await desk.ask(VOICES, OURS, cookie, ("authorization", "Bearer wrong"))
    assert (wrong.status, wrong.body["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    "headers",
    [
        (PAGE, SAME_SITE),
        (OURS, SAME_SITE),
        (OURS, ("origin", "https://evil.example"), SAME_SITE),
        (OURS, ("origin", "null")),
        (OURS, ("origin", "https://[")),
        (OURS, ("origin", f"https://{HOST}:8443")),
        (OURS, PAGE, PAGE),
        (OURS, PAGE, ("sec-fetch-site", "cross-site")),
        (OURS, PAGE, ("sec-fetch-site", "same-site")),
        (("x-antiphon-console", "true"), PAGE),
    ],
)
async def test_no_other_site_signs_in(desk: Desk, headers: tuple[tuple[str, str], ...]) -> None:
    """Nor out; and nobody is told whether the key was good."""
    refused = await desk.sign_in(KEY, *headers)
    assert (refused.status, refused.body["code"]) == (403, "forbidden")
    assert "set-cookie" not in refused.headers
    assert (await desk.ask("DELETE /console/session", *headers)).status == 403


@pytest.mark.parametrize(
    ("public_url", "page", "is_secure"),
    [
        ("", PAGE, True),
        ("", PLAIN_PAGE, False),
        ("https://voice.example.com", PAGE, True),
        ("https://voice.example.com", PLAIN_PAGE, True),
        ("http://voice.example.com", PLAIN_PAGE, False),
        ("https://VOICE.example.com:443/base", PAGE, True),
    ],
)
async def test_the_cookie_says_how_it_may_be_used(
    public_url: str, page: tuple[str, str], *, is_secure: bool
) -> None:
    """By no script, no other site, for twelve hours, and on HTTPS by no other host or protocol.

    What a proxy says about the protocol does not count: a client could say it.
    """
    desk = Desk(Keys((KEY,)), public_url)
    answer = await desk.sign_in(KEY, OURS, page, ("x-forwarded-proto", "https"))
    value, *rules = answer.headers["set-cookie"].split("; ")
    assert value.startswith(f"{SECURE_COOKIE if is_secure else COOKIE}=")
    wanted = ["Max-Age=43200", "Path=/", "HttpOnly", "SameSite=Strict"]
    assert rules == ([*wanted, "Secure"] if is_secure else wanted)
    assert answer.headers["cache-control"] == "no-store"
    assert KEY not in answer.headers["set-cookie"]


async def test_behind_https_the_name_counts_that_others_cannot_set() -> None:
    """A neighbouring host of the site could set the plain one."""
    desk = Desk(Keys((KEY,)), "https://voice.example.com")
    name, value = await desk.cookie(KEY, OURS, PAGE)
    planted = (name, value.removeprefix("__Host-"))
    assert (await desk.ask(VOICES, OURS, planted)).status == 401
    assert (await desk.ask(VOICES, OURS, (name, value))).status == 200


async def test_a_server_behind_a_proxy_knows_its_own_pages_by_the_setting() -> None:
    """Whatever host the proxy asks for."""
    desk = Desk(Keys((KEY,)), "https://public.example")
    public = ("origin", "https://public.example")
    cookie = await desk.cookie(KEY, OURS, public)
    assert (await desk.ask(VOICES, OURS, cookie)).status == 200


async def test_the_cookie_ends_after_twelve_hours(desk: Desk) -> None:
    """Whatever a browser makes of it."""
    cookie = await desk.cookie()
    desk.clock.now += SECONDS - 1
    assert (await desk.ask(VOICES, OURS, cookie)).status == 200
    desk.clock.now += 1
    assert (await desk.ask(VOICES, OURS, cookie)).status == 401


async def test_a_changed_cookie_is_none(desk: Desk) -> None:
    """Any byte of it; and one that was never a cookie."""
    name, value = await desk.cookie()
    label, _, sealed = value.partition("=")
    for place in range(0, len(sealed), 7):
        other = "A" if sealed[place] != "A" else "B"
        changed = f"{label}={sealed[:place]}{other}{sealed[place + 1 :]}"
        assert (await desk.ask(VOICES, OURS, (name, changed))).status == 401
    for garbage in ("", "=", "x", "é", "{}", "A" * 5_000, sealed[:-4], "%00", '"'):
        assert (await desk.ask(VOICES, OURS, (name, f"{label}={garbage}"))).status == 401


async def test_what_was_sealed_for_something_else_is_no_cookie(desk: Desk) -> None:
    """A sealed text belongs where it was sealed for."""
    (_, value) = await desk.cookie()
    other = Desk(Keys((KEY,)))
    assert other.cookies.open(Headers({"cookie": value})) is None


async def test_a_revoked_key_ends_the_cookie(
    stored: tuple[Desk, Keys, Clock], database: Database
) -> None:
    """The key is looked up at each request, as any other is, within its 5 seconds."""
    desk, _, clock = stored
    create(database)
    key_id, text = create(database)
    cookie = await desk.cookie(text)
    assert (await desk.ask(VOICES, OURS, cookie)).status == 200
    revoke(database, key_id)
    clock.now += 6
    refused = await desk.ask(VOICES, OURS, cookie)
    assert (refused.status, refused.body["code"]) == (401, "unauthorized")


async def test_a_keys_origins_and_scopes_count(
    stored: tuple[Desk, Keys, Clock], database: Database
) -> None:
    """The console is a page of this server's own origin, also when it reads."""
    desk, _, _ = stored
    _, elsewhere = create(database, origins=("https://shop.example",))
    refused = await desk.sign_in(elsewhere)
    assert (refused.status, refused.body["code"]) == (403, "forbidden")
    _, here = create(database, origins=(f"https://{HOST}",), scopes=("usage",))
    cookie = await desk.cookie(here)
    assert (await desk.ask(VOICES, OURS, cookie)).status == 200
    token = await desk.ask("POST /v1/tokens", OURS, PAGE, cookie)
    assert (token.status, token.body["code"]) == (403, "forbidden")


async def test_wrong_keys_are_slowed_down(desk: Desk) -> None:
    """After ten, even the right one waits: else waiting would not be a limit."""
    for _ in range(MOST_WRONG):
        refused = await desk.sign_in("wrong")
        assert (refused.status, refused.body["code"]) == (401, "unauthorized")
    late = await desk.sign_in(KEY)
    assert (late.status, late.body["code"]) == (429, "too_many_attempts")
    assert 1 <= int(late.headers["retry-after"]) <= 6


@pytest.mark.parametrize(
    "key", ["", "x" * (MOST_KEY_CHARACTERS + 1), "schlüssel", "a\r\nx-evil: 1", "a\0", "Bearer key"]
)
async def test_what_can_be_no_key_is_refused(desk: Desk, key: str) -> None:
    """Nothing of it gets into a header."""
    refused = await desk.sign_in(key)
    assert refused.status == (401 if key else 422)
    assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 422), (b"", 422), (b"{}", 422), (b'{"key": 5}', 422),
     (b'{"key": "' + b"x" * 70_000 + b'"}', 413), (b"\xff", 400)],
)  # fmt: skip
async def test_a_body_that_cannot_be_is_told(desk: Desk, body: bytes, status: int) -> None:
    """In the API's envelope."""
    refused = await desk.ask("POST /console/session", OURS, PAGE, body=body)
    assert refused.status == status
    assert refused.body["request_id"]


async def test_signing_out_takes_the_cookie_away(desk: Desk) -> None:
    """Both names of it, whichever the browser has."""
    answer = await desk.ask("DELETE /console/session", OURS, PAGE, SAME_SITE)
    assert answer.status == 204
    taken = [text for name, text in answer.pairs if name == "set-cookie"]
    assert [text.partition("=")[0] for text in taken] == [SECURE_COOKIE, COOKIE]
    assert all("Max-Age=0; Path=/; HttpOnly; SameSite=Strict" in text for text in taken)
    assert "Secure" in taken[0]


async def test_a_server_without_keys_takes_any() -> None:
    """It asks for none, and who signs in all the same is not stopped."""
    desk = Desk(Keys(()))
    assert (await desk.ask(VOICES, OURS)).status == 200
    assert (await desk.sign_in("anything")).status == 204


async def test_a_socket_does_not_come_by_a_credential(desk: Desk) -> None:
    """Browsers open sockets for any page, and send cookies along."""
    _, value = await desk.cookie()
    seen: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope)

    headers = [(b"cookie", value.encode()), (b"x-antiphon-console", b"1")]
    scope = {"type": "websocket", "path": "/v1/ws", "headers": headers}
    await WithCookie(app, desk.cookies)(scope, app, app)  # type: ignore[arg-type]
    assert seen == [scope]
