"""What Deepgram's three streaming wires have in common: addresses, keys, frames and errors.

Source: Deepgram's pages "Authenticating", "STT Troubleshooting WebSocket, NET, and DATA Errors"
and "TTS Troubleshooting WebSocket, NET, and DATA Errors", and the ``deepgram-sdk`` 7.17
(2026-11-22). A text frame is a JSON object with a ``type``; one of an unknown type is left
alone. Wrong keys, models and parameters are refused at the handshake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from antiphon_providers.errors import Malformed, ProviderError, Refused, Unavailable
from antiphon_providers.options import json_object
from antiphon_providers.vendor_options import VendorOptions, key_at, parameter, socket_url
from antiphon_providers.vendor_socket import Address, VendorSocket
from antiphon_providers.vendor_words import without, words_in

BASE_URL = "wss://api.deepgram.com"
KEY_VARIABLE = "DEEPGRAM_API_KEY"
KEEP_ALIVE_S = 4.0
"""Without audio: the vendor says 3 to 5 s, and ends a connection after 10 s."""

Key = Annotated[
    str, Meta(description="Empty: `DEEPGRAM_API_KEY`, at the vendor's own address only.")
]

_WILL_NOT = ("SCHEMA", "INVALID", "UNPARS", "UNSUPPORTED", "AUTH", "PERMISSION", "DATA-")
"""In the codes of errors that asking again does not change."""

Query = Mapping[str, str | int | float | bool | tuple[str, ...] | None]
"""Parameters of a connection; a tuple is one that is repeated, None one that is left out."""


def extra_query(text: str) -> dict[str, str | tuple[str, ...]]:
    """More parameters of a connection, from a JSON object whose lists are repeated.

    Raises ``ValueError``.
    """
    return {
        name: tuple(map(parameter, value)) if isinstance(value, list) else parameter(value)
        for name, value in json_object(text).items()
    }


def address_of(provider: str, mine: VendorOptions, path: str, query: Query) -> Address:
    """A connection with these parameters.

    Without a key the vendor's own variable is read, for the vendor's own address only.
    """
    key = key_at(mine.api_key, mine.base_url, BASE_URL, KEY_VARIABLE)
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        several = value if isinstance(value, tuple) else (value,)
        pairs += [(name, parameter(one)) for one in several if one is not None]
    return Address(
        provider=provider,
        url=socket_url(mine.base_url, path, pairs),
        headers={"Authorization": f"Token {key}"} if key else {},
        connect_ms=mine.connect_ms,
        secrets=(key,) if key else (),
    )


def frame(kind: str, **fields: Any) -> str:
    """A frame to send."""
    return msgspec.json.encode({"type": kind, **fields}).decode()


class Wire:
    """The frames of one connection."""

    def __init__(self, address: Address, socket: VendorSocket) -> None:
        self.address = address
        self.socket = socket

    async def next(self) -> dict[str, Any] | bytes | None:
        """The next frame, or sound; None after a normal end. Raises ``ProviderError``, also for
        an ``Error`` frame.
        """
        message = await anext(self.socket, None)
        if message is None or isinstance(message, bytes):
            return message
        try:
            said = msgspec.json.decode(message, type=dict[str, Any])
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise self.malformed("sent something that is no frame") from None
        if not isinstance(said.get("type"), str):
            raise self.malformed("sent a frame without a type")
        if said["type"] == "Error":
            raise self._error(said)
        return said

    def ended(self) -> ProviderError:
        """It closed, normally, although nobody had asked it to."""
        return Unavailable(
            f"{self.address.host} ended the connection", provider=self.address.provider
        )

    def malformed(self, what: str) -> ProviderError:
        """It said something that is no answer; ``what`` without words of the vendor."""
        return Malformed(f"{self.address.host} {what}", provider=self.address.provider)

    def _error(self, said: dict[str, Any]) -> ProviderError:
        """What an ``Error`` frame means, in its own words."""
        words, code = words_in({name: said[name] for name in said if name != "type"})
        told = without(self.address.secrets, code or str(said.get("variant") or ""))
        kind = Refused if any(part in told.upper() for part in _WILL_NOT) else Unavailable
        named = f"{self.address.host} answered {told or 'an error'}"
        return kind(
            without(self.address.secrets, f"{named}: {words}" if words else named),
            provider=self.address.provider,
            provider_code=told or None,
        )
