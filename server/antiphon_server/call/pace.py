"""How much a client may send: audio in real time and messages at a pace, with room for bursts."""

from __future__ import annotations

BURST_SECONDS = 10.0
"""Audio that may come at once: clients pad and catch up (protocol section 7.2)."""
SUSTAINED = 2.0
"""Seconds of audio for each second of the clock, in the long run."""
TELL_SECONDS = 5.0
"""A client that is too fast is told so no more often than this."""
MESSAGE_SECONDS = 0.002
"""What a message takes of a second; the shortest frames that clients send, of 5.3 ms of audio,
come 188 times in one (section 7.2).
"""
BYTES_PER_SECOND = 1_000_000
"""Microphone audio comes with 64,000."""
SAVED_SECONDS = 4.0
"""What may be taken at once: 2,000 messages, or four of the largest."""


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


class MessageAllowance:
    """A token bucket of time: a client that sends more is read no faster, so that one client
    can neither take the event loop from the others nor fill the disk with what it says.
    """

    def __init__(self, now: float) -> None:
        self._owed_until = now - SAVED_SECONDS

    def is_spent(self, now: float) -> bool:
        """Whether the next message is not to be read yet."""
        return self._owed_until > now

    def wait(self, size: int, now: float) -> float:
        """Seconds until the message after this one, of so many bytes, is to be read."""
        cost = MESSAGE_SECONDS + size / BYTES_PER_SECOND
        self._owed_until = max(self._owed_until, now - SAVED_SECONDS) + cost
        return max(0.0, self._owed_until - now)
