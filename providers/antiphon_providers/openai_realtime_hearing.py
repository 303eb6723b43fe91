"""What a Realtime session hears: audio up, segment by segment, and their words down.

A segment is sent from just before its first sound that could be speech, and committed when it is
flushed; what is silent is never sent, and answered at once. The vendor's words belong to items,
whose ids it tells with the first words or when they are committed, in the order of the commits.
Words of several items may come in any order; flushes are answered in theirs.

Source: OpenAI's guide "Realtime transcription" and its API reference, ``AudioTranscription``
(2026-11-22).
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

from pybase64 import b64encode_as_string

from antiphon_providers.interfaces import HEARING_RATE, HearingOptions, Recognised
from antiphon_providers.loudness import loudness
from antiphon_providers.openai_realtime_wire import (
    RATE,
    Append,
    Commit,
    Committed,
    Event,
    Failed,
    HeardAll,
    HeardDelta,
    HeardNothing,
    Sent,
    Trouble,
)
from antiphon_providers.resilience.resampling import Resampling

_FRAME_BYTES = HEARING_RATE * 2 * 100 // 1000
_LEAD_BYTES = RATE * 2 * 500 // 1000
"""Half a second before the first sound that could be speech."""

_LEAST_BYTES = RATE * 2 * 100 // 1000
"""The vendor commits no less than 100 ms."""

_SILENT = 50.0
"""RMS of int16 samples: -56 dB of full scale, softer than any room."""

_MANY_HINTS = ("gpt-transcribe", "gpt-live-transcribe")
"""Models that take several languages, and key terms as such."""

_NO_PROMPT = ("gpt-realtime-whisper",)
_MAX_KEYTERMS = 100


class Segment:
    """Audio up to a flush. ``told`` is how its flush was answered; None until then."""

    def __init__(self) -> None:
        self.event_id = f"commit_{secrets.token_hex(8)}"
        self.item_id: str | None = None
        self.is_loud = False
        self.sent_bytes = 0
        self.known = ""
        self.is_final = False
        self.told: str | None = None
        self.resampling = Resampling(HEARING_RATE, RATE)
        self.timer: asyncio.TimerHandle | None = None


class Ear:
    """Hears for one session; nothing blocks.

    ``put`` sends an event; ``tell`` takes the results; ``committed`` each segment of which the
    vendor has made an item, in their order.
    """

    def __init__(
        self,
        put: Callable[[Sent], None],
        final_ms: int,
        tell: Callable[[Recognised], None],
        committed: Callable[[Segment], None] = lambda _: None,
        *,
        partials: bool,
    ) -> None:
        self._put = put
        self._final_s = final_ms / 1000
        self._tell = tell
        self._on_commit = committed
        self._partials = partials
        self._rest = b""
        self._unsent = bytearray()
        self._segment = Segment()
        self._unanswered: deque[Segment] = deque()
        self._uncommitted: deque[Segment] = deque()
        self._by_id: dict[str, Segment] = {}

    @property
    def is_settled(self) -> bool:
        """Whether the vendor has made items of all that it was asked to."""
        return not self._uncommitted

    @property
    def is_idle(self) -> bool:
        """Whether nobody spoke since the last answered flush."""
        return not self._unanswered and not self._segment.is_loud

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz, any length."""
        audio = self._rest + pcm
        whole = len(audio) - len(audio) % _FRAME_BYTES
        self._rest = audio[whole:]
        for at in range(0, whole, _FRAME_BYTES):
            self._hear(audio[at : at + _FRAME_BYTES])

    def flush(self) -> None:
        """The segment is complete; answered at once where nothing of it could be speech."""
        segment, self._segment = self._segment, Segment()
        if len(self._rest) > 1:
            self._hear(self._rest[: len(self._rest) // 2 * 2], segment)
        self._rest = b""
        self._unsent += segment.resampling.finish()
        self._unanswered.append(segment)
        if segment.is_loud:
            self._unsent += bytes(max(_LEAST_BYTES - segment.sent_bytes - len(self._unsent), 0))
            self._send(segment)
            self._commit(segment)
        else:
            self._unsent.clear()
            segment.is_final = True
        self._answer()

    def close(self) -> None:
        """Nothing is answered any more."""
        for segment in self._unanswered:
            if segment.timer is not None:
                segment.timer.cancel()
        self._unanswered.clear()

    def take(self, event: Event) -> bool:
        """An event of the session; whether it is about what was heard."""
        match event:
            case Committed(item_id):
                self._confirm(item_id)
            case HeardDelta(item_id, delta):
                segment = self._of(item_id)
                if segment is not None and not segment.is_final and delta:
                    segment.known += delta
                    self._show(segment)
            case HeardAll(item_id, transcript):
                self._settle(self._took(item_id), transcript)
            case HeardNothing(item_id):
                self._settle(self._took(item_id), None)
            case Failed(error):
                return self._refused(error)
            case _:
                return False
        return True

    def _hear(self, pcm: bytes, segment: Segment | None = None) -> None:
        segment = segment or self._segment
        segment.is_loud = segment.is_loud or loudness(pcm) >= _SILENT
        self._unsent += segment.resampling.feed(pcm)
        if segment.is_loud:
            self._send(segment)
        else:
            del self._unsent[: max(len(self._unsent) - _LEAD_BYTES, 0)]

    def _send(self, segment: Segment) -> None:
        if self._unsent:
            segment.sent_bytes += len(self._unsent)
            self._put(Append(b64encode_as_string(self._unsent)))
            self._unsent.clear()

    def _commit(self, segment: Segment) -> None:
        self._uncommitted.append(segment)
        self._put(Commit(segment.event_id))
        loop = asyncio.get_running_loop()
        segment.timer = loop.call_later(self._final_s, self._settle, segment, None)

    def _of(self, item_id: str) -> Segment | None:
        """Whose words they are."""
        if item_id not in self._by_id:
            for segment in (*self._uncommitted, self._segment):
                if segment.item_id is None:
                    segment.item_id = item_id
                    self._by_id[item_id] = segment
                    break
        return self._by_id.get(item_id)

    def _confirm(self, item_id: str) -> None:
        """The oldest commit made this item, unless that was known."""
        known = self._by_id.get(item_id)
        if not item_id or not self._uncommitted or (known and known not in self._uncommitted):
            return
        segment = self._uncommitted[0]
        segment.item_id = item_id
        self._by_id[item_id] = segment
        self._took(item_id)

    def _took(self, item_id: str) -> Segment | None:
        """The segment of an item that is in the conversation."""
        segment = self._of(item_id)
        if segment is not None and segment in self._uncommitted:
            self._uncommitted.remove(segment)
            self._on_commit(segment)
        return segment

    def _refused(self, error: Trouble) -> bool:
        """Whether it is a commit that was refused: there is nothing in it."""
        for segment in self._uncommitted:
            if segment.event_id == error.event_id:
                self._uncommitted.remove(segment)
                self._settle(segment, "")
                return True
        return False

    def _show(self, segment: Segment) -> None:
        first = self._unanswered[0] if self._unanswered else self._segment
        if self._partials and segment is first and segment.known.strip():
            self._tell(Recognised(segment.known.strip()))

    def _settle(self, segment: Segment | None, text: str | None) -> None:
        """It has all its words; None: what is known is all."""
        if segment is None or segment.is_final:
            return
        segment.known = segment.known if text is None else text
        segment.is_final = True
        self._answer()

    def _answer(self) -> None:
        while self._unanswered and self._unanswered[0].is_final:
            segment = self._unanswered.popleft()
            if segment.timer is not None:
                segment.timer.cancel()
            segment.told = segment.known.strip()
            self._tell(Recognised(segment.told, flushed=True))


def transcription_of(model: str, language: str, options: HearingOptions) -> dict[str, Any]:
    """How a session is to find words; what the model does not take is left out. Languages are
    named as the vendor does, without region.
    """
    codes = options.language_codes or ((language,) if language else ())
    languages = list(dict.fromkeys(code.partition("-")[0].lower() for code in codes))
    keyterms = list(options.keyterms[:_MAX_KEYTERMS])
    wanted: dict[str, Any] = {"model": model}
    if model.startswith(_MANY_HINTS):
        wanted |= {"languages": languages, "keywords": keyterms, "prompt": options.prompt}
    else:
        hints = " ".join(filter(None, (options.prompt, ", ".join(keyterms))))
        wanted["language"] = languages[0] if len(languages) == 1 else None
        wanted["prompt"] = None if model.startswith(_NO_PROMPT) else hints
    return {name: value for name, value in wanted.items() if value}
