"""What a caller hears: each reply, its words, and the moment it could be heard."""

from __future__ import annotations

from antiphon.events import (
    AgentTranscript,
    Event,
    ReplyAudio,
    ReplyDone,
    ReplyError,
    ReplyStarted,
    SpeechStarted,
    TurnTimeline,
    UserTranscript,
)
from antiphon.sound import decode, first_audible
from antiphon_protocol.audio import PCM, Encoding


class HeardReply:
    """One reply as it reached the caller; times are loop times in seconds.

    ``audible_at`` is when its first sample that is not silence would leave the speaker of a
    player that buffers nothing, so that neither leading silence nor sound sent ahead of time
    counts as an answer. ``late_pieces`` counts sound that came after ``reply.done``, which a
    server must not send (protocol section 4.8); ``unheard_ms`` is sound that was sent ahead and
    dropped because of an interruption.
    """

    def __init__(self, reply_id: str, started_at: float) -> None:
        self.reply_id = reply_id
        self.started_at = started_at
        self.audible_at: float | None = None
        self.last_audio_at: float | None = None
        self.done_at: float | None = None
        self.interrupted = False
        self.late_pieces = 0
        self.unheard_ms = 0.0
        self.text = ""
        self.error: str | None = None
        self.pcm = bytearray()
        self.timeline: TurnTimeline | None = None

    @property
    def over(self) -> bool:
        """Whether ``reply.done`` has come."""
        return self.done_at is not None

    @property
    def gave_something(self) -> bool:
        """Whether it was heard, or failed and said so; a tool's silent preamble did neither."""
        return self.audible_at is not None or self.error is not None


class Ear:
    """Listens to the events of a call.

    ``keeps_sound`` stores the replies' samples (as int16 PCM at the encoding's rate) for a
    recording.
    """

    def __init__(self, encoding: Encoding = PCM, *, keeps_sound: bool = False) -> None:
        self.encoding = encoding
        self.replies: list[HeardReply] = []
        self.transcripts: list[tuple[float, str]] = []
        self.speech_started_at: list[float] = []
        self.plays_until = 0.0
        self._keeps_sound = keeps_sound
        self._by_id: dict[str, HeardReply] = {}

    def hear(self, event: Event, now: float) -> None:
        """Takes note of an event that came at ``now``, loop time in seconds."""
        if isinstance(event, ReplyAudio):
            self._hear_audio(event)
        elif isinstance(event, SpeechStarted):
            self.speech_started_at.append(now)
            self._hush(now)
        elif isinstance(event, UserTranscript):
            self.transcripts.append((now, event.text))
        elif isinstance(
            event, ReplyStarted | ReplyDone | ReplyError | AgentTranscript | TurnTimeline
        ):
            self._hear_about(event, self._reply(event.reply_id, now), now)

    def _hear_about(
        self,
        event: ReplyStarted | ReplyDone | ReplyError | AgentTranscript | TurnTimeline,
        reply: HeardReply,
        now: float,
    ) -> None:
        if isinstance(event, ReplyDone):
            reply.done_at = now
            reply.interrupted = event.status == "interrupted"
            if reply.interrupted:
                self._hush(now)
        elif isinstance(event, AgentTranscript):
            reply.text = event.text
        elif isinstance(event, ReplyError):
            reply.error = f"{event.code}: {event.message}"
        elif isinstance(event, TurnTimeline):
            reply.timeline = event

    def _hear_audio(self, event: ReplyAudio) -> None:
        now = event.received_at
        reply = self._reply(event.reply_id, now)
        if reply.over:
            reply.late_pieces += 1
            reply.last_audio_at = now
            return
        pcm = decode(event.samples, self.encoding)
        plays_at = max(now, self.plays_until)
        self.plays_until = plays_at + self.encoding.ms(len(event.samples)) / 1000
        reply.last_audio_at = now
        if reply.audible_at is None and (index := first_audible(pcm)) is not None:
            reply.audible_at = plays_at + index / self.encoding.rate
        if self._keeps_sound:
            reply.pcm += pcm

    def _hush(self, now: float) -> None:
        """What was sent ahead and not played yet is dropped, as a player would."""
        if self.replies and self.plays_until > now:
            self.replies[-1].unheard_ms += (self.plays_until - now) * 1000
        self.plays_until = min(self.plays_until, now)
        for reply in self.replies:
            if reply.audible_at is not None and reply.audible_at > now:
                reply.audible_at = None

    def _reply(self, reply_id: str, now: float) -> HeardReply:
        if reply_id not in self._by_id:
            reply = HeardReply(reply_id, now)
            self._by_id[reply_id] = reply
            self.replies.append(reply)
        return self._by_id[reply_id]
