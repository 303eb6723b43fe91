"""Speech to text by Deepgram's Nova models (``/v1/listen``).

One connection a call, its parameters in the query; audio goes up as binary messages of 50 ms.
The vendor tells stretches of audio, each again until it is final; a flush is ``Finalize``, whose
answer is marked ``from_finalize``. A call that feeds nothing for long stays connected with
``KeepAlive``. The vendor's own endpointing is off, for the server knows when somebody pauses::

    ANTIPHON_STT=deepgram ANTIPHON_STT_API_KEY=... ANTIPHON_STT_MODEL=nova-3

Source: Deepgram's pages "Live Audio" (API reference), "Finalize", "Audio Keep Alive" and "Close
Stream", and the ``deepgram-sdk`` 7.17, ``listen/v1`` (2026-11-22). ``Finalize`` is not always
answered: "this response typically occurs when there is a noticeable amount of audio buffered".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, structs

from antiphon_providers.deepgram_segments import Told
from antiphon_providers.deepgram_stream import DeepgramStream
from antiphon_providers.deepgram_wire import (
    BASE_URL,
    Query,
    Wire,
    address_of,
    check_address,
    extra_query,
    frame,
)
from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import HEARING_RATE, HearingOptions
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.vendor_socket import connect

_MAX_KEYTERMS = 100
"""The vendor takes 500 tokens of them."""
_KEYTERM_MODELS = "nova-3"
"""Others refuse a connection with ``keyterm``."""


class DeepgramHearingOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which model, and how patient to be with it."""

    api_key: Annotated[
        str, Meta(description="Empty: `DEEPGRAM_API_KEY`, at the vendor's own address only.")
    ] = ""
    base_url: Annotated[str, Meta(description="Ends before `/v1/listen`.")] = BASE_URL
    model: Annotated[str, Meta(min_length=1, description="As the vendor calls it.")] = "nova-3"
    language: Annotated[
        str, Meta(description="For calls that name none; `multi` for several; empty: English.")
    ] = ""
    smart_format: Annotated[
        bool, Meta(description="Numbers, dates and money as they are written, a bit later.")
    ] = False
    extra_query: Annotated[
        str, Meta(description="JSON object of more parameters of the connection, as they are.")
    ] = "{}"
    connect_ms: Annotated[int, Meta(ge=1, description="Milliseconds to a connection.")] = 3000
    final_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds from a flush to its words, known or not.")
    ] = 1000

    def __post_init__(self) -> None:
        check_address(self.base_url, self.api_key)
        extra_query(self.extra_query)

    def __repr__(self) -> str:
        return f"DeepgramHearingOptions(model={self.model!r}, base_url={self.base_url!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", self.model), ("base_url", self.base_url)]


class DeepgramHearing:
    """Nova as a recogniser."""

    Options = DeepgramHearingOptions
    name = "deepgram"
    observer: Observer = SILENT

    def __init__(self, options: DeepgramHearingOptions | None = None) -> None:
        self.options = options or DeepgramHearingOptions()
        self._streams: set[DeepgramStream] = set()
        self._running = False

    async def start(self) -> None:
        """Connects and leaves, to see that the key and the model are accepted.

        Raises as ``open`` does; after anything but ``Refused`` it can be used all the same.
        """
        self._running = True
        async with self.open(HearingOptions()):
            pass

    async def close(self) -> None:
        """Ends all streams."""
        self._running = False
        for stream in list(self._streams):
            stream.end()

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[DeepgramStream]:
        """A connection for one call.

        Raises ``Refused`` where the vendor does not accept the key or a parameter, in its own
        words, ``Unavailable`` where it cannot be reached or serve now, and ``TooSlow`` beyond
        ``connect_ms``.
        """
        if not self._running:
            raise Unavailable("the recogniser is not running", provider=self.name)
        mine = self.options
        address = structs.replace(
            address_of(
                self.name, mine.base_url, mine.api_key, "/v1/listen", query_of(mine, options)
            ),
            connect_ms=mine.connect_ms,
        )
        async with connect(address, self.observer) as socket:
            wire = Wire(address, socket)
            stream = DeepgramStream(wire, NovaTongue(), mine.final_ms, partials=options.partials)
            self._streams.add(stream)
            try:
                async with stream:
                    yield stream
            finally:
                self._streams.discard(stream)


class _Alternative(Struct, frozen=True):
    transcript: str


class _Channel(Struct, frozen=True):
    alternatives: tuple[_Alternative, ...]


class _Results(Struct, frozen=True):
    """Seconds of the connection's audio."""

    start: float
    duration: float
    channel: _Channel
    is_final: bool = False
    from_finalize: bool = False


class NovaTongue:
    """What Nova is told and says, on one connection."""

    frame_ms = 50
    settle_s = 0.0
    keep_alive = frame("KeepAlive")
    end = frame("Finalize")
    pad_ms: int | None = None

    def __init__(self) -> None:
        self._stretch = 0

    def told(self, said: dict[str, Any]) -> Told | None:
        """Of ``Results`` only: what is final is followed by another stretch."""
        if said["type"] != "Results":
            return None
        results = msgspec.convert(said, _Results)
        best = results.channel.alternatives[:1]
        told = Told(
            self._stretch,
            best[0].transcript if best else "",
            results.start + results.duration,
            is_final=results.is_final,
            is_forced=results.from_finalize,
        )
        self._stretch += results.is_final
        return told


def query_of(mine: DeepgramHearingOptions, options: HearingOptions) -> Query:
    """The parameters of a call's connection; several languages are the vendor's ``multi``."""
    codes = options.language_codes or ((mine.language,) if mine.language else ())
    keyterms = options.keyterms[:_MAX_KEYTERMS] if mine.model.startswith(_KEYTERM_MODELS) else ()
    return {
        "model": mine.model,
        "encoding": "linear16",
        "sample_rate": HEARING_RATE,
        "channels": 1,
        "interim_results": options.partials,
        "punctuate": True,
        "smart_format": mine.smart_format,
        "endpointing": False,
        "language": ("multi" if len(codes) > 1 else codes[0]) if codes else None,
        "keyterm": keyterms,
        **extra_query(mine.extra_query),
    }
