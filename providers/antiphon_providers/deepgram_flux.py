"""Speech to text by Deepgram's Flux, which knows about turns (``/v2/listen``).

One connection a call, its parameters in the query; it begins with ``Connected``. Audio goes up
as binary messages of 80 ms, as the vendor recommends. Flux tells the turn again every 250 ms
of audio and at each event, with how sure it is that the turn is over. A flush is
``ForceEndTurn``. That ends a turn "on the audio transcribed so far" and is ignored where there
is none, so silence is sent behind the speech, and the turn is ended when Flux heard into it;
nothing of the next segment is sent before. There is no ``KeepAlive`` on this wire: silence is
sent where nothing is fed::

    ANTIPHON_STT=deepgram-flux ANTIPHON_STT_API_KEY=... ANTIPHON_STT_MODEL=flux-general-en

Source: Deepgram's pages "Force End Turn", "Bring Your Own Turn Detection", "Understanding the
Flux State Machine" and "End-of-Turn Detection Parameters", and the ``deepgram-sdk`` 7.17,
``listen/v2`` (2026-11-22).
"""

from __future__ import annotations

import asyncio
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
from antiphon_providers.errors import TooSlow
from antiphon_providers.hearing_stream import HearingStream, Item, Terms, Then
from antiphon_providers.interfaces import HEARING_RATE, HearingOptions, Recognised
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.streams import OpenStreams
from antiphon_providers.vendor_options import ExtraQuery, FinalMs, VendorOptions
from antiphon_providers.vendor_socket import Address, VendorSocket, connect

