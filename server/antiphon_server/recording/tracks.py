"""Where audio lies on the time line of a recording. Pure: samples in, samples out.

A track covers the time from its beginning without a hole: where nothing was said there is
silence. Positions count samples at the rate of the track's encoding, from the beginning of the
recording; samples are int16 mono.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from antiphon_protocol.audio import PCM, Encoding
from antiphon_server.call.sound import Samples, decode

EXACT_MS = 5
"""Times of playback are computed, not measured: what differs by less is rounding."""
JITTER_MS = 200
"""A microphone's audio that comes so much late is the next of a stream, not after a pause."""
ASTRAY_MS = 40
"""A stream that is this far from its arrival is brought back, where nobody speaks."""
STEADY_MS = 100
"""The spread of a second's arrivals at most, before their distance is taken for a fact."""
WATCHED_MS = 1_000
QUIET = 330
"""The peak of audio in which nothing is said: 40 dB below full scale."""
DRIFT = 0.0005
"""By how much a client's clock may be faster than ours: 500 ppm, a poor sound card."""


class Strip:
    """Samples without a hole, from ``begin`` (what was taken before is gone) to ``end``."""

    def __init__(self) -> None:
        self.begin = 0
        self.end = 0
        self.padded = 0
        """Silence that was put in, in samples."""
        self._pieces: deque[Samples] = deque()

    def put(self, samples: Samples) -> None:
        """More audio, right behind the last."""
        self._pieces.append(samples)
        self.end += samples.size

    def pad(self, until: int) -> None:
        """Silence up to a position; nothing where that is covered."""
        if until > self.end:
            self.padded += until - self.end
            self.put(np.zeros(until - self.end, np.int16))

    def cut(self, at: int) -> None:
        """Forgets what lies behind a position; what was taken stays."""
        at = max(at, self.begin)
        while self.end > at:
            last = self._pieces.pop()
            self.end -= last.size
            if self.end < at:
                self.put(last[: at - self.end])

    def take(self, until: int) -> Samples:
        """The audio up to a position, which must not lie before ``begin``."""
        self.pad(until)
        taken = []
        while self.begin < until:
            first = self._pieces.popleft()
            wanted = until - self.begin
            if first.size > wanted:
                self._pieces.appendleft(first[wanted:])
                first = first[:wanted]
            taken.append(first)
            self.begin += first.size
        return np.concatenate(taken) if taken else np.zeros(0, np.int16)


class AgentTrack:
    """What the agent says, each piece at the time at which it is played."""

    def __init__(self, encoding: Encoding) -> None:
        self.strip = Strip()
        self._encoding = encoding
        self._slack = encoding.rate * EXACT_MS // 1000

    def add(self, raw: bytes, at: int) -> None:
        """Audio in the wire's encoding; it replaces what was to be played from then on."""
        if at > self.strip.end + self._slack:
            self.strip.pad(at)
        elif at < self.strip.end - self._slack:
            self.strip.cut(at)
        self.strip.put(decode(raw, self._encoding))


class UserTrack:
    """What the microphone hears, each piece at the time at which it arrived, or near it.

    A stream stays whole: what comes a little late is put right behind the last, and so is what
    comes early, as from a client that sends a file at once. After a pause audio lies where it
    arrived. What came after a stall of the network looks like that too, and then all of the
    stream lies late; that is mended in moments in which nothing is said, as is the drift of
    the client's clock.
    """

    def __init__(self, encoding: Encoding) -> None:
        self.strip = Strip()
        self._encoding = encoding
        self._half_sample = b""
        self._until = 0
        """Where the last audio ended; the strip may have been taken from since."""
        self._arrivals: deque[tuple[int, int]] = deque()
        """Of the last second: when a piece arrived, and how much later than it was expected."""
        self._drift = 0.0
        self._dropped = 0

    def add(self, raw: bytes, at: int) -> None:
        """Audio in the wire's encoding, of any length."""
        if self._encoding.name == PCM.name:
            raw = self._half_sample + raw
            whole = len(raw) - len(raw) % 2
            raw, self._half_sample = raw[:whole], raw[whole:]
        samples = decode(raw, self._encoding)
        late = at - self._until
        if late > self._samples(JITTER_MS):
            self.strip.pad(at)
            self._arrivals.clear()
        else:
            samples = self._mended(samples, at, late)
        self._drift += samples.size * DRIFT
        self.strip.put(samples)
        self._until = self.strip.end

    def _mended(self, samples: Samples, at: int, late: int) -> Samples:
        """Follows the arrivals; gives back the samples without those that are too many."""
        arrivals = self._arrivals
        arrivals.append((at, late))
        while at - arrivals[0][0] > self._samples(WATCHED_MS):
            arrivals.popleft()
        if at - arrivals[0][0] < self._samples(WATCHED_MS) * 0.8:
            return samples
        lates = [one for _, one in arrivals]
        least, most = min(lates), max(lates)
        astray = self._samples(ASTRAY_MS)
        if most - least > self._samples(STEADY_MS) or -astray <= (least + most) / 2 <= astray:
            return samples
        if np.abs(samples.astype(np.int32)).max(initial=0) > QUIET:
            return samples
        if least > 0:
            self.strip.pad(self.strip.end + least)
            self._moved(least)
        elif most < 0:
            # No more than may be too much: a client may also have sent a file ahead of time.
            too_much = self.strip.padded + int(self._drift) - self._dropped
            dropped = min(-most, samples.size, too_much)
            samples = samples[dropped:]
            self._moved(-dropped)
            self._dropped += dropped
        return samples

    def _moved(self, by: int) -> None:
        """The stream lies later now."""
        self._arrivals = deque((at, late - by) for at, late in self._arrivals)

    def _samples(self, ms: int) -> int:
        return self._encoding.rate * ms // 1000
