"""One clock for the microphones of all callers of a process.

A task and a timer for each would cost more than what they send. The wheel has slots of 2 ms, so
that not all frames leave at the same moment; each microphone has its slot, once a frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from antiphon.errors import ConnectionLost
from antiphon.wire import Wire
from antiphon_loadtest.notes import Notes

SLOT_MS = 2
MOST_WAITING = 64 * 1024
"""Bytes that wait for the network, at most: half a second of sound. More is not sent."""
GIVE_UP_S = 1.0
"""A clock so late is set anew: the frames of that time are late, and were never sent."""


class Spoken:
    """A clip being said. Times are loop times; 0 before it began."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self.frames = frames
        self.started_at = 0.0
        self.position = 0

    @property
    def over(self) -> bool:
        """Whether all of it was said."""
        return self.position >= len(self.frames)


class Microphone:
    """What one caller sends: a clip, or silence. ``spoken`` is the clip."""

    def __init__(self, wire: Wire, silence: bytes, notes: Notes) -> None:
        self.wire = wire
        self.spoken: Spoken | None = None
        self._silence = silence
        self._notes = notes

    def tick(self, due: float, frame_s: float) -> None:
        """Sends the frame whose last sample is spoken at ``due``."""
        if self.wire.waiting > MOST_WAITING:
            self._notes.counts["blocked"] += 1
            return
        frame, spoken = self._silence, self.spoken
        if spoken is not None and not spoken.over:
            if not spoken.position:
                spoken.started_at = due - frame_s
            frame = spoken.frames[spoken.position]
            spoken.position += 1
        try:
            self.wire.write(frame)
        except ConnectionLost:
            # Whoever listens notices, and takes the microphone away.
            return


class Wheel:
    """Turns from ``start`` to ``stop``; ``frame_ms`` is a multiple of 2 ms."""

    def __init__(self, frame_ms: int, notes: Notes) -> None:
        self._slots: list[dict[Microphone, None]] = [{} for _ in range(frame_ms // SLOT_MS)]
        self._frame_s = frame_ms / 1000
        self._notes = notes
        self._loop = asyncio.get_running_loop()
        self._due = 0.0
        self._place = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins to turn."""
        self._due = self._loop.time()
        self._timer = self._loop.call_at(self._due, self._turn)

    def stop(self) -> None:
        """Nothing is sent any more."""
        if self._timer is not None:
            self._timer.cancel()

    def add(self, microphone: Microphone) -> None:
        """Gives it the emptiest slot."""
        min(self._slots, key=len)[microphone] = None

    def remove(self, microphone: Microphone) -> None:
        """Sends nothing more of it; one that is not there is left alone."""
        for slot in self._slots:
            slot.pop(microphone, None)

    def _turn(self) -> None:
        behind = self._loop.time() - self._due
        notes = self._notes
        notes.lags.append(behind)
        slot = self._slots[self._place]
        for microphone in slot:
            microphone.tick(self._due, self._frame_s)
        notes.sent += len(slot)
        if behind > self._frame_s:
            notes.late += len(slot)
        self._place = (self._place + 1) % len(self._slots)
        self._due += SLOT_MS / 1000
        if behind > GIVE_UP_S:
            notes.late += round(behind / self._frame_s) * sum(map(len, self._slots))
            self._due = self._loop.time()
        self._timer = self._loop.call_at(self._due, self._turn)
