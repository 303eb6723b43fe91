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
from msgspec import Meta, Struct

from antiphon_providers.deepgram_segments import Segments, Told
from antiphon_providers.deepgram_wire import (
    BASE_URL,
    KEEP_ALIVE_S,
    Key,
    Query,
    Wire,
    address_of,
    extra_query,
    frame,
)
from antiphon_providers.hearing_stream import HearingStream, Terms, Then
from antiphon_providers.interfaces import HEARING_RATE, HearingOptions, Recognised
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.streams import OpenStreams
from antiphon_providers.vendor_options import ExtraQuery, FinalMs, VendorOptions
from antiphon_providers.vendor_socket import connect

_FINALIZE = frame("Finalize")
_FRAME_MS = 100
"""The vendor recommends 20 to 250; each message costs a system call. The last one of a segment is
sent at once, so that its words come no later.
"""
_MAX_KEYTERMS = 100
"""The vendor takes 500 tokens of them."""
_KEYTERM_MODELS = "nova-3"
"""Others refuse a connection with ``keyterm``."""


class DeepgramHearingOptions(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which model, and how patient to be with it."""

    api_key: Key = ""
    base_url: Annotated[str, Meta(description="Ends before `/v1/listen`.")] = BASE_URL
    model: Annotated[str, Meta(min_length=1, description="As the vendor calls it.")] = "nova-3"
    language: Annotated[
        str, Meta(description="For calls that name none; `multi` for several; empty: English.")
    ] = ""
    smart_format: Annotated[
        bool, Meta(description="Numbers, dates and money as they are written, a bit later.")
    ] = False
    extra_query: ExtraQuery = "{}"
    final_ms: FinalMs = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        extra_query(self.extra_query)


class DeepgramHearing:
    """Nova as a recogniser."""

    Options = DeepgramHearingOptions
    name = "deepgram"
    observer: Observer = SILENT

    def __init__(self, options: DeepgramHearingOptions | None = None) -> None:
        self.options = options or DeepgramHearingOptions()
        self._streams: OpenStreams[HearingStream] = OpenStreams(self.name)

    async def start(self) -> None:
        """Connects and leaves, to see that the key and the model are accepted.

        Raises as ``open`` does; after anything but ``Refused`` it can be used all the same.
        """
        self._streams.start()
        async with self.open(HearingOptions()):
            pass

    async def close(self) -> None:
        """Ends all streams."""
        self._streams.close()

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[HearingStream]:
        """A connection for one call.

        Raises ``Refused`` where the vendor does not accept the key or a parameter, in its own
        words, ``Unavailable`` where it cannot be reached or serve now, and ``TooSlow`` beyond
        ``connect_ms``.
        """
        self._streams.check()
        mine = self.options
        address = address_of(self.name, mine, "/v1/listen", query_of(mine, options))
        async with connect(address, self.observer) as socket:
            stream = HearingStream(
                Wire(address, socket), NovaTongue(mine.final_ms, partials=options.partials)
            )
            async with self._streams.keep(stream):
                yield stream
            await stream.leave()


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

    terms = Terms(
        frame_ms=_FRAME_MS,
        keep_alive=frame("KeepAlive"),
        keep_alive_s=KEEP_ALIVE_S,
        goodbye=frame("CloseStream"),
    )

    def __init__(self, final_ms: int, *, partials: bool) -> None:
        self._final_s = final_ms / 1000
        self._segments = Segments(partials=partials, settle_s=0.0)
        self._stretch = 0

    @property
    def deadline(self) -> float | None:
        """When the oldest flush is to be answered with what is known."""
        return self._segments.deadline

    def heard(self, at_ms: float, level: float) -> None:
        """Audio was sent up to here, so loud."""
        self._segments.heard(at_ms / 1000, level)

    def flush(self, until_ms: float, now: float) -> Then:
        """What is not final yet is asked for, where there is anything to ask for."""
        number, is_silent = self._segments.fed, self._segments.is_silent
        results = self._segments.flush(until_ms / 1000, now, self._final_s)
        is_answered = is_silent or self._segments.answered > number
        return Then(results, () if is_answered else (_FINALIZE,))

    def expire(self, now: float) -> Then:
        """Answers what waited too long."""
        return Then(self._segments.expire(now))

    def take(self, said: dict[str, Any]) -> list[Recognised]:
        """The results that are new. Raises ``ValueError``."""
        told = self.told(said)
        return [] if told is None else self._segments.take(told)

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
