"""What AssemblyAI's two streaming wires have in common: frames, addresses, keys and errors.

Source: AssemblyAI's pages "Universal Streaming, message sequence", "Common session errors and
closures", "Streaming TTS, message frames" and "Streaming TTS, limits", and the ``assemblyai`` SDK
1.8.2 (2026-11-23). Each frame is
a JSON object with a ``type``; a frame of an unknown type is left alone. A session that fails
says ``Error`` with a code, which its close then has too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.vendor_options import VendorOptions, key_at, socket_url
from antiphon_providers.vendor_socket import Address, VendorSocket
from antiphon_providers.vendor_words import MAX_WORDS, without

KEY_VARIABLE = "ASSEMBLYAI_API_KEY"

Key = Annotated[
    str, Meta(description="Empty: `ASSEMBLYAI_API_KEY`, at the vendor's own address only.")
]

_MAX_WAIT_S = 86_400.0
_WILL_NOT = {1008, 3006, 4000, 4001, 4002, 4003, 4100, 4101, 4104}
"""Account, key, parameters: asking again changes nothing. What is not here (overload, expiry,
too many sessions, a failure of theirs) may work with another session.
"""
_UNAUTHORISED = 1008
_TOO_MANY = "too many"
"""What the vendor says with the code of a wrong key where too many sessions were begun within a
minute ("How does automatically scaling concurrency work", 2026-11-23); too many at once is 3009.
"""


class Endpoint(Struct, frozen=True):
    """One of the wires: where it is by default, its path there, and who asks."""

    provider: str
    base_url: str
    path: str

    def address(self, mine: VendorOptions, query: Mapping[str, str]) -> Address:
        """A session with these parameters. The key goes into the header as it is.

        Without a key the vendor's own variable is read, for the vendor's own address only.
        """
        key = key_at(mine.api_key, mine.base_url, self.base_url, KEY_VARIABLE)
        return Address(
            provider=self.provider,
            url=socket_url(mine.base_url, self.path, query.items()),
            headers={"Authorization": key} if key else {},
            connect_ms=mine.connect_ms,
            secrets=(key,) if key else (),
        )


def frame(kind: str, **fields: Any) -> str:
    """A frame to send."""
    return msgspec.json.encode({"type": kind, **fields}).decode()


class Wire:
    """The frames of one session."""

    def __init__(self, address: Address, socket: VendorSocket) -> None:
        self.address = address
        self.socket = socket

    async def send(self, kind: str, **fields: Any) -> None:
        """Sends a frame. Raises ``ProviderError``."""
        await self.socket.send(frame(kind, **fields))

    async def next(self) -> dict[str, Any] | None:
        """The next frame; None after a normal end. Raises what an ``Error`` frame means."""
        message = await anext(self.socket, None)
        if message is None:
            return None
        said = self._read(message)
        if said["type"] == "Error":
            raise self._error(said)
        return said

    async def begin(self, first_ms: int) -> dict[str, Any]:
        """The first frame, once the session was accepted as it was asked for.

        Raises ``Refused`` with the vendor's words where it was not, ``TooSlow`` beyond
        ``first_ms``.
        """
        try:
            async with asyncio.timeout(first_ms / 1000):
                said = await self.next()
        except TimeoutError:
            raise TooSlow(
                f"{self.address.host} did not begin a session within {first_ms} ms",
                provider=self.address.provider,
            ) from None
        if said is None:
            raise self.ended()
        if said["type"] != "Begin":
            raise self.malformed("began with something that is no Begin")
        return said

    def ended(self) -> ProviderError:
        """It closed, normally, although nobody had asked it to."""
        return Unavailable(f"{self.address.host} ended the session", provider=self.address.provider)

    def malformed(self, what: str) -> ProviderError:
        """It said something that is no answer; ``what`` without words of the vendor."""
        return Malformed(f"{self.address.host} {what}", provider=self.address.provider)

    def _read(self, message: str | bytes) -> dict[str, Any]:
        try:
            said = msgspec.json.decode(message, type=dict[str, Any])
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise self.malformed("sent something that is no frame") from None
        # An error from in front of the service may come without a type.
        if not isinstance(said.get("type"), str):
            said["type"] = "Error" if "error" in said else ""
        return said

    def _error(self, said: dict[str, Any]) -> ProviderError:
        """What an ``Error`` frame means: in its own words, or else by its code."""
        code, retryable = said.get("error_code"), said.get("retryable")
        told, param, wait = said.get("error_type") or code, said.get("param"), None
        if isinstance(said.get("retry_after_seconds"), (int, float)):
            wait = min(max(float(said["retry_after_seconds"]), 0.0), _MAX_WAIT_S)
        words = str(said.get("error") or "")[:MAX_WORDS]
        for_now = code == _UNAUTHORISED and _TOO_MANY in words.lower()
        will_not = isinstance(code, int) and code in _WILL_NOT and not for_now
        refused = not retryable if isinstance(retryable, bool) else will_not
        message = f"{self.address.host} answered {code or 'an error'}: {words}"
        secrets = self.address.secrets
        return (Refused if refused else Unavailable)(
            without(secrets, message),
            provider=self.address.provider,
            provider_code=None if told is None else without(secrets, str(told)[:MAX_WORDS]),
            provider_param=without(secrets, param) if isinstance(param, str) else None,
            retry_after_s=wait,
        )
