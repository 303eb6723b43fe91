"""What a caller of a load test hears: when sound came and whether it was in time.

Sound is not decoded. A piece's length follows from its base64, its beginning is its arrival;
``audible`` decodes the beginning of each reply until a sample can be heard.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from antiphon.sound import decode, first_audible
from antiphon_loadtest.notes import Notes
from antiphon_protocol import codec
from antiphon_protocol.audio import Encoding
from antiphon_protocol.errors import ProtocolError

AHEAD_S = 0.02
"""A player has one frame in its sound device: a piece that comes later than that after the last
one ended leaves a gap that is heard.
"""


class Told(Struct, frozen=True):
    """What a load test wants of a message; everything else is passed over."""

    type: str
    reply_id: str = ""
    status: str = ""
    call_id: str = ""
    code: str = ""
    seq: int | None = None
    data: Raw = Raw()


_decode = msgspec.json.Decoder(Told).decode


def told(frame: bytes) -> Told | None:
    """The message in a frame; None for what is none."""
    try:
        return _decode(frame)
    except codec.UNDECODABLE:
        return None


def size_of(data: Raw) -> int:
    """Bytes that a base64 text, in its quotes, stands for."""
    text = bytes(memoryview(data)[-4:])
    return max(0, (len(memoryview(data)) - 2) * 3 // 4 - text.count(b"="))


class Hearing:
    """One call's replies. Times are loop times in seconds.

    ``sound_at`` is when the reply at hand could first be heard, None before; ``replying`` is
    whether one is under way; ``done_at`` when the last one was over and ``interrupted`` whether
    it was cut; ``cut_at`` when the first one since
    ``listen_for_cut`` was (infinite: none); ``plays_until`` when the sound that has come ends.
    """

    def __init__(self, encoding: Encoding, notes: Notes, *, audible: bool = False) -> None:
        self.sound_at: float | None = None
        self.replying = False
        self.done_at = float("-inf")
        self.interrupted = False
        self.cut_at = float("inf")
        self.plays_until = 0.0
        self._encoding = encoding
        self._notes = notes
        self._audible = audible
        self._reply = ""
        self._flows = False
        self._failed = False

    @property
    def gave_something(self) -> bool:
        """Whether the reply at hand was heard, or failed and said so."""
        return self._failed or self.sound_at is not None

    def hear(self, message: Told, now: float) -> None:
        """Takes note of a message that came at ``now``."""
        if message.type == "reply.audio":
            self._hear_sound(message, now)
        elif message.type == "reply.started":
            self._begin(message.reply_id)
        elif message.type == "reply.done":
            self.replying, self.done_at = False, now
            self.interrupted = message.status == "interrupted"
            if self.interrupted:
                self.cut_at = min(self.cut_at, now)
                self.hush(now)
        elif message.type == "input.speech.started":
            self.hush(now)
        elif message.type == "reply.error":
            self._failed = True
            self._notes.errors[f"reply: {message.code or 'unknown'}"] += 1

    def listen_for_cut(self) -> None:
        """Somebody is going to speak over the reply: the next cut is theirs."""
        self.cut_at = float("inf")

    def hush(self, now: float) -> None:
        """What came ahead of its time is dropped, as a player does."""
        self.plays_until = min(self.plays_until, now)
        self._flows = False

    def lose(self) -> None:
        """The line is gone, and what was said on it."""
        self.replying, self.plays_until, self._flows = False, 0.0, False

    def _begin(self, reply_id: str) -> None:
        self._reply, self.replying = reply_id, True
        self.sound_at, self._flows, self._failed = None, False, False

    def _hear_sound(self, message: Told, now: float) -> None:
        if message.reply_id != self._reply:
            self._begin(message.reply_id)
        elif not self.replying:
            self._notes.errors["sound after reply.done"] += 1
            return
        self._notes.counts["pieces"] += 1
        if self._flows and now > self.plays_until + AHEAD_S:
            self._notes.counts["late"] += 1
            self._notes.counts["gap_ms"] += round(1000 * (now - self.plays_until))
        plays_at = max(now, self.plays_until)
        self.plays_until = plays_at + self._encoding.ms(size_of(message.data)) / 1000
        self._flows = True
        if self.sound_at is None:
            self.sound_at = self._heard_at(message, plays_at)

    def _heard_at(self, message: Told, plays_at: float) -> float | None:
        if not self._audible:
            return plays_at
        try:
            text = msgspec.json.decode(message.data, type=str)
            samples = codec.decode_base64(text)
        except (msgspec.MsgspecError, ProtocolError):
            self._notes.errors["sound that is not base64"] += 1
            return None
        index = first_audible(decode(samples, self._encoding))
        return None if index is None else plays_at + index / self._encoding.rate
