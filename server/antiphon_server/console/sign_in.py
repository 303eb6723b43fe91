"""The sign-in to the console: a key is given once, and a sealed cookie brings it along.

No script can read the cookie, and only this server can open it. It is a credential together with
a header that a page of another site cannot send, for no such page is ever allowed to (CORS): so
the cookie by itself, which browsers add by themselves, does nothing. The key in it is checked at
each request like any other; once it is revoked the cookie is worth nothing.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon_protocol.errors import Unauthorized
from antiphon_protocol.rest import Fault
from antiphon_server.console.attempts import Attempts
from antiphon_server.rest.answers import nothing
from antiphon_server.rest.bodies import body_of
from antiphon_server.rest.errors import (
    Forbidden,
    Invalid,
    InvalidRequest,
    TooManyAttempts,
    UnknownKey,
)
from antiphon_server.rest.operations import Operation
from antiphon_server.security.keys import Keys
from antiphon_server.security.secrets import Unsealable, Vault

PATH = "/console/session"
SECONDS = 12 * 3_600
COOKIE = "antiphon-console"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Browsers take it from HTTPS only, and from no other host of the site (RFC 6265bis, 4.1.3.2)."""
HEADER = "x-antiphon-console"
MOST_KEY_CHARACTERS = 512

_CONTEXT = "console sign-in 1"


class SignInRequest(Struct, frozen=True):
    """The body of the sign-in."""

    key: str


class SignedIn(Struct, frozen=True):
    """What the cookie holds: the key, the origin of the page it was given in, its last second."""

    key: str
    origin: str
    until: float