_FRAME_MS = 80
_SILENCE = bytes(HEARING_RATE * 2 * _FRAME_MS // 1000)
_PADDING = 9
"""Frames of silence behind a segment: longer than ``_SETTLE_S`` and the 250 ms between two
updates.
"""
_SETTLE_S = 0.4
"""In which a short word may still come."""
_END = frame("ForceEndTurn")
_MAX_KEYTERMS = 100
_TIMEOUT_MS = range(500, 60_001)
"""What it takes as ``eot_timeout_ms``."""
_MULTILINGUAL = "multi"
"""Models with this in their name take languages; the others know English only."""


class DeepgramFluxOptions(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which model, and how patient to be with it."""

    api_key: Key = ""
    base_url: Annotated[str, Meta(description="Ends before `/v2/listen`.")] = BASE_URL
    model: Annotated[
        str, Meta(min_length=1, description="`flux-general-en` or `flux-general-multi`.")
    ] = "flux-general-en"
    language: Annotated[
        str, Meta(description="Hint of the multilingual model, for calls that name none.")
    ] = ""
    eot_threshold: (
        Annotated[float, Meta(ge=0.5, le=1, description="How sure Flux must be to end a turn.")]
        | None
    ) = None
    eager_eot_threshold: (
        Annotated[float, Meta(ge=0.3, le=0.9, description="How sure, to say that it may end.")]
        | None
    ) = None
    extra_query: ExtraQuery = "{}"
    first_ms: Annotated[int, Meta(ge=1, description="Milliseconds until `Connected`.")] = 5000
    final_ms: FinalMs = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        extra_query(self.extra_query)


class DeepgramFlux:
    """Flux as a recogniser; its results say whether the turn is over."""

    Options = DeepgramFluxOptions
    name = "deepgram-flux"
    observer: Observer = SILENT

    def __init__(self, options: DeepgramFluxOptions | None = None) -> None:
        self.options = options or DeepgramFluxOptions()
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
        ``connect_ms`` or ``first_ms``.
        """
        self._streams.check()
        mine = self.options
        address = address_of(self.name, mine, "/v2/listen", query_of(mine, options))
        async with connect(address, self.observer) as socket:
            wire = await _begun(address, socket, mine.first_ms)
            stream = HearingStream(wire, FluxTongue(mine.final_ms, partials=options.partials))
            async with self._streams.keep(stream):
                yield stream
            await stream.leave()


async def _begun(address: Address, socket: VendorSocket, first_ms: int) -> Wire:
    """The connection once Flux said ``Connected``."""
    wire = Wire(address, socket)
    try:
        async with asyncio.timeout(first_ms / 1000):
            said = await wire.next()
    except TimeoutError:
        raise TooSlow(
            f"{address.host} did not begin within {first_ms} ms", provider=address.provider
        ) from None
    if said is None:
        raise wire.ended()
    if isinstance(said, bytes) or said["type"] != "Connected":
        raise wire.malformed("began with something that is no Connected")
    return wire


class _TurnInfo(Struct, frozen=True):
    """Seconds of the connection's audio."""

    event: str
    turn_index: int
    audio_window_end: float
    transcript: str
    end_of_turn_confidence: float
    trigger: str | None = None


class _UntilAnswered:
    """Holds what follows a segment: it would be part of the segment's turn.

    The turn is ended as soon as Flux heard into the silence behind the speech.
    """

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._number = segments.fed

    @property
    def holds(self) -> bool:
        """Whether the segment still waits for its words."""
        return self._segments.answered <= self._number

    def asks(self) -> str | None:
        """Ends the turn, once."""
        return _END if self._segments.ask() else None


class FluxTongue:
    """What Flux is told and says, on one connection."""

    terms = Terms(
        frame_ms=_FRAME_MS,
        keep_alive=_SILENCE,
        keep_alive_s=KEEP_ALIVE_S,
        goodbye=frame("CloseStream"),
    )

    def __init__(self, final_ms: int, *, partials: bool) -> None:
        self._final_s = final_ms / 1000
        self._segments = Segments(partials=partials, settle_s=_SETTLE_S)

    @property
    def deadline(self) -> float | None:
        """When the oldest flush is to be answered with what is known."""
        return self._segments.deadline

    def heard(self, at_ms: float, level: float) -> None:
        """Audio was sent up to here, so loud."""
        self._segments.heard(at_ms / 1000, level)

    def flush(self, until_ms: float, now: float) -> Then:
        """Silence, and behind it nothing until the turn is over."""
        items: tuple[Item, ...] = ()
        if not self._segments.is_silent:
            items = (*[_SILENCE] * _PADDING, _UntilAnswered(self._segments))
            until_ms += _PADDING * _FRAME_MS
            self.heard(until_ms, 0.0)
        return Then(self._segments.flush(until_ms / 1000, now, self._final_s), items)

    def expire(self, now: float) -> Then:
        """Answers what waited too long; its turn is over too, or the next segment would be part
        of it.
        """
        return Then(self._segments.expire(now), (_END,))

    def take(self, said: dict[str, Any]) -> list[Recognised]:
        """The results that are new. Raises ``ValueError``."""
        told = self.told(said)
        return [] if told is None else self._segments.take(told)

    def told(self, said: dict[str, Any]) -> Told | None:
        """Of ``TurnInfo`` only. An end that we did not force is a verdict."""
        if said["type"] != "TurnInfo":
            return None
        turn = msgspec.convert(said, _TurnInfo)
        is_over = turn.event == "EndOfTurn"
        is_forced = is_over and turn.trigger == "manual"
        confidence = min(max(turn.end_of_turn_confidence, 0.0), 1.0)
        return Told(
            turn.turn_index,
            turn.transcript,
            turn.audio_window_end,
            # Without words there is no turn.
            is_final=is_over or not turn.transcript,
            is_forced=is_forced,
            verdict=1.0 if is_over and not is_forced else confidence,
        )


def query_of(mine: DeepgramFluxOptions, options: HearingOptions) -> Query:
    """The parameters of a call's connection."""
    codes = options.language_codes or ((mine.language,) if mine.language else ())
    timeout = options.longest_pause_ms
    if timeout is not None:
        timeout = min(max(timeout, _TIMEOUT_MS.start), _TIMEOUT_MS.stop - 1)
    return {
        "model": mine.model,
        "encoding": "linear16",
        "sample_rate": HEARING_RATE,
        "eot_threshold": mine.eot_threshold,
        "eager_eot_threshold": mine.eager_eot_threshold,
        "eot_timeout_ms": timeout,
        "language_hint": codes if _MULTILINGUAL in mine.model else (),
        "keyterm": options.keyterms[:_MAX_KEYTERMS],
        **extra_query(mine.extra_query),
    }
