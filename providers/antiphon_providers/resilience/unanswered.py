"""What was said to a recogniser and not answered yet, so that another can be told it again.

Pure. Audio is int16 mono PCM at ``HEARING_RATE``.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct, field

from antiphon_providers.interfaces import HEARING_RATE, SpeechStream

REMEMBERED_MS = 30_000
"""Of audio: longer than people speak without a pause, and less than a megabyte a call."""
_BYTES_PER_MS = HEARING_RATE // 1000 * 2
_PIECE_BYTES = 100 * _BYTES_PER_MS
"""Replayed at once; some vendors refuse messages of more than a second."""


class _Segment(Struct):
    """Audio up to a flush. ``asked`` is when it was flushed, in seconds; None: not yet."""

    pcm: bytearray = field(default_factory=bytearray)
    asked: float | None = None


class Unanswered:
    """The segments that wait for their answer, and the one that is being spoken.

    Of more than ``remembered_ms`` the oldest audio is forgotten; flushes never are.
    """

    def __init__(self, remembered_ms: int = REMEMBERED_MS) -> None:
        self._most_bytes = remembered_ms * _BYTES_PER_MS
        self._segments = deque([_Segment()])
        self._bytes = 0

    @property
    def pending(self) -> int:
        """Flushes without an answer."""
        return len(self._segments) - 1

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell again: a boundary between two segments."""
        return self.pending == 0 and not self._segments[0].pcm

    @property
    def oldest_ms(self) -> float:
        """Of audio in the segment that is answered next, as far as it is remembered."""
        return len(self._segments[0].pcm) / _BYTES_PER_MS

    def feed(self, pcm: bytes) -> None:
        """More audio of the segment that is being spoken."""
        self._segments[-1].pcm += pcm
        self._bytes += len(pcm)
        if self._bytes > self._most_bytes:
            self._forget_oldest()

    def flush(self, now: float) -> None:
        """The segment is over; the next begins."""
        self._segments[-1].asked = now
        self._segments.append(_Segment())

    def answered(self) -> float | None:
        """The oldest flush was answered: when it was asked, or None if nothing was."""
        if self.pending == 0:
            return None
        segment = self._segments.popleft()
        self._bytes -= len(segment.pcm)
        return segment.asked

    def replay(self, stream: SpeechStream) -> None:
        """Tells all of it to another stream, flushes included."""
        for segment in list(self._segments):
            for at in range(0, len(segment.pcm), _PIECE_BYTES):
                stream.feed(bytes(segment.pcm[at : at + _PIECE_BYTES]))
            if segment.asked is not None:
                stream.flush()

    def _forget_oldest(self) -> None:
        for segment in self._segments:
            excess = self._bytes - self._most_bytes
            if excess <= 0:
                return
            # Whole samples only, or all that follows would be noise.
            dropped = min(excess + excess % 2, len(segment.pcm))
            del segment.pcm[:dropped]
            self._bytes -= dropped
