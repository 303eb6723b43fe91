"""A connection to OpenAI's Realtime API: where it leads, how it begins, how it fails.

Source: OpenAI's guides "Realtime API with WebSocket" and "Realtime transcription" and its API
reference, "Realtime", ``error`` (2026-11-22). A wrong key is refused at the handshake, or by an
``error`` event and a close; a session ends after an hour with ``session_expired``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, TypeVar

from antiphon_providers.errors import (
    SESSION_EXPIRED,
    Malformed,
    ProviderError,
    Refused,
    TooSlow,
    Unavailable,
)
from antiphon_providers.openai_realtime_wire import (
    Append,
    Event,
    Failed,
    Sent,
    SessionCreated,
    SessionUpdated,
    Trouble,
    UpdateSession,
    read,
    written,
)
from antiphon_providers.vendor_options import VendorOptions, key_at, socket_url
from antiphon_providers.vendor_socket import Address, VendorSocket
from antiphon_providers.vendor_words import MAX_WORDS, without

BASE_URL = "https://api.openai.com/v1"
LONGEST_SESSION_S = 3600.0
_LEAVES_S = 300.0
"""Before its end a session is left, at a moment when it is not missed."""

_MAY_PASS = {"rate_limit_exceeded", "rate_limit_error", SESSION_EXPIRED, "server_error"}
"""Codes and types of errors after which asking again may work."""

_LONGEST_QUEUE = 1200
"""Messages that wait for a network that does not take them: a minute of audio."""

_Answer = TypeVar("_Answer", bound=Event)


def address_of(provider: str, mine: VendorOptions, query: dict[str, str]) -> Address:
    """A session with this query.

    Without a key ``OPENAI_API_KEY`` is read, for the vendor's own address only.
    """
    key = key_at(mine.api_key, mine.base_url, BASE_URL, "OPENAI_API_KEY")
    return Address(
        provider=provider,
        url=socket_url(mine.base_url, "/realtime", query.items()),
        headers={"Authorization": f"Bearer {key}"} if key else {},
        secrets=(key,) if key else (),
        connect_ms=mine.connect_ms,
    )


def leave_after(lasts_s: float) -> float:
    """When to leave a session that lasts so long; one that does not say so lasts an hour."""
    lasts_s = lasts_s if lasts_s > 0 else LONGEST_SESSION_S
    return max(lasts_s - _LEAVES_S, lasts_s / 2)


class Wire:
    """The events of one connection. What is ``put`` goes out in order while ``deliver`` runs."""

    def __init__(self, address: Address, socket: VendorSocket) -> None:
        self.address = address
        self.socket = socket
        self._outbox: deque[Sent] = deque()
        self._news = asyncio.Event()

    async def begin(self, session: dict[str, Any], first_ms: int) -> float:
        """Waits for the session and sets it up; the seconds since 1970 at which it expires, 0
        where it does not say. Raises ``ProviderError``.
        """
        try:
            async with asyncio.timeout(first_ms / 1000):
                created = await self._await(SessionCreated)
                await self.socket.send(written(UpdateSession(session)))
                await self._await(SessionUpdated)
        except TimeoutError:
            raise TooSlow(
                f"{self.address.host} did not begin a session within {first_ms} ms",
                provider=self.address.provider,
            ) from None
        return created.session.expires_at or 0.0

    def put(self, event: Sent) -> None:
        """Sends an event, later; audio behind a minute of it is not sent at all."""
        if len(self._outbox) < _LONGEST_QUEUE or not isinstance(event, Append):
            self._outbox.append(event)
            self._news.set()

    async def deliver(self) -> None:
        """Sends what is put, until the connection fails: the reader meets the same failure."""
        with suppress(ProviderError):
            while True:
                while self._outbox:
                    await self.socket.send(written(self._outbox.popleft()))
                self._news.clear()
                await self._news.wait()

    async def next(self) -> Event:
        """The next event that is of interest. Raises ``ProviderError``, also when the connection
        ends.
        """
        async for message in self.socket:
            if isinstance(message, bytes):
                raise self.malformed("sent bytes where it sends text")
            try:
                event = read(message)
            except (ValueError, RecursionError):
                raise self.malformed("sent something that is no event") from None
            if event is not None:
                return event
        raise Unavailable(
            f"{self.address.host} ended the connection", provider=self.address.provider
        )

    def malformed(self, what: str) -> ProviderError:
        """It said something that is no answer; ``what`` without words of the vendor."""
        return Malformed(f"{self.address.host} {what}", provider=self.address.provider)

    def error(self, trouble: Trouble) -> ProviderError:
        """What an error means, in the vendor's words."""
        code = trouble.code or trouble.type
        kind = Unavailable if {trouble.code, trouble.type} & _MAY_PASS or not code else Refused
        said = f"{self.address.host} answered {code or 'an error'}"
        words = trouble.message[:MAX_WORDS]
        return kind(
            without(self.address.secrets, f"{said}: {words}" if words else said),
            provider=self.address.provider,
            provider_code=None if code is None else without(self.address.secrets, code),
            # Of `session.audio.input.transcription.model` the last: that is what it is about.
            provider_param=(trouble.param or "").rpartition(".")[2] or None,
        )

    def unavailable(self, trouble: Trouble) -> ProviderError:
        """An error after which asking again may work, in the vendor's words."""
        told = self.error(trouble)
        return Unavailable(told.message, provider=told.provider, provider_code=told.provider_code)

    def expiring(self) -> ProviderError:
        """The session is left before its end."""
        return Unavailable(
            f"the session at {self.address.host} is about to expire",
            provider=self.address.provider,
            provider_code=SESSION_EXPIRED,
        )

    async def _await(self, kind: type[_Answer]) -> _Answer:
        while True:
            event = await self.next()
            if isinstance(event, kind):
                return event
            if isinstance(event, Failed):
                raise self.error(event.error)
