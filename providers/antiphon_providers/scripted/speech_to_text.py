"""A recogniser that hears what it is told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import HEARING_RATE, HearingOptions, Recognised
from antiphon_providers.scripted.desk import Closed, Desk, Fault, Stream
from antiphon_providers.scripted.tones import loudness, number_of

_SLICE_MS = 20
_BYTES_PER_MS = HEARING_RATE // 1000 * 2
_SLICE_BYTES = _SLICE_MS * _BYTES_PER_MS

_REMEMBERED_BYTES = 30_000 * _BYTES_PER_MS
"""Of a segment's audio, for ``echo`` and ``hear``: half a minute."""

_REMEMBERED_OPTIONS = 100


class SpeechToTextScript(Struct, frozen=True, forbid_unknown_fields=True):
    """How the scripted recogniser behaves."""

    utterances: Annotated[
        str, Meta(description="What the segments of a call say in turn, separated by |.")
    ] = "hello there"
    after_last: Annotated[
        Literal["cycle", "last", "nothing"], Meta(description="When they are used up.")
    ] = "cycle"
    mode: Annotated[
        Literal["told", "echo"],
        Meta(description="`echo`: the number in the sound (`tones.tone_of`): 'caller 7'."),
    ] = "told"
    ms_per_word: Annotated[float, Meta(gt=0, description="Audible milliseconds a word.")] = 300
    partial_every_ms: Annotated[
        float, Meta(ge=0, description="Milliseconds of audio between partial results; 0: none.")
    ] = 200
    final_ms: Annotated[float, Meta(ge=0, description="Milliseconds from flush to words.")] = 0
    turn_over: Annotated[
        float | None, Meta(description="Verdict given with each final result; none: no opinion.")
    ] = None
    threshold: Annotated[float, Meta(ge=0, le=1, description="Loudness of speech, of 1.")] = 0.01
    fault: Annotated[str, Meta(description="See `Fault.parse`; counts results.")] = ""

    def __post_init__(self) -> None:
        Fault.parse(self.fault)


class ScriptedSpeechToText:
    """Each segment in which something was audible is the call's next utterance.

    While it is spoken its words come one by one, by the audible milliseconds fed; silence has
    no words. ``hear`` in the constructor replaces the utterances: from a segment's PCM (at
    most 30 s of it) to its words. The options of the last calls are in ``asked``.
    """

    Options = SpeechToTextScript
    name = "scripted"

    def __init__(
        self,
        options: SpeechToTextScript | None = None,
        *,
        hear: Callable[[bytes], str] | None = None,
    ) -> None:
        self.options = options or SpeechToTextScript()
        self.desk = Desk(self.name, Fault.parse(self.options.fault))
        self.asked: deque[HearingOptions] = deque(maxlen=_REMEMBERED_OPTIONS)
        self.hear = hear or (_number_heard if self.options.mode == "echo" else None)
        self._streams: set[ScriptedSpeechStream] = set()
        self.utterances = [text.strip() for text in self.options.utterances.split("|")]

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """Running streams end."""
        self.desk.shut()
        for stream in self._streams:
            stream.close()

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[ScriptedSpeechStream]:
        """A recogniser for one call, whose first segment says the first utterance."""
        with self.desk.stream() as opened:
            self.asked.append(options)
            try:
                await opened.open()
            except Closed:
                raise Unavailable("the recogniser was closed", provider=self.name) from None
            stream = ScriptedSpeechStream(self, options, opened)
            self._streams.add(stream)
            try:
                yield stream
            finally:
                self._streams.discard(stream)
                stream.close()

    def utterance(self, segment: int) -> str:
        """What the audible segment of that number says."""
        last = len(self.utterances) - 1
        if segment <= last:
            return self.utterances[segment]
        if self.options.after_last == "nothing":
            return ""
        return self.utterances[last if self.options.after_last == "last" else segment % (last + 1)]


class _Due(NamedTuple):
    """A result and the loop's time at which it is given."""

    when: float
    result: Recognised


class ScriptedSpeechStream:
    """One call's recogniser."""

    def __init__(
        self, owner: ScriptedSpeechToText, options: HearingOptions, opened: Stream
    ) -> None:
        self._owner = owner
        self._script = owner.options
        self._partials = options.partials and self._script.partial_every_ms > 0
        self._opened = opened
        self._due: asyncio.Queue[_Due | None] = asyncio.Queue()
        self._segments = 0
        self._pcm = bytearray()
        self._rest = b""
        self._fed_ms = 0.0
        self._audible_ms = 0.0
        self._next_partial_ms = self._script.partial_every_ms
        self._shown = ""

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz; says the words that are audible by now."""
        audio = self._rest + pcm
        whole = len(audio) - len(audio) % _SLICE_BYTES
        self._rest = audio[whole:]
        for at in range(0, whole, _SLICE_BYTES):
            self._listen(audio[at : at + _SLICE_BYTES])

    def flush(self) -> None:
        """Says the segment's words after the final delay."""
        if self._rest:
            self._listen(self._rest)
        self._say(self._whole(), self._script.final_ms, flushed=True)
        self._segments += 1 if self._audible_ms else 0
        self._pcm.clear()
        self._rest = b""
        self._fed_ms = self._audible_ms = 0.0
        self._next_partial_ms = self._script.partial_every_ms
        self._shown = ""

    def close(self) -> None:
        """Ends the iteration."""
        self._opened.shut()
        self._due.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """The results, each when it is due."""
        try:
            while (due := await self._due.get()) is not None:
                await self._opened.result(due.when)
                yield due.result
        except Closed:
            return

    def _listen(self, audio: bytes) -> None:
        if self._owner.hear is not None and len(self._pcm) < _REMEMBERED_BYTES:
            self._pcm += audio
        if loudness(audio) > self._script.threshold:
            self._audible_ms += len(audio) / _BYTES_PER_MS
        self._fed_ms += len(audio) / _BYTES_PER_MS
        if self._partials and self._fed_ms >= self._next_partial_ms:
            self._next_partial_ms += self._script.partial_every_ms
            words = self._whole().split()[: int(self._audible_ms / self._script.ms_per_word)]
            self._show(" ".join(words))

    def _show(self, words: str) -> None:
        if words != self._shown:
            self._shown = words
            self._say(words, 0)

    def _whole(self) -> str:
        """All that the segment says."""
        if self._opened.empty or not self._audible_ms:
            return ""
        if self._owner.hear is not None:
            return self._owner.hear(bytes(self._pcm))
        return self._owner.utterance(self._segments)

    def _say(self, text: str, delay_ms: float, *, flushed: bool = False) -> None:
        when = asyncio.get_running_loop().time() + delay_ms / 1000
        self._due.put_nowait(
            _Due(when, Recognised(text, flushed, self._script.turn_over if flushed else None))
        )


def _number_heard(pcm: bytes) -> str:
    """The words of ``echo``: whose sound it is."""
    number = number_of(pcm, HEARING_RATE)
    return "" if number is None else f"caller {number}"