class Cookies:
    """Seals and opens the cookie. ``clock`` gives Unix seconds."""

    def __init__(
        self, vault: Vault, public_url: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._public = urlsplit(public_url)

    def is_secure(self, origin: str) -> bool:
        """Whether the browser is on HTTPS: as the setting says, else as its page's origin does.

        A proxy in front of this server is not asked: a client could say the same.
        """
        return (self._public.scheme or urlsplit(origin).scheme).lower() == "https"

    def is_ours(self, origin: str, host: str) -> bool:
        """Whether a page of this origin is one of this server, which was asked by this name."""
        try:
            page = urlsplit(origin)
        except ValueError:
            return False
        if not page.netloc:
            return False
        theirs = (page.scheme, _netloc(page.scheme, page.netloc))
        public = (self._public.scheme.lower(), _netloc(self._public.scheme, self._public.netloc))
        return theirs == public or theirs[1] == _netloc(page.scheme, host)

    def cookie(self, key: str, origin: str) -> str:
        """The ``Set-Cookie`` header of somebody who signs in now."""
        held = SignedIn(key, origin, self._clock() + SECONDS)
        sealed = self._vault.seal(msgspec.json.encode(held), _CONTEXT)
        value = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        return self._set(value, SECONDS, is_secure=self.is_secure(origin))

    def ended(self) -> list[str]:
        """The ``Set-Cookie`` headers of somebody who signs out, by either name."""
        return [self._set("", 0, is_secure=is_secure) for is_secure in (True, False)]

    def open(self, headers: Headers) -> SignedIn | None:
        """What the one cookie of a request holds; None without one, or with one that is not good.

        On HTTPS only the name counts that no other host of the site can set.
        """
        given = ";".join(headers.getlist("cookie"))
        names = [SECURE_COOKIE] if self._public.scheme == "https" else [SECURE_COOKIE, COOKIE]
        cookies = cookie_parser(given)
        value = next((cookies[name] for name in names if name in cookies), None)
        if value is None:
            return None
        try:
            sealed = base64.b64decode(
                value + "=" * (-len(value) % 4), altchars=b"-_", validate=True
            )
            held = msgspec.json.decode(self._vault.open(sealed, _CONTEXT), type=SignedIn)
        except (Unsealable, binascii.Error, ValueError, msgspec.MsgspecError):
            return None
        return held if self._clock() < held.until else None

    def _set(self, value: str, seconds: int, *, is_secure: bool) -> str:
        name, secure = (SECURE_COOKIE, "; Secure") if is_secure else (COOKIE, "")
        return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{secure}"


class SignInRoutes:
    """``/console/session``: POST signs in, DELETE signs out."""

    def __init__(self, keys: Keys, cookies: Cookies, attempts: Attempts | None = None) -> None:
        self._keys = keys
        self._cookies = cookies
        self._attempts = attempts or Attempts()

    def operations(self) -> tuple[Operation, ...]:
        """Both; they are for our own pages and not in the document of the API."""
        return (
            Operation(
                method="POST", path=PATH, handler=self.sign_in, summary="Sign in", tag="Console",
                takes=SignInRequest, status=204, public=True,
                errors=(Invalid, InvalidRequest, Forbidden, UnknownKey, TooManyAttempts),
            ),
            Operation(
                method="DELETE", path=PATH, handler=self.sign_out, summary="Sign out",
                tag="Console", status=204, public=True, errors=(Forbidden,),
            ),
        )  # fmt: skip

    async def sign_in(self, request: Request) -> Response:
        """Raises ``Forbidden`` for a page that is none of ours, ``UnknownKey``,
        ``TooManyAttempts``, what ``body_of`` raises, and the database's ``Unreachable``.
        """
        origin = self._own_page(request)
        client = request.client.host if request.client is not None else ""
        wait = self._attempts.wait(client)
        if wait:
            raise TooManyAttempts(wait)
        key = (await body_of(request, SignInRequest)).key
        if not key:
            raise Invalid((Fault("missing", ("body", "key"), "Give an API key", key),))
        try:
            found = await self._keys.owner(_sendable(key))
        except Unauthorized:
            self._attempts.note(client)
            raise UnknownKey from None
        if not found.is_from(origin):
            raise Forbidden("This key may not be used from this origin")
        answer = nothing()
        answer.headers["set-cookie"] = self._cookies.cookie(key, origin)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """Raises ``Forbidden`` for a page that is none of ours."""
        self._own_page(request)
        answer = nothing()
        for cookie in self._cookies.ended():
            answer.headers.append("set-cookie", cookie)
        return answer

    def _own_page(self, request: Request) -> str:
        """The origin of the page that asks. Raises ``Forbidden`` unless it is one of ours.

        Browsers tell both headers, and no page can change them (Fetch, sections 2.2.2 and 3.2;
        Fetch Metadata, section 2.4).
        """
        headers = request.headers
        given, site = headers.getlist("origin"), headers.getlist("sec-fetch-site")
        if headers.get(HEADER) != "1":
            raise Forbidden("Only pages of this server may sign in: X-Antiphon-Console is missing")
        is_ours = len(given) == 1 and self._cookies.is_ours(given[0], headers.get("host", ""))
        if not is_ours or site not in ([], ["same-origin"]):
            raise Forbidden("Only pages of this server may sign in; behind a proxy that changes "
                            "the host, set ANTIPHON_PUBLIC_URL")  # fmt: skip
        return given[0]


class WithCookie:
    """ASGI: a request of the console's pages counts as made with the key in their cookie.

    It has the header of these pages, comes from where the key was given, and has no other
    credential. Anything else is passed on as it is. WebSockets do not come through here.
    """

    def __init__(self, app: ASGIApp, cookies: Cookies) -> None:
        self._app = app
        self._cookies = cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request, with the credential and the origin that it stands for."""
        held = self._held(Headers(scope=scope)) if scope["type"] == "http" else None
        if held is not None:
            kept = [pair for pair in scope["headers"] if pair[0] != b"origin"]
            key, origin = f"Bearer {held.key}".encode(), held.origin.encode("latin-1")
            scope = {**scope, "headers": [*kept, (b"authorization", key), (b"origin", origin)]}
        await self._app(scope, receive, send)

    def _held(self, headers: Headers) -> SignedIn | None:
        if headers.getlist(HEADER) != ["1"] or "authorization" in headers:
            return None
        if headers.getlist("sec-fetch-site") not in ([], ["same-origin"]):
            return None
        held = self._cookies.open(headers)
        if held is None or headers.getlist("origin") not in ([], [held.origin]):
            return None
        return held


def _sendable(key: str) -> str:
    """The key, if a header can hold it. Raises ``Unauthorized``."""
    if len(key) > MOST_KEY_CHARACTERS or not (key.isascii() and key.isprintable()):
        raise Unauthorized
    return key


_PORTS = {"http": ":80", "https": ":443"}


def _netloc(scheme: str, netloc: str) -> str:
    """Host and port as browsers write them: in small letters, without the scheme's own port."""
    return netloc.lower().removesuffix(_PORTS.get(scheme.lower(), ":"))
