"""An agent that answers by rule: its only clock is the microphone audio it is given.

Loud audio is speech; enough quiet audio after it ends the turn; the answer is a tone after a
little silence, one piece of it for each chunk of audio that arrives. The same agent sits
behind a socket (``fake_server``) and on a line without one (``scripted_line``).
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterator

from antiphon.sound import decode, encode, first_audible
from antiphon_protocol import codec
from antiphon_protocol.audio import PCM, Encoding
from antiphon_protocol.voice_agent import (
    AgentTranscript,
    AgentTranscriptDelta,
    ReplyAudio,
    ReplyDone,
    ReplyStarted,
    ServerMessage,
    SpeechStarted,
    SpeechStopped,
    TurnTimeline,
    UserTranscript,
)

STAGES = {"endpointing": 60.0, "server_overhead": 2.0, "response": 90.0}


def tone(ms: float, rate: int = PCM.rate, loudness: int = 8000) -> bytes:
    """A 400 Hz tone as int16 PCM."""
    count = int(rate * ms / 1000)
    step = 2 * math.pi * 400 / rate
    return array("h", [int(loudness * math.sin(step * index)) for index in range(count)]).tobytes()


def silence(ms: float, rate: int = PCM.rate) -> bytes:
    """Nothing, as int16 PCM."""
    return bytes(2 * int(rate * ms / 1000))


class FakeAgent:
    """Answers each utterance with the next of ``answers``; ``heard`` are its transcripts.

    ``patience_ms`` of quiet end a turn; the answer is ``silent_ms`` of nothing and then
    ``sound_ms`` of tone. ``late`` sends a piece of an interrupted reply after its end, which a
    server must not do. ``voiced_ms`` is how long the latest utterance was.
    """

    def __init__(
        self, heard: Iterator[str], *, patience_ms: float = 60, silent_ms: float = 20,
        sound_ms: float = 100, late: bool = False, encoding: Encoding = PCM,
    ) -> None:  # fmt: skip
        self.heard = heard
        self.patience_ms = patience_ms
        self.silent_ms = silent_ms
        self.sound_ms = sound_ms
        self.late = late
        self.encoding = encoding
        self.voiced_ms = 0.0
        self._speaking = False
        self._quiet_ms = 0.0
        self._replies = 0
        self._left: deque[bytes] = deque()

    def hear(self, samples: bytes) -> list[ServerMessage]:
        """What the agent does about a chunk of microphone audio in its encoding."""
        loud = first_audible(decode(samples, self.encoding)) is not None
        said: list[ServerMessage] = []
        if loud:
            said += self._hear_voice()
            self.voiced_ms += self.encoding.ms(len(samples))
        elif self._speaking:
            self._quiet_ms += self.encoding.ms(len(samples))
            if self._quiet_ms >= self.patience_ms:
                said += self._take_turn()
        return said + self._go_on()

    def _hear_voice(self) -> list[ServerMessage]:
        self._quiet_ms = 0.0
        if self._speaking:
            return []
        self._speaking = True
        self.voiced_ms = 0.0
        return [SpeechStarted(), *self._interrupt()]

    def _interrupt(self) -> list[ServerMessage]:
        if not self._left:
            return []
        late = self._audio(self._left[-1]) if self.late else None
        self._left.clear()
        name, item = self._names()
        ending: list[ServerMessage] = [
            AgentTranscript(reply_id=name, item_id=item, text="Well,", interrupted=True),
            ReplyDone(reply_id=name, status="interrupted"),
        ]
        return ending if late is None else [*ending, late]

    def greet(self) -> list[ServerMessage]:
        """Begins to speak before anybody else has."""
        name, item = self._begin()
        return [ReplyStarted(reply_id=name, item_id=item)]

    def _begin(self) -> tuple[str, str]:
        self._replies += 1
        pieces = [silence(20)] * int(self.silent_ms / 20) + [tone(20)] * int(self.sound_ms / 20)
        self._left.extend(pieces)
        return self._names()

    def _take_turn(self) -> list[ServerMessage]:
        self._speaking = False
        name, item = self._begin()
        return [
            SpeechStopped(),
            UserTranscript(item_id=f"msg_u{self._replies}", text=next(self.heard)),
            ReplyStarted(reply_id=name, item_id=item),
            TurnTimeline(
                reply_id=name,
                trigger="user_speech",
                stages=STAGES,
                providers={"speech_to_text": "rule"},
            ),
        ]

    def _go_on(self) -> list[ServerMessage]:
        if not self._left:
            return []
        said: list[ServerMessage] = [self._audio(self._left.popleft())]
        if not self._left:
            name, item = self._names()
            said += [
                AgentTranscriptDelta(
                    reply_id=name, item_id=item, delta="Well, indeed.", start_ms=20, end_ms=120
                ),
                AgentTranscript(
                    reply_id=name, item_id=item, text="Well, indeed.", interrupted=False
                ),
                ReplyDone(reply_id=name, status="completed"),
            ]
        return said

    def _audio(self, pcm: bytes) -> ReplyAudio:
        name, _ = self._names()
        data = codec.encode_reply_audio(name, encode(pcm, self.encoding), 0.0)
        message = codec.decode_server(data)
        assert isinstance(message, ReplyAudio)
        return message

    def _names(self) -> tuple[str, str]:
        return f"resp_{self._replies}", f"msg_{self._replies}"
