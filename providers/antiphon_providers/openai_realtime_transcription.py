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

from msgspec import Meta, Struct

from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import HearingOptions, Recognised
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.openai_realtime_connection import (
    BASE_URL,
    Wire,
    address_of,
    check_address,
    leave_after,
)
from antiphon_providers.openai_realtime_hearing import Ear, transcription_of
from antiphon_providers.openai_realtime_wire import PCM, Failed, HeardNothing
from antiphon_providers.vendor_socket import connect


class OpenAIRealtimeHearingOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
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
    connect_ms: Annotated[int, Meta(ge=1, description="Milliseconds to a connection.")] = 3000
    first_ms: Annotated[int, Meta(ge=1, description="Milliseconds until a session begins.")] = 5000
    final_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds from a flush to its words, known or not.")
    ] = 2000

    def __post_init__(self) -> None:
        check_address(self.base_url, self.api_key)

    def __repr__(self) -> str:
        return (
            f"OpenAIRealtimeHearingOptions(model={self.model!r}, base_url={self.base_url!r}, ...)"
        )

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", self.model), ("base_url", self.base_url)]


class OpenAIRealtimeHearing:
    """A transcription session as a recogniser."""

    Options = OpenAIRealtimeHearingOptions
    name = "openai-realtime"
    observer: Observer = SILENT

    def __init__(self, options: OpenAIRealtimeHearingOptions | None = None) -> None:
        self.options = options or OpenAIRealtimeHearingOptions()
        self._streams: set[RealtimeStream] = set()
        self._running = False

    async def start(self) -> None:
        """Opens a session and leaves it, to see that the key and the model are accepted.

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
    async def open(self, options: HearingOptions) -> AsyncIterator[RealtimeStream]:
        """A session for one call.

        Raises ``Refused`` where the vendor does not accept the key or a setting, in its own
        words, ``Unavailable`` where it cannot be reached or serve now, and ``TooSlow`` beyond
        ``connect_ms`` or ``first_ms``.
        """
        if not self._running:
            raise Unavailable("the recogniser is not running", provider=self.name)
        mine = self.options
        query = {"intent": "transcription"}
        address = address_of(self.name, mine.base_url, mine.api_key, query, mine.connect_ms)
        async with connect(address, self.observer) as socket:
            wire = Wire(address, socket)
            expires = await wire.begin(session_of(mine, options), mine.first_ms)
            stream = RealtimeStream(wire, mine.final_ms, partials=options.partials)
            stream.leave_after(leave_after(expires - time.time()))
            self._streams.add(stream)
            try:
                async with stream:
                    yield stream
            finally:
                self._streams.discard(stream)


class RealtimeStream:
    """One call's session. Use it as a context; everything happens on the event loop."""

    def __init__(self, wire: Wire, final_ms: int, *, partials: bool) -> None:
        self._wire = wire
        self._results: asyncio.Queue[Recognised | ProviderError | None] = asyncio.Queue()
        self._ear = Ear(wire.put, final_ms, self._tell, partials=partials)
        self._tasks: list[asyncio.Task[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._is_old = False
        self._is_open = True

    async def __aenter__(self) -> RealtimeStream:
        self._tasks = [
            asyncio.create_task(self._wire.deliver()),
            asyncio.create_task(self._listen()),
        ]
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    def leave_after(self, seconds: float) -> None:
        """Fails with ``Unavailable`` then, or as soon as nobody speaks after it."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._grow_old)

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz, any length."""
        if self._is_open:
            self._ear.feed(pcm)

    def flush(self) -> None:
        """The segment is complete.

        Answered when its words are final, at once where nothing could be speech, and in any case
        after ``final_ms`` with those that are known.
        """
        if self._is_open:
            self._ear.flush()

    def end(self) -> None:
        """Ends the iteration; nothing is taken any more."""
        self._end(None)

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the end. Raises ``ProviderError`` when the session fails."""
        while (result := await self._results.get()) is not None:
            if isinstance(result, ProviderError):
                raise result
            yield result

    def _tell(self, result: Recognised) -> None:
        if self._is_open:
            self._results.put_nowait(result)
            self._rest()

    def _grow_old(self) -> None:
        self._is_old = True
        self._rest()

    def _rest(self) -> None:
        """An old session ends while nobody speaks."""
        if self._is_old and self._ear.is_idle:
            self._end(self._wire.expiring())

    def _end(self, failure: ProviderError | None) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._results.put_nowait(failure)
        self._ear.close()
        if self._timer is not None:
            self._timer.cancel()

    async def _listen(self) -> None:
        """Takes the vendor's events until the session ends; that it does is a failure."""
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
