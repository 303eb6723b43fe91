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

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from antiphon_providers.assemblyai_segments import Segments, Turn, Verdicts
from antiphon_providers.assemblyai_wire import Endpoint, Wire, check_address, frame
from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import HEARING_RATE, HearingOptions, Recognised
from antiphon_providers.loudness import loudness
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.options import json_object
from antiphon_providers.vendor_socket import connect

_ENDPOINT = Endpoint("assemblyai", "wss://streaming.assemblyai.com", "/v3/ws")
_FRAME_MS = 50
"""What the vendor recommends, and its least; it refuses more than 1000."""
_FRAME_BYTES = HEARING_RATE * 2 * _FRAME_MS // 1000
_BYTES_PER_MS = HEARING_RATE * 2 // 1000
_KEEP_ALIVE_S = 20.0
"""Without audio; proxies on the way give up a connection after a minute."""
_MAX_KEYTERMS, _MAX_PROMPT = 100, 1750
"""Beyond them the vendor refuses the session."""
_SILENCE_MS = range(50, 10_001)
"""What it takes as the silence that ends a turn."""
_GRADED = "universal-streaming"
"""Models of this family say how sure they are while a turn goes on, and take no prompt."""


class AssemblyAIHearingOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which model, and how patient to be with it."""

    api_key: Annotated[
        str, Meta(description="Empty: `ASSEMBLYAI_API_KEY`, at the vendor's own address only.")
    ] = ""
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
    extra_query: Annotated[
        str, Meta(description="JSON object of more parameters of the connection, as they are.")
    ] = "{}"
    connect_ms: Annotated[int, Meta(ge=1, description="Milliseconds to a connection.")] = 3000
    first_ms: Annotated[int, Meta(ge=1, description="Milliseconds until a session begins.")] = 5000
    final_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds from a flush to its words, known or not.")
    ] = 1000

    def __post_init__(self) -> None:
        check_address(self.base_url, self.api_key)
        self.query()

    def query(self) -> dict[str, str]:
        """The parameters of ``extra_query``. Raises ``ValueError``."""
        return {name: _parameter(value) for name, value in json_object(self.extra_query).items()}

    def __repr__(self) -> str:
        return f"AssemblyAIHearingOptions(model={self.model!r}, base_url={self.base_url!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", self.model), ("base_url", self.base_url)]


class AssemblyAIHearing:
    """AssemblyAI as a recogniser."""

    Options = AssemblyAIHearingOptions
    name = _ENDPOINT.provider
    observer: Observer = SILENT

    def __init__(self, options: AssemblyAIHearingOptions | None = None) -> None:
        self.options = options or AssemblyAIHearingOptions()
        self._streams: set[AssemblyAIStream] = set()
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
    async def open(self, options: HearingOptions) -> AsyncIterator[AssemblyAIStream]:
        """A session for one call.

        Raises ``Refused`` where the vendor does not accept the key or a parameter, in its own
        words, ``Unavailable`` where it cannot be reached or has no session free, and
        ``TooSlow`` beyond ``connect_ms`` or ``first_ms``.
        """
        if not self._running:
            raise Unavailable("the recogniser is not running", provider=self.name)
        mine = self.options
        address = _ENDPOINT.address(
            mine.base_url, mine.api_key, query_of(mine, options), mine.connect_ms
        )
        async with connect(address, self.observer) as socket:
            wire = Wire(address, socket)
            await wire.begin(mine.first_ms)
            stream = AssemblyAIStream(wire, mine, partials=options.partials)
            self._streams.add(stream)
            try:
                async with stream:
                    yield stream
            finally:
                self._streams.discard(stream)


class AssemblyAIStream:
    """One call's session. Use it as a context; everything happens on the event loop."""

    def __init__(self, wire: Wire, options: AssemblyAIHearingOptions, *, partials: bool) -> None:
        self._wire = wire
        self._final_s = options.final_ms / 1000
        graded = options.model.startswith(_GRADED)
        verdicts = Verdicts(graded=graded, formatted=graded and options.format_turns)
        self._segments = Segments(verdicts, partials=partials)
        self._results: asyncio.Queue[Recognised | ProviderError | None] = asyncio.Queue()
        self._outbox: deque[str | bytes] = deque()
        self._unsent = asyncio.Event()
        self._held = bytearray()
        self._queued_ms = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._is_open = True

    async def __aenter__(self) -> AssemblyAIStream:
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._listen())]
        return self

    async def __aexit__(self, kind: object, *_error: object) -> None:
        self.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        if kind is None:
            # Whether it is heard does not matter: the close that follows ends the session too.
            with suppress(ProviderError):
                await self._wire.send("Terminate")

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz, any length; it is sent in pieces of 50 ms."""
        if not self._is_open:
            return
        self._held += pcm
        while len(self._held) >= _FRAME_BYTES:
            self._queue(bytes(self._held[:_FRAME_BYTES]))
            del self._held[:_FRAME_BYTES]

    def flush(self) -> None:
        """The segment is complete: forces the end of the vendor's turn.

        Answered when its words are final, at once where nothing can be added to those that are
        known, and in any case after ``final_ms``.
        """
        if not self._is_open:
            return
        if len(self._held) > 1:
            # Silence makes up the least that the vendor takes.
            self._queue(bytes(self._held[: len(self._held) // 2 * 2]).ljust(_FRAME_BYTES, b"\0"))
        self._held.clear()
        now = asyncio.get_running_loop().time()
        is_asked, results = self._segments.flush(self._queued_ms, now, self._final_s)
        if is_asked:
            self._outbox.append(frame("ForceEndpoint"))
            self._unsent.set()
        self._tell(results)

    def end(self) -> None:
        """Ends the iteration; nothing is taken any more."""
        if self._is_open:
            self._is_open = False
            self._results.put_nowait(None)
        if self._timer is not None:
            self._timer.cancel()

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the end. Raises ``ProviderError`` when the session fails."""
        while (result := await self._results.get()) is not None:
            if isinstance(result, ProviderError):
                raise result
            yield result

    def _queue(self, pcm: bytes) -> None:
        """The next frame of audio."""
        self._outbox.append(pcm)
        self._unsent.set()
        self._queued_ms += len(pcm) / _BYTES_PER_MS
        self._segments.heard(self._queued_ms, loudness(pcm))

    def _tell(self, results: list[Recognised]) -> None:
        """Results go out; the next deadline is kept."""
        for result in results:
            self._results.put_nowait(result)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._segments.deadline
        if deadline is not None and self._is_open:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expire, deadline)

    def _expire(self, deadline: float) -> None:
        self._tell(self._segments.expire(deadline))

    async def _send(self) -> None:
        """Sends what is queued, in order, and signs of life when there is nothing."""
        with suppress(ProviderError):  # The listener meets the same failure and tells it.
            while True:
                try:
                    async with asyncio.timeout(_KEEP_ALIVE_S):
                        await self._unsent.wait()
                except TimeoutError:
                    await self._wire.send("KeepAlive")
                    continue
                while self._outbox:
                    await self._wire.socket.send(self._outbox.popleft())
                self._unsent.clear()

    async def _listen(self) -> None:
        """Takes the vendor's frames until the session ends; that it does is a failure."""
        try:
            while (said := await self._wire.next()) is not None:
                if said["type"] == "Turn":
                    self._tell(self._segments.take(self._turn(said)))
            raise self._wire.ended()
        except ProviderError as failure:
            if self._is_open:
                self._is_open = False
                self._results.put_nowait(failure)
                self._tell([])

    def _turn(self, said: dict[str, Any]) -> Turn:
        try:
            return msgspec.convert(said, Turn)
        except msgspec.ValidationError:
            raise self._wire.malformed("sent a Turn that is none") from None


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
    return {name: _parameter(value) for name, value in wanted.items() if value is not None}


def _silence(ms: int | None) -> int | None:
    return None if ms is None else min(max(ms, _SILENCE_MS.start), _SILENCE_MS.stop - 1)


def _parameter(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
