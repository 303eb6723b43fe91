"""Flux as the fake speaks it: turns of scripted words, which lag behind the audio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.deepgram_nova import WORD_MS, is_loud

if TYPE_CHECKING:
    from fakes.deepgram import FakeDeepgram, Session

_LAG_MS = 160
"""Of audio behind a word, before the word is transcribed."""
_UPDATE_MS = 250
_EAGER_MS, _END_MS = 200, 400
"""Of silence, when eager ends are wanted and when the fake ends turns."""
_STEP_BYTES = 2560
_REQUEST = "5f7c1d4e-1f5e-4a53-9b0a-62d4f9a6c0de"


class Flux:
    """A connection: each stretch of speech is a turn, whose words are the next of ``turns``.

    A turn ends when it is forced to, after ``eot_timeout_ms``, or by itself where the fake
    ends turns.
    """

    def __init__(self, session: Session, fake: FakeDeepgram) -> None:
        self._session = session
        self._fake = fake
        self._eager = bool(session.parameter("eager_eot_threshold"))
        self._timeout_ms = float(session.parameter("eot_timeout_ms", "5000"))
        self._sequence = 0
        self._turn = 0
        self._at_ms = 0.0
        self._told_ms = 0.0
        self._window_ms = 0.0
        self._began_ms: float | None = None
        self._loud_ms = 0.0
        self._has_begun = False
        self._is_eager = False

    async def run(self) -> None:
        """From ``Connected`` to the end."""
        await self._say("Connected")
        while (received := await self._session.receive()) is not None:
            if isinstance(received, bytes):
                for at in range(0, len(received), _STEP_BYTES):
                    await self._hear(received[at : at + _STEP_BYTES])
            elif not await self._obey(received):
                return

    async def _obey(self, received: dict[str, Any]) -> bool:
        match received["type"]:
            case "ForceEndTurn":
                if self._has_begun:
                    await self._tell("EndOfTurn", 0.4, trigger="manual")
            case "Configure":
                await self._say(
                    "ConfigureSuccess",
                    request_id=_REQUEST,
                    thresholds=received.get("thresholds", {}),
                    keyterms=received.get("keyterms", []),
                )
            case "CloseStream":
                await self._session.connection.close(1000)
                return False
            case kind:
                words = f"Unknown message type: {kind}"
                await self._say("Error", code="UNPARSABLE_CLIENT_MESSAGE", description=words)
                await self._session.connection.close(1008, words)
                return False
        return True

    async def _hear(self, pcm: bytes) -> None:
        self._at_ms += len(pcm) / 32
        if is_loud(pcm):
            self._began_ms = self._at_ms if self._began_ms is None else self._began_ms
            self._loud_ms = self._at_ms
            if self._is_eager:
                self._is_eager = False
                await self._tell("TurnResumed", 0.1)
                return
        if not self._has_begun and self._text():
            self._has_begun = True
            await self._tell("StartOfTurn", 0.05)
        elif self._at_ms - self._told_ms >= _UPDATE_MS:
            await self._tell("Update", 0.6 if self._silence_ms() > _EAGER_MS else 0.1)
        if self._has_begun:
            await self._end()

    async def _end(self) -> None:
        """Ends the turn where it is silent for long."""
        silence = self._silence_ms()
        if self._fake.ends_turns and silence >= _END_MS:
            await self._tell("EndOfTurn", 0.9, trigger="model")
        elif silence >= self._timeout_ms:
            await self._tell("EndOfTurn", 0.3, trigger="timeout")
        elif self._eager and not self._is_eager and silence >= _EAGER_MS:
            self._is_eager = True
            await self._tell("EagerEndOfTurn", 0.65)

    def _silence_ms(self) -> float:
        return self._at_ms - self._loud_ms

    def _text(self) -> str:
        """What is transcribed: words in time, the rest once the speech is over."""
        if self._began_ms is None:
            return ""
        words = self._fake.turns[self._turn % len(self._fake.turns)].split()
        if self._silence_ms() >= _LAG_MS:
            return " ".join(words)
        known = int((self._at_ms - _LAG_MS - self._began_ms) / WORD_MS)
        return " ".join(words[: max(min(known, len(words) - 1), 0)])

    async def _tell(self, event: str, confidence: float, trigger: str | None = None) -> None:
        self._told_ms = self._at_ms
        text = self._text()
        words = [
            {
                "word": word,
                "confidence": 0.97,
                "start": self._window_ms / 1000,
                "end": self._at_ms / 1000,
            }
            for word in text.split()
        ]
        await self._say(
            "TurnInfo",
            event=event,
            turn_index=self._turn,
            audio_window_start=self._window_ms / 1000,
            audio_window_end=self._at_ms / 1000,
            transcript=text,
            words=words,
            end_of_turn_confidence=confidence,
            **({} if trigger is None else {"trigger": trigger}),
        )
        if event == "EndOfTurn":
            self._turn += 1
            self._window_ms = self._at_ms
            self._began_ms, self._has_begun, self._is_eager = None, False, False

    async def _say(self, kind: str, **fields: Any) -> None:
        said = {"request_id": _REQUEST, "sequence_id": self._sequence, **fields}
        self._sequence += 1
        await self._session.send(kind, **said)
