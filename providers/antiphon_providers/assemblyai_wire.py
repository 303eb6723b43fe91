"""What AssemblyAI's two streaming wires have in common: frames, addresses, keys and errors.

Source: AssemblyAI's pages "Universal Streaming, message sequence", "Streaming TTS, message
frames" and "Streaming TTS, limits", and the ``assemblyai`` SDK 1.8.2 (2026-11-22). Each frame is
a JSON object with a ``type``; a frame of an unknown type is left alone. A session that fails
says ``Error`` with a code, which its close then has too.
"""

from __future__ import annotations

import asyncio
import os
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.vendor_socket import Address, VendorSocket
from antiphon_providers.vendor_words import MAX_WORDS, without

KEY_VARIABLE = "ASSEMBLYAI_API_KEY"

_MAX_WAIT_S = 86_400.0
_KEY_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation)
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_WILL_NOT = {1008, 3006, 4000, 4001, 4002, 4003, 4100, 4101, 4104}
"""Account, key, parameters: asking again changes nothing. What is not here (overload, expiry,
too many sessions, a failure of theirs) may work with another session.
"""


class Endpoint(Struct, frozen=True):
    """One of the wires: where it is by default, its path there, and who asks."""

    provider: str
    base_url: str
    path: str

    def key(self, base_url: str, api_key: str) -> str:
        """The key to use: the given one, else the vendor's own variable, which is read only for
        the vendor's own address.
        """
        if api_key or base_url != self.base_url:
            return api_key
        return os.environ.get(KEY_VARIABLE, "")

    def address(
        self, base_url: str, api_key: str, query: Mapping[str, str], connect_ms: int
    ) -> Address:
        """A session with these parameters. The key goes into the header as it is."""
        parts = urlsplit(base_url)
        path = parts.path.rstrip("/") + self.path
        both = "&".join(part for part in (parts.query, urlencode(query)) if part)
        key = self.key(base_url, api_key)
        return Address(
            provider=self.provider,
            url=urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, both, "")),
            headers={"Authorization": key} if key else {},
            connect_ms=connect_ms,
            secrets=(key,) if key else (),
        )


def check_address(base_url: str, api_key: str) -> None:
    """Raises ``ValueError``, as ``__post_init__`` should, without quoting either."""
    if not _KEY_CHARACTERS.issuperset(api_key):
        raise ValueError("api_key has characters that a key cannot have")
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.username is None
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("base_url must be a ws, wss, http or https URL without user and password")


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
        will_not = isinstance(code, int) and code in _WILL_NOT
        refused = not retryable if isinstance(retryable, bool) else will_not
        words = str(said.get("error") or "")[:MAX_WORDS]
        message = f"{self.address.host} answered {code or 'an error'}: {words}"
        secrets = self.address.secrets
        return (Refused if refused else Unavailable)(
            without(secrets, message),
            provider=self.address.provider,
            provider_code=None if told is None else without(secrets, str(told)[:MAX_WORDS]),
            provider_param=without(secrets, param) if isinstance(param, str) else None,
            retry_after_s=wait,
        )
