"""What is to be heard, in order, and how much of it was: the speaker's side of barge-in."""

from __future__ import annotations

import threading
from collections import deque

from antiphon.events import Dropped, Event, ReplyAudio, ReplyDone, ReplyStarted, SpeechStarted
from antiphon_protocol.audio import PCM, PCMA, PCMU, Encoding

SILENT_BYTE = {PCM.name: 0x00, PCMU.name: 0xFF, PCMA.name: 0xD5}
"""Silence in each encoding; G.711 has its own zeros (ITU-T G.711, tables 1 and 2)."""

REMEMBERED = 64
"""Replies known to be over; a server that is later than that is not pacing but broken."""


class Playback:
    """A buffer between a call and a sound device.

    Give every event of the call to ``hear``; let the device take what it needs with ``read``,
    from any thread. When the user interrupts, or the line drops, what is buffered is dropped at
    once, and sound of that reply that is still on its way is ignored.
    """

    def __init__(self, encoding: Encoding = PCM) -> None:
        self.encoding = encoding
        self._silence = bytes([SILENT_BYTE[encoding.name]])
        self._lock = threading.Lock()
        self._pieces: deque[tuple[str, bytes]] = deque()
        self._taken = 0
        self._current: str | None = None
        self._hushed: deque[str] = deque(maxlen=REMEMBERED)
        self._heard: tuple[str, int] | None = None

    def hear(self, event: Event) -> None:
        """Takes note of an event; those that are not about sound change nothing."""
        if isinstance(event, ReplyAudio):
            self.push(event.reply_id, event.samples)
        elif isinstance(event, ReplyStarted):
            self._current = event.reply_id
        elif isinstance(event, SpeechStarted | Dropped):
            self.flush()
        elif isinstance(event, ReplyDone):
            self._finish(event)

    def push(self, reply_id: str, samples: bytes) -> None:
        """Adds sound of a reply; ignored if that reply is over or was interrupted."""
        with self._lock:
            if samples and reply_id not in self._hushed:
                self._current = reply_id
                self._pieces.append((reply_id, samples))

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes to play, filled up with silence; safe from any thread."""
        parts: list[bytes] = []
        missing = size
        with self._lock:
            while missing and self._pieces:
                part = self._take(missing)
                parts.append(part)
                missing -= len(part)
        return b"".join(parts) + self._silence * missing

    def flush(self) -> float:
        """Drops what is buffered and mutes the reply it belongs to; how many ms were dropped."""
        with self._lock:
            dropped = self._size()
            hushed = {reply_id for reply_id, _ in self._pieces}
            if self._current is not None:
                hushed.add(self._current)
            self._hushed.extend(hushed.difference(self._hushed))
            self._drop()
            self._current = None
        return self.encoding.ms(dropped)

    @property
    def buffered_ms(self) -> float:
        """Milliseconds of sound that wait to be played."""
        with self._lock:
            return self.encoding.ms(self._size())

    def played_ms(self, reply_id: str | None = None) -> float:
        """Milliseconds of a reply's sound that were read; by default of the latest one read."""
        with self._lock:
            if self._heard is None or reply_id not in (None, self._heard[0]):
                return 0.0
            return self.encoding.ms(self._heard[1])

    def _finish(self, event: ReplyDone) -> None:
        with self._lock:
            if event.status == "interrupted":
                kept = [piece for piece in self._unread() if piece[0] != event.reply_id]
                self._drop()
                self._pieces.extend(kept)
            # Nothing of a reply may follow its end, whatever the end was (section 4.8).
            if event.reply_id not in self._hushed:
                self._hushed.append(event.reply_id)
            if self._current == event.reply_id:
                self._current = None

    def _take(self, most: int) -> bytes:
        reply_id, samples = self._pieces[0]
        part = samples[self._taken : self._taken + most]
        self._taken += len(part)
        if self._taken == len(samples):
            self._pieces.popleft()
            self._taken = 0
        before = self._heard[1] if self._heard and self._heard[0] == reply_id else 0
        self._heard = (reply_id, before + len(part))
        return part

    def _unread(self) -> list[tuple[str, bytes]]:
        pieces = list(self._pieces)
        if pieces and self._taken:
            reply_id, samples = pieces[0]
            pieces[0] = (reply_id, samples[self._taken :])
        return pieces

    def _size(self) -> int:
        return sum(len(samples) for _, samples in self._pieces) - self._taken

    def _drop(self) -> None:
        self._pieces.clear()
        self._taken = 0
