"""How much microphone audio a client may send: real time, with room for bursts."""

from __future__ import annotations

BURST_SECONDS = 10.0
"""Audio that may come at once: clients pad and catch up (protocol section 7.2)."""
SUSTAINED = 2.0
"""Seconds of audio for each second of the clock, in the long run."""
TELL_SECONDS = 5.0
"""A client that is too fast is told so no more often than this."""


class AudioAllowance:
    """A token bucket of seconds of audio."""

    def __init__(self, now: float) -> None:
        self._left = BURST_SECONDS
        self._asked_at = now
        self._told_at = float("-inf")

    def admits(self, seconds: float, now: float) -> bool:
        """Whether so much more audio may come now; what may not come is to be dropped."""
        self._left = min(BURST_SECONDS, self._left + SUSTAINED * (now - self._asked_at))
        self._asked_at = now
        if seconds > self._left:
            return False
        self._left -= seconds
        return True

    def should_tell(self, now: float) -> bool:
        """Whether it is time to tell the client again."""
        if now - self._told_at < TELL_SECONDS:
            return False
        self._told_at = now
        return True
