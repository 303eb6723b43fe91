"""``/v1/ws``: conversation vocabulary to wire messages.

Source: voice agent protocol, sections 2 and 4. Ids are the dialect's: the conversation counts
replies, the wire names them.
"""

from __future__ import annotations

import secrets
import time
from typing import get_args

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import (
    NORMAL,
    InternalError,
    ProtocolError,
    SessionExpired,
    SessionForbidden,
)
from antiphon_providers.interfaces import ToolUse
from antiphon_server.arguments.grounding import Extent
from antiphon_server.call.dialect import Frame
from antiphon_server.call.timeline import Timed
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.heard import TimedWord


class Terms(Struct, frozen=True):
    """What an operator decides about this wire."""

    former_voices: bool = True
    session_seconds: int = 10_800
    resume_seconds: int = 30
    grounding: Extent = "identifiers"
    repeats_arguments: bool = False
    """``tool.call`` also has ``args``, for clients of earlier generations (section 9, row 27)."""
    tells_timeline: bool = False


COMMITTED = tuple(kind for kind in get_args(wire.FromServer) if "seq" in kind.__struct_fields__)
"""What reaches the client whatever becomes of its socket; all else is of the moment."""


class Wording:
    """How one session's conversation is put into words of the wire."""

    def __init__(self, session_id: str, terms: Terms) -> None:
        self._session_id = session_id
        self._terms = terms
        self._reply_ids: dict[int, tuple[str, str]] = {}
        self._user_item = _item_id()
        self._stamped = 0.0
        self._seq = 0

    def speech_started(self) -> list[Frame]:
        """The user speaks; a new utterance begins, and with it a new item."""
        self._user_item = _item_id()
        return self.frames(wire.SpeechStarted())

    def item(self) -> str:
        """The item of the user's current utterance."""
        return self._user_item

    def new_item(self) -> str:
        """An item of its own."""
        return _item_id()

    def words(self, item: str, text: str) -> list[Frame]:
        """What was heard so far."""
        return self.frames(wire.UserTranscriptDelta(item_id=item, text=text))

    def speech_stopped(self) -> list[Frame]:
        """The user's turn is over."""
        return self.frames(wire.SpeechStopped())

    def user_said(self, item: str, text: str) -> list[Frame]:
        """The turn's words."""
        return self.frames(wire.UserTranscript(item_id=item, text=text))

    def reply_started(self, reply: int, _trigger: v.Trigger) -> list[Frame]:
        """A reply begins, under a new id."""
        reply_id, item_id = f"resp_{secrets.token_hex(16)}", _item_id()
        self._reply_ids = {reply: (reply_id, item_id)}
        return self.frames(wire.ReplyStarted(reply_id=reply_id, item_id=item_id))

    def names_of(self, reply: int) -> tuple[str, str]:
        """The id of the reply that was started last, and of its item."""
        return self._reply_ids[reply]

    def audio(self, reply: int, raw: bytes) -> str:
        """A frame of the reply's audio."""
        return codec.encode_reply_audio(self._reply_ids[reply][0], raw, self._stamp())

    def agent_words(self, reply: int, words: list[TimedWord], *, last: bool) -> list[Frame]:
        """Words of the reply, each with a trailing space but the last (section 9, row 14)."""
        reply_id, item_id = self._reply_ids[reply]
        return self.frames(
            *(
                wire.AgentTranscriptDelta(
                    reply_id=reply_id,
                    item_id=item_id,
                    delta=word.text if last and word is words[-1] else f"{word.text} ",
                    start_ms=word.start_ms,
                    end_ms=word.end_ms,
                )
                for word in words
            )
        )

    def agent_text(self, reply: int, words: list[str], *, last: bool) -> list[Frame]:
        """As ``agent_words``, without times: there is no audio (section 9, row 25)."""
        reply_id, item_id = self._reply_ids[reply]
        return self.frames(
            *(
                wire.AgentTranscriptDelta(
                    reply_id=reply_id,
                    item_id=item_id,
                    delta=word if last and index == len(words) - 1 else f"{word} ",
                    start_ms=None,
                    end_ms=None,
                )
                for index, word in enumerate(words)
            )
        )

    def reply_ended(self, reply: int, text: str, *, interrupted: bool) -> list[Frame]:
        """The reply's end; its transcript only where something of it was heard."""
        reply_id, item_id = self._reply_ids[reply]
        status = "interrupted" if interrupted else "completed"
        done = wire.ReplyDone(reply_id=reply_id, status=status)  # type: ignore[arg-type]
        if not text:
            return self.frames(done)
        said = wire.AgentTranscript(
            reply_id=reply_id, item_id=item_id, text=text, interrupted=interrupted
        )
        return self.frames(said, done)

    def reply_failed(self, reply: int, failure: v.Failure) -> list[Frame]:
        """Why the reply broke off."""
        return self.frames(
            wire.ReplyError(
                reply_id=self._reply_ids[reply][0],
                code=failure.code,
                message=failure.message,
                retryable=failure.retryable,
                status_code=failure.status_code,
                provider_code=failure.provider_code,
                provider_param=failure.provider_param,
            )
        )

    def tool_call(self, use: ToolUse) -> list[Frame]:
        """The model calls a tool."""
        return self.frames(
            wire.ToolCall(
                call_id=use.call_id,
                name=use.name,
                arguments=use.arguments,
                args=use.arguments if self._terms.repeats_arguments else UNSET,
            )
        )

    def turn_timed(self, reply: int, timed: Timed) -> list[Frame]:
        """How long the stages of a turn took, for a client that asked."""
        if not self._terms.tells_timeline:
            return []
        return self.frames(
            wire.TurnTimeline(
                reply_id=self._reply_ids[reply][0],
                trigger=timed.trigger,
                stages=timed.stages,
                providers=timed.providers,
                reasons=timed.reasons,
            )
        )

    def again(self, frame: Frame) -> Frame:
        """The same event, stamped anew: the stamps of a socket never run backwards."""
        event = msgspec.json.decode(frame.text)
        event["timestamp"] = self._stamp()
        return Frame(msgspec.json.encode(event).decode(), frame.seq)

    def taken_over(self) -> tuple[str, int]:
        """A terminal error: a client that took it for a lost socket would fight itself."""
        error = SessionForbidden("The session was resumed over a newer connection")
        told = wire.SessionError(
            code=error.code, message=error.message, session_id=self._session_id
        )
        (frame,) = self.frames(told)
        return frame.text, error.close_code or NORMAL

    def goodbye(
        self, ending: v.Ending, seconds: float, audio_seconds: float
    ) -> tuple[list[Frame], int]:
        """The last messages and the close code (section 4.11)."""
        ended = ended_message(seconds, audio_seconds)
        if ending == "client_ended":
            return self.frames(ended), NORMAL
        error: ProtocolError = SessionExpired() if ending == "expired" else InternalError()
        told = wire.SessionError(
            code=error.code, message=error.message, session_id=self._session_id
        )
        return self.frames(told, ended), error.close_code or NORMAL

    def frames(self, *messages: wire.ServerMessage) -> list[Frame]:
        """Messages as frames, stamped, and numbered where they are committed."""
        return [self._frame(message, self._stamp()) for message in messages]

    def _frame(self, message: wire.ServerMessage, stamp: float) -> Frame:
        if not isinstance(message, COMMITTED):
            return Frame(codec.encode(replace(message, timestamp=stamp)))
        self._seq += 1
        return Frame(codec.encode(replace(message, timestamp=stamp, seq=self._seq)), self._seq)

    def _stamp(self) -> float:
        """Unix seconds that never run backwards, whatever the wall clock does."""
        self._stamped = max(self._stamped, time.time())
        return self._stamped

    def number_of(self, reply_id: str) -> int | None:
        """The reply of that id, while it is the newest."""
        for number, (known, _item) in self._reply_ids.items():
            if known == reply_id:
                return number
        return None


def _item_id() -> str:
    return f"msg_{secrets.token_hex(16)}"


def ended_message(seconds: float, audio_seconds: float) -> wire.SessionEnded:
    """The last event of a session."""
    return wire.SessionEnded(
        session_duration_seconds=round(seconds, 3), audio_duration_seconds=round(audio_seconds, 3)
    )
