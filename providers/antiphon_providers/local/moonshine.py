"""Speech to text by Moonshine tiny: English, offline, on the CPU.

The recogniser does not stream, so a segment is decoded again as it grows: that costs, and is
done only while no other work waits (see ``spoken_piece`` for when, ``decoding_queue`` for what
goes first). A segment longer than 12 s is cut in a quiet place and its earlier words are kept.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from msgspec import Meta, Struct

from antiphon_providers.errors import ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import HearingOptions, Recognised
from antiphon_providers.local.decoding_queue import Decoding, DecodingQueue, Hears, Urgency
from antiphon_providers.local.moonshine_library import Recogniser
from antiphon_providers.local.spoken_piece import Piece


class MoonshineOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be set of the recogniser."""

    workers: Annotated[
        int,
        Meta(ge=1, le=16, description="Recognisers, each with a thread and 90 MB of memory."),
    ] = 1


class Moonshine:
    """Moonshine tiny. Key terms and prompts are not used: the model takes none."""

    Options = MoonshineOptions
    name = "moonshine"

    def __init__(self, options: MoonshineOptions | None = None) -> None:
        self.options = options or MoonshineOptions()
        self._queue: DecodingQueue | None = None
        self._streams: set[MoonshineStream] = set()

    async def start(self) -> None:
        """Loads the recognisers. Raises ``NotInstalled`` or ``Unavailable``."""
        recognisers = await asyncio.to_thread(self._load)
        self._queue = DecodingQueue(recognisers, asyncio.get_running_loop())

    async def close(self) -> None:
        """Running streams end; waits for the decoding that is under way."""
        for stream in list(self._streams):
            stream.close()
        queue, self._queue = self._queue, None
        if queue is not None:
            await asyncio.to_thread(queue.close)

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[MoonshineStream]:
        """A recogniser for one call.

        Raises ``Unavailable`` unless started, ``Refused`` where English is not among the
        languages asked for.
        """
        if self._queue is None:
            raise Unavailable("the recogniser is not running", provider=self.name)
        codes = options.language_codes
        if codes and not any(code.lower().split("-")[0] == "en" for code in codes):
            raise Refused(
                f"hears English only, not {', '.join(codes)}",
                provider=self.name,
                provider_param="language_codes",
            )
        stream = MoonshineStream(self._queue, partials=options.partials)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)
            stream.close()

    @property
    def decoded(self) -> int:
        """How often audio was decoded since the start."""
        return self._queue.decoded if self._queue else 0

    def _load(self) -> list[Hears]:
        recognisers: list[Hears] = []
        for _ in range(self.options.workers):
            recogniser = Recogniser(self.name)
            # The first run allocates; a caller must not wait for that.
            recogniser.words(bytes(32_000))
            recognisers.append(recogniser)
        return recognisers


class MoonshineStream:
    """One call's recogniser. Everything here happens on the event loop."""

    def __init__(self, queue: DecodingQueue, *, partials: bool) -> None:
        self._queue = queue
        self._partials = partials
        self._results: asyncio.Queue[Recognised | ProviderError | None] = asyncio.Queue()
        self._segments: deque[_Segment] = deque([_Segment()])
        self._open = True

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz, any length."""
        if not self._open:
            return
        segment = self._segments[-1]
        part = segment.parts[-1]
        part.piece.add(pcm)
        while part.piece.is_too_long:
            part.piece, rest = part.piece.cut()
            self._complete(part, Urgency.SETTLED)
            part = _Part(rest)
            segment.parts.append(part)
        wanted = part.piece.wants_look if self._partials else part.piece.wants_last_look
        if part.job is None and self._queue.is_free and wanted(part.decoded):
            self._decode(part, Urgency.LOOK)

    def flush(self) -> None:
        """The segment is complete; its words follow, with ``flushed``."""
        if not self._open:
            return
        segment = self._segments[-1]
        segment.is_flushed = True
        self._segments.append(_Segment())
        self._complete(segment.parts[-1], Urgency.FINAL)
        self._tell()

    def close(self) -> None:
        """Ends the iteration; what waits to be decoded is dropped."""
        self._open = False
        for segment in self._segments:
            for part in segment.parts:
                part.drop_job()
        self._results.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order. Raises ``Unavailable`` when the recogniser fails."""
        while (result := await self._results.get()) is not None:
            if isinstance(result, ProviderError):
                raise result
            yield result

    def _complete(self, part: _Part, urgency: Urgency) -> None:
        """No more audio comes for this part: finds its last words in the cheapest way."""
        part.is_complete = True
        job = part.job
        if job is not None and job.has_begun and part.piece.is_covered_by(len(job.pcm)):
            return
        part.drop_job()
        if part.piece.is_silent:
            part.words = ""
        elif not part.piece.is_covered_by(part.decoded):
            self._decode(part, urgency)

    def _decode(self, part: _Part, urgency: Urgency) -> None:
        part.job = Decoding(part.piece.pcm, lambda job, words: self._decoded(part, job, words))
        self._queue.put(part.job, urgency)

    def _decoded(self, part: _Part, job: Decoding, words: str | Exception) -> None:
        part.job = None
        if isinstance(words, Exception):
            failure = words if isinstance(words, ProviderError) else Unavailable(str(words))
            self._results.put_nowait(failure)
            return
        part.decoded = len(job.pcm)
        part.words = part.piece.believable(words)
        self._tell()

    def _tell(self) -> None:
        """Says what is new: finals in the order of their segments, words of the first only."""
        while (segment := self._segments[0]).is_settled:
            self._segments.popleft()
            self._results.put_nowait(Recognised(segment.words, flushed=True))
        if self._partials and not segment.is_flushed and segment.words != segment.shown:
            segment.shown = segment.words
            self._results.put_nowait(Recognised(segment.words))


class _Part:
    """A piece and what is known of its words."""

    def __init__(self, piece: Piece | None = None) -> None:
        self.piece = piece or Piece()
        self.words: str | None = None
        self.decoded = 0
        self.job: Decoding | None = None
        self.is_complete = False

    @property
    def is_settled(self) -> bool:
        """Whether its words are its last."""
        return self.is_complete and self.job is None and self.words is not None

    def drop_job(self) -> None:
        """Whatever is being decoded is no longer wanted."""
        if self.job is not None:
            self.job.cancel()
            self.job = None


class _Segment:
    """The audio between two flushes: one part, or several where it is long."""

    def __init__(self) -> None:
        self.parts = [_Part()]
        self.is_flushed = False
        self.shown = ""

    @property
    def is_settled(self) -> bool:
        """Whether its words are its last."""
        return self.is_flushed and all(part.is_settled for part in self.parts)

    @property
    def words(self) -> str:
        """As far as they are known."""
        return " ".join(part.words for part in self.parts if part.words)
