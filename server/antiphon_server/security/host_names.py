"""By which names a server may be addressed that lets everybody in.

It can be reached from its own machine only, but so can any page that a browser there has open:
once the name that page came from resolves to 127.0.0.1, the browser takes this server for that
page's own ("DNS rebinding"). The name it asks for gives that away.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon_server.security.keys import Keys
from antiphon_server.settings import is_loopback
from antiphon_server.store.database import Unreachable

FREE = frozenset({"/healthz", "/readyz", "/metrics"})
"""What supervisors ask for, by whatever name they know the machine."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::[0-9]*)?", re.ASCII)

REFUSAL = (
    "This server lets everybody in who is on its own machine, and goes by the name localhost "
    "there. To use it by another name, set ANTIPHON_PUBLIC_URL, or create a key: "
    "antiphon keys create\n"
)


class HostNames:
    """ASGI: passes requests on; while everybody is let in, only those that name this server.

    ``public_url`` is the setting; without one it is known as localhost and by its addresses.
    """

    def __init__(self, app: ASGIApp, keys: Keys, public_url: str = "") -> None:
        self._app = app
        self._keys = keys
        self._public = urlsplit(public_url).hostname

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """421 for a name that is another's (RFC 9110, section 15.5.20)."""
        if scope["type"] == "http" and scope["path"] not in FREE:
            given = Headers(scope=scope).getlist("host")
            if not all(map(self.knows, given)) and await self._is_open():
                await PlainTextResponse(REFUSAL, 421)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` header names this server: an address cannot be made to lead here."""
        name = _name(host)
        if name is None:
            return False
        return name == self._public or _is_localhost(name) or _is_ip(name)

    async def _is_open(self) -> bool:
        try:
            return await self._keys.is_open()
        except Unreachable:
            # Then nothing that matters can be read either, and REST says why.
            return False


def names_this_machine(headers: Headers) -> bool:
    """Whether a request asks for the machine that it comes from, by a name or an address that
    leads nowhere else.
    """
    given = headers.getlist("host")
    name = _name(given[0]) if len(given) == 1 else None
    return name is not None and (_is_localhost(name) or is_loopback(name))


def _name(host: str) -> str | None:
    """The name or the address in a ``Host`` header; None where there is none."""
    found = _HOST.fullmatch(host.strip().lower())
    return None if found is None else found[1].strip("[]").removesuffix(".")


def _is_localhost(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
