"""The server under test, and what a test may know about it."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from conformance.invariants import Ledger
from conformance.model import Scripts
from conformance.peer import Peer


@dataclass(frozen=True)
class Target:
    """Where it is, who we are there, and how it reaches us.

    ``model``: ``inline`` when the server's own language model is the suite's, so that an inline
    configuration reaches it; ``stored`` when only a stored agent can point at it.
    """

    url: str
    key: str = field(repr=False)
    other_key: str = field(repr=False)
    limited_key: str = field(repr=False)
    model: str
    resume_seconds: float
    peer: Peer
    proxy: str | None = None
    speech_file: str = ""
    speech_text: str = ""
    scripts: Scripts = field(default_factory=Scripts)
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def ws(self) -> str:
        """The base of WebSocket addresses: the scheme swapped (§1.1)."""
        return "ws" + self.url.removeprefix("http")

    def rest(self, key: str | None = None) -> httpx.AsyncClient:
        """A REST client with this key, by default the first account's.

        It gives idle connections up before servers do, which would otherwise race it.
        """
        credential = key or self.key
        return httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": credential} if credential else {},
            timeout=15,
            transport=self.transport(),
        )

    def transport(self) -> httpx.AsyncHTTPTransport:
        """A way there that does not look for a proxy: ``proxy_of`` has."""
        return httpx.AsyncHTTPTransport(proxy=self.proxy, limits=httpx.Limits(keepalive_expiry=1))


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for a server.

    Asked once, before anything is played: clients that look for themselves go through all
    variables, which fails in the stage's thread when pytest takes one of its own away meanwhile.
    """
    return get_proxy(parse_uri("ws" + url.removeprefix("http")))
