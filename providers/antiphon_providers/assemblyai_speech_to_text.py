"""Speech to text by AssemblyAI's Universal Streaming (``/v3/ws``).

One session a call. Its parameters come with the connection; audio goes up as binary messages of
50 ms; the vendor's turns come down and are cut into our segments by ``assemblyai_segments``. A
flush forces the end of the turn. A call that feeds nothing for long keeps its session with
``KeepAlive``::

    ANTIPHON_STT=assemblyai ANTIPHON_STT_API_KEY=... ANTIPHON_STT_MODEL=u3-rt-pro

Source: AssemblyAI's pages "Streaming API" and "Universal Streaming, message sequence", and the
``assemblyai`` SDK 1.8.2 (2026-11-22).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from antiphon_providers.assemblyai_segments import Segments, Turn, Verdicts
from antiphon_providers.assemblyai_wire import Endpoint, Key, Wire, frame
from antiphon_providers.hearing_stream import HearingStream, Terms, Then
from antiphon_providers.interfaces import HEARING_RATE, HearingOptions, Recognised
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.options import json_object
from antiphon_providers.streams import OpenStreams
from antiphon_providers.vendor_options import BeginMs, ExtraQuery, FinalMs, VendorOptions, parameter
from antiphon_providers.vendor_socket import connect

_ENDPOINT = Endpoint("assemblyai", "wss://streaming.assemblyai.com", "/v3/ws")
_FRAME_MS, _LEAST_MS = 100, 50
"""The vendor takes 50 to 1000; each message costs a system call. The last one of a segment is
sent at once, so that its words come no later.
"""
_KEEP_ALIVE_S = 20.0
"""Without audio; proxies on the way give up a connection after a minute."""
_MAX_KEYTERMS, _MAX_PROMPT = 100, 1750
"""Beyond them the vendor refuses the session."""
_SILENCE_MS = range(50, 10_001)
"""What it takes as the silence that ends a turn."""
_GRADED = "universal-streaming"
"""Models of this family say how sure they are while a turn goes on, and take no prompt."""


class AssemblyAIHearingOptions(
    VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Which model, and how patient to be with it."""

    api_key: Key = ""
    base_url: Annotated[str, Meta(description="Ends before `/v3/ws`.")] = _ENDPOINT.base_url
    model: Annotated[str, Meta(min_length=1, description="As `speech_model`.")] = (
        "universal-3-6-pro"
    )
    language: Annotated[
        str, Meta(description="Language code for calls that name none; empty: the model's own.")
    ] = ""
    format_turns: Annotated[
        bool, Meta(description="Punctuated finals of `universal-streaming` models, a bit later.")
    ] = False
    extra_query: ExtraQuery = "{}"
    first_ms: BeginMs = 5000
    final_ms: FinalMs = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        self.query()

    def query(self) -> dict[str, str]:
        """The parameters of ``extra_query``. Raises ``ValueError``."""
        return {name: parameter(value) for name, value in json_object(self.extra_query).items()}


class AssemblyAIHearing:
    """AssemblyAI as a recogniser."""

    Options = AssemblyAIHearingOptions
    name = _ENDPOINT.provider
    observer: Observer = SILENT

    def __init__(self, options: AssemblyAIHearingOptions | None = None) -> None:
        self.options = options or AssemblyAIHearingOptions()
        self._streams: OpenStreams[HearingStream] = OpenStreams(self.name)

    async def start(self) -> None:
        """Opens a session and leaves it, to see that the key and the model are accepted.

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
        """A session for one call.

        Raises ``Refused`` where the vendor does not accept the key or a parameter, in its own
        words, ``Unavailable`` where it cannot be reached or has no session free, and
        ``TooSlow`` beyond ``connect_ms`` or ``first_ms``.
        """
        self._streams.check()
        mine = self.options
        address = _ENDPOINT.address(mine, query_of(mine, options))
        async with connect(address, self.observer) as socket:
            wire = Wire(address, socket)
            await wire.begin(mine.first_ms)
            stream = HearingStream(wire, AssemblyAITongue(mine, partials=options.partials))
            async with self._streams.keep(stream):
                yield stream
            await stream.leave()


class AssemblyAITongue:
    """What AssemblyAI is told and says, in one session."""

    terms = Terms(
        frame_ms=_FRAME_MS,
        least_ms=_LEAST_MS,
        keep_alive=frame("KeepAlive"),
        keep_alive_s=_KEEP_ALIVE_S,
        goodbye=frame("Terminate"),
    )

    def __init__(self, options: AssemblyAIHearingOptions, *, partials: bool) -> None:
        self._final_s = options.final_ms / 1000
        graded = options.model.startswith(_GRADED)
        verdicts = Verdicts(graded=graded, formatted=graded and options.format_turns)
        self._segments = Segments(verdicts, partials=partials)

    @property
    def deadline(self) -> float | None:
        """When the oldest flush is to be answered with what is known."""
        return self._segments.deadline

    def heard(self, at_ms: float, level: float) -> None:
        """Audio was sent up to here, so loud."""
        self._segments.heard(at_ms, level)

    def flush(self, until_ms: float, now: float) -> Then:
        """Forces the end of the vendor's turn, unless nothing was said."""
        is_asked, results = self._segments.flush(until_ms, now, self._final_s)
        return Then(results, (frame("ForceEndpoint"),) if is_asked else ())

    def expire(self, now: float) -> Then:
        """Answers what waited too long."""
        return Then(self._segments.expire(now))

    def take(self, said: dict[str, Any]) -> list[Recognised]:
        """The results that are new, of a ``Turn`` only. Raises ``ValueError``."""
        if said["type"] != "Turn":
            return []
        return self._segments.take(msgspec.convert(said, Turn))


def query_of(mine: AssemblyAIHearingOptions, options: HearingOptions) -> dict[str, str]:
    """The parameters of a call's session.

    What would be refused for its size is cut. Languages are named as the vendor does, without
    region.
    """
    codes = options.language_codes or ((mine.language,) if mine.language else ())
    languages = tuple(dict.fromkeys(code.partition("-")[0].lower() for code in codes))
    keyterms = options.keyterms[:_MAX_KEYTERMS]
    graded = mine.model.startswith(_GRADED)
    wanted = {
        "speech_model": mine.model,
        "sample_rate": HEARING_RATE,
        "encoding": "pcm_s16le",
        "format_turns": mine.format_turns if graded else None,
        "language_codes": languages or None,
        "keyterms_prompt": keyterms or None,
        "prompt": None if graded else (options.prompt or "")[:_MAX_PROMPT] or None,
        "min_turn_silence": _silence(options.pause_ms),
        "max_turn_silence": _silence(options.longest_pause_ms),
        **mine.query(),
    }
    return {name: parameter(value) for name, value in wanted.items() if value is not None}


def _silence(ms: int | None) -> int | None:
    return None if ms is None else min(max(ms, _SILENCE_MS.start), _SILENCE_MS.stop - 1)
