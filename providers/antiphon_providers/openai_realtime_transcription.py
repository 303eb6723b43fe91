"""Speech to text by OpenAI's Realtime transcription sessions (``/v1/realtime``).

One session a call. Audio goes up as it is spoken, at 24 kHz; a flush is a commit, whose words
come back as an item's transcript. Models that listen live (``gpt-live-transcribe``) tell words
before it; others only after it. The vendor's own turn detection is off, for the server knows when
somebody pauses::

    ANTIPHON_STT=openai-realtime ANTIPHON_STT_API_KEY=... ANTIPHON_STT_MODEL=gpt-live-transcribe

Source: OpenAI's guide "Realtime transcription", its API reference, "Realtime", and the ``openai``
SDK 3.54 (2026-11-22). A connection that is silent is kept by its pings; a session is left before
it expires, while nobody speaks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from msgspec import Meta

from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import HearingOptions, Recognised
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.openai_realtime_connection import (
    BASE_URL,
    Wire,
    address_of,
    leave_after,
)
from antiphon_providers.openai_realtime_hearing import Ear, transcription_of
from antiphon_providers.openai_realtime_wire import PCM, Failed, HeardNothing
from antiphon_providers.streams import OpenStreams, Results, beside
from antiphon_providers.vendor_options import BeginMs, FinalMs, VendorOptions
from antiphon_providers.vendor_socket import connect


class OpenAIRealtimeHearingOptions(
    VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Which model, and how patient to be with it."""

    api_key: Annotated[
        str, Meta(description="Empty: `OPENAI_API_KEY`, at the vendor's own address only.")
    ] = ""
    base_url: Annotated[str, Meta(description="Ends before `/realtime`.")] = BASE_URL
    model: Annotated[str, Meta(min_length=1, description="As the vendor calls it.")] = (
        "gpt-live-transcribe"
    )
    language: Annotated[str, Meta(description="For calls that name none; empty: any.")] = ""
    noise_reduction: Annotated[
        Literal["", "near_field", "far_field"],
        Meta(description="For a headset, or a microphone in the room; empty: none."),
    ] = ""
    first_ms: BeginMs = 5000
    final_ms: FinalMs = 2000


class OpenAIRealtimeHearing:
    """A transcription session as a recogniser."""

    Options = OpenAIRealtimeHearingOptions
    name = "openai-realtime"
    observer: Observer = SILENT

    def __init__(self, options: OpenAIRealtimeHearingOptions | None = None) -> None:
        self.options = options or OpenAIRealtimeHearingOptions()
        self._streams: OpenStreams[RealtimeStream] = OpenStreams(self.name)

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
    async def open(self, options: HearingOptions) -> AsyncIterator[RealtimeStream]:
        """A session for one call.

        Raises ``Refused`` where the vendor does not accept the key or a setting, in its own
        words, ``Unavailable`` where it cannot be reached or serve now, and ``TooSlow`` beyond
        ``connect_ms`` or ``first_ms``.
        """
        self._streams.check()
        mine = self.options
        query = {"intent": "transcription"}
        address = address_of(self.name, mine, query)
        async with connect(address, self.observer) as socket:
            wire = Wire(address, socket)
            expires = await wire.begin(session_of(mine, options), mine.first_ms)
            stream = RealtimeStream(wire, mine.final_ms, partials=options.partials)
            stream.leave_after(leave_after(expires - time.time()))
            async with self._streams.keep(stream):
                yield stream


class RealtimeStream:
    """One call's session; it works while ``run`` does, and all on the event loop."""

    def __init__(self, wire: Wire, final_ms: int, *, partials: bool) -> None:
        self._wire = wire
        self._results = Results()
        self._ear = Ear(wire.put, final_ms, self._tell, partials=partials)
        self._timer: asyncio.TimerHandle | None = None
        self._is_old = False

    async def run(self) -> None:
        """Talks to the vendor until the session ends; that it does is a failure."""
        await beside(self._wire.deliver(), self._listen())

    def leave_after(self, seconds: float) -> None:
        """Fails with ``Unavailable`` then, or as soon as nobody speaks after it."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._grow_old)

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz, any length."""
        if self._results.is_open:
            self._ear.feed(pcm)

    def flush(self) -> None:
        """The segment is complete.

        Answered when its words are final, at once where nothing could be speech, and in any case
        after ``final_ms`` with those that are known.
        """
        if self._results.is_open:
            self._ear.flush()

    def end(self) -> None:
        """Ends the iteration; nothing is taken any more."""
        self._end(None)

    def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the end. Raises ``ProviderError`` when the session fails."""
        return aiter(self._results)

    def _tell(self, result: Recognised) -> None:
        if self._results.is_open:
            self._results.tell(result)
            self._rest()

    def _grow_old(self) -> None:
        self._is_old = True
        self._rest()

    def _rest(self) -> None:
        """An old session ends while nobody speaks."""
        if self._is_old and self._ear.is_idle:
            self._end(self._wire.expiring())

    def _end(self, failure: ProviderError | None) -> None:
        self._results.end(failure)
        self._ear.close()
        if self._timer is not None:
            self._timer.cancel()

    async def _listen(self) -> None:
        """Takes the vendor's events until the session ends."""
        try:
            while True:
                event = await self._wire.next()
                if isinstance(event, HeardNothing):
                    # What was not understood can be asked of another.
                    raise self._wire.unavailable(event.error)
                if not self._ear.take(event) and isinstance(event, Failed):
                    raise self._wire.error(event.error)
        except ProviderError as failure:
            self._end(failure)


def session_of(mine: OpenAIRealtimeHearingOptions, options: HearingOptions) -> dict[str, Any]:
    """How a call's session is set up."""
    noise = {"type": mine.noise_reduction} if mine.noise_reduction else None
    heard = {
        "format": PCM,
        "noise_reduction": noise,
        "transcription": transcription_of(mine.model, mine.language, options),
        "turn_detection": None,
    }
    return {"type": "transcription", "audio": {"input": heard}}
