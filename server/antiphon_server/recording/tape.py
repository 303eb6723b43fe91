"""One recording as its writer's thread sees it: two tracks that become an Ogg Opus file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import soundfile
import structlog
from msgspec import Struct

from antiphon_protocol.audio import PCM, Encoding
from antiphon_server.call.sound import Resampler, Samples
from antiphon_server.observe import metrics
from antiphon_server.recording.tracks import AgentTrack, UserTrack
from antiphon_server.store.artifacts import Recorded

log = structlog.get_logger()

RATE = PCM.rate
"""Opus can store it, and it is the better of the wire's two."""
HOLD_SECONDS = 0.3
"""How long the latest audio may still move: longer than a microphone's jitter."""
WRITE_SECONDS = 1.0
"""Written at once at most. With a page of Ogg of 1 s, ``HOLD_SECONDS`` and the pace of the writer
a crash loses less than 2 s.
"""
AHEAD_SECONDS = 30.0
"""A client may send ahead of time (section 7.2), not without end."""
COMPRESSION = 0.93
"""libsndfile's scale; 48 kbit/s for both channels."""

Channel = Literal["user", "agent"]
Piece = tuple[Channel, bytes, float]
"""Whose audio, in the wire's encoding, and the second of the session's clock it belongs to."""


class Sink(Protocol):
    """Where stereo samples go."""

    def write(self, frames: Samples) -> None:
        """Takes int16 of shape (n, 2). Raises ``OSError`` or ``RuntimeError`` where it cannot."""
        ...

    def close(self) -> None:
        """Nothing follows. Raises as ``write`` does."""
        ...


OpenSink = Callable[[Path], Sink]


class OpusFile:
    """A new Ogg Opus file that only its owner may read; playable up to what was written."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            self._file = soundfile.SoundFile(
                descriptor,
                "w",
                RATE,
                2,
                format="OGG",
                subtype="OPUS",
                compression_level=COMPRESSION,
            )
        except BaseException:
            os.close(descriptor)
            raise

    def write(self, frames: Samples) -> None:
        """More audio."""
        self._file.write(frames)

    def close(self) -> None:
        """The last page."""
        self._file.close()


def playable_seconds(path: Path) -> float:
    """How much of a file that was not finished can be played."""
    try:
        info = soundfile.info(path)
    except soundfile.SoundFileError:
        return 0.0
    return float(info.frames / info.samplerate)


class Spool(Struct):
    """What was made of one channel so far: its samples at ``RATE`` that are not written yet."""

    track: UserTrack | AgentTrack
    rate: int
    resampler: Resampler
    ready: Samples

    def take(self, seconds: float) -> None:
        """Takes the track up to a second of the recording."""
        until = round(seconds * self.rate)
        if until > self.track.strip.begin:
            self._add(self.resampler.feed(self.track.strip.take(until)))

    def finish(self) -> None:
        """What the resampler still held."""
        self._add(self.resampler.finish())

    def _add(self, samples: Samples) -> None:
        self.ready = np.concatenate((self.ready, samples)) if self.ready.size else samples


class Tape:
    """Everything of one recording but its queue. Used by one thread at a time."""

    def __init__(
        self, path: Path, encodings: dict[Channel, Encoding], began: float, open_sink: OpenSink
    ) -> None:
        self.path = path
        self._began = began
        self._open_sink = open_sink
        user, agent = encodings["user"], encodings["agent"]
        self._spools: dict[Channel, Spool] = {
            "user": _spool(UserTrack(user), user),
            "agent": _spool(AgentTrack(agent), agent),
        }
        self._sink: Sink | None = None
        self._taken_until = 0.0
        self._written = 0
        self._placed = 0
        self._dropped = 0
        self._broken = False

    def advance(self, pieces: list[Piece], now: float) -> None:
        """Places audio, and writes what lies so far back that it will not move any more.

        Never raises: what cannot be recorded must not end a call, nor other recordings.
        """
        try:
            self._place(pieces, now)
            self._write_until(now - self._began - HOLD_SECONDS)
        except Exception as failure:  # noqa: BLE001
            self._break(failure)

    def finish(self, pieces: list[Piece], now: float, dropped: int) -> Recorded | None:
        """Writes the rest; None where nothing could be. ``dropped``: pieces that never came here.

        What the agent would have said after ``now`` was not heard and is not in it.
        """
        try:
            self._place(pieces, now)
            self._place([("agent", b"", now)], now)
            ends = [spool.track.strip.end / spool.rate for spool in self._spools.values()]
            self._write_until(max(now - self._began, *ends))
            for spool in self._spools.values():
                spool.finish()
            self._write_ready(to_the_end=True)
        except Exception as failure:  # noqa: BLE001
            self._break(failure)
        self._close()
        seconds = self._written / RATE
        if self._broken and self._sink is not None:
            # What was written last may not have arrived.
            seconds = playable_seconds(self.path)
        if seconds == 0:
            return None
        return Recorded(
            file=self.path.name,
            uploaded_chunks=self._placed,
            dropped_chunks=self._dropped + dropped,
            duration_seconds=round(seconds, 3),
            incomplete=self._broken or self._dropped + dropped > 0,
        )

    def _place(self, pieces: list[Piece], now: float) -> None:
        if self._broken:
            self._dropped += len(pieces)
            return
        for channel, raw, at in pieces:
            spool = self._spools[channel]
            ahead = spool.track.strip.end / spool.rate - (now - self._began)
            if raw and ahead > AHEAD_SECONDS:
                self._dropped += 1
                continue
            spool.track.add(raw, max(0, round((at - self._began) * spool.rate)))
            self._placed += bool(raw)

    def _write_until(self, seconds: float) -> None:
        while not self._broken and self._taken_until < seconds:
            self._taken_until = min(seconds, self._taken_until + WRITE_SECONDS)
            for spool in self._spools.values():
                spool.take(self._taken_until)
            self._write_ready()

    def _write_ready(self, *, to_the_end: bool = False) -> None:
        """Writes as far as both channels are ready; in the end the shorter is filled up."""
        user, agent = (spool.ready for spool in self._spools.values())
        size = max(user.size, agent.size) if to_the_end else min(user.size, agent.size)
        if size == 0 or self._broken:
            return
        frames = np.zeros((size, 2), np.int16)
        for side, spool in enumerate(self._spools.values()):
            written, spool.ready = spool.ready[:size], spool.ready[size:]
            frames[: written.size, side] = written
        if self._sink is None:
            self._sink = self._open_sink(self.path)
        self._sink.write(frames)
        self._written += size

    def _break(self, failure: Exception) -> None:
        log.error("recording broke off", file=self.path.name, exc_info=failure)
        if not self._broken:
            metrics.RECORDINGS_BROKEN.inc()
        self._broken = True

    def _close(self) -> None:
        if self._sink is None:
            return
        try:
            self._sink.close()
        except Exception as failure:  # noqa: BLE001
            self._break(failure)


def _spool(track: UserTrack | AgentTrack, encoding: Encoding) -> Spool:
    return Spool(track, encoding.rate, Resampler(encoding.rate, RATE), np.zeros(0, np.int16))
