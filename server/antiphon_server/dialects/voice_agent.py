"""``/v1/ws``: conversation vocabulary to wire messages, and back.

Source: voice agent protocol, sections 2 and 4. Ids are the dialect's: the conversation counts
replies, the wire names them.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from msgspec import UNSET, Struct
from msgspec.structs import replace

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import (
    NORMAL,
    InternalError,
    InvalidAudio,
    InvalidFormat,
    ProtocolError,
    SessionExpired,
    SessionNotFound,
)
from antiphon_protocol.session_config import SessionConfig, SessionUpdate
from antiphon_providers.interfaces import ToolUse
from antiphon_server.call.session import Session
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.heard import TimedWord
from antiphon_server.dialects.call_settings import call_settings
from antiphon_server.dialects.session_update import apply
from antiphon_server.observe import metrics


class Terms(Struct, frozen=True):
    """What an operator decides about this wire."""

    former_voices: bool = True
    session_seconds: int = 10_800
    repeats_arguments: bool = False
    """``tool.call`` also has ``args``, for clients of earlier generations (section 9, row 27)."""


def session_id() -> str:
    """A new session's id."""
    return f"sess_{secrets.token_hex(16)}"


class VoiceAgent:
    """One socket's translator."""

    def __init__(self, session: Session, terms: Terms, *, tells_timeline: bool = False) -> None:
        self._session = session
        self._terms = terms
        self._tells_timeline = tells_timeline
        self._config = SessionConfig(session.session_id)
        self._reply_ids: dict[int, tuple[str, str]] = {}
        self._user_item = _item_id()
        self._stamped = 0.0

    # --- from the client -----------------------------------------------------------------

    def receive(self, frame: str | bytes) -> None:
        """Takes one frame; whatever is wrong with it is told to the client here."""
        if self._session.is_over:
            return
        try:
            if isinstance(frame, bytes):
                raise InvalidAudio
            self._take(codec.decode_client(frame))
        except ProtocolError as error:
            self.refuse(error)

    def refuse(self, error: ProtocolError) -> None:
        """Tells an error; a fatal one ends the session."""
        metrics.CLIENT_ERRORS.labels(error.code).inc()
        told = wire.SessionError(
            code=error.code,
            message=error.message,
            param=error.param,
            session_id=self._session.session_id,
        )
        if error.close_code is None:
            self._session.tell(self._frames(told))
        else:
            self._session.refuse(self._frames(told), error.close_code)

    def _take(self, message: wire.FromClient) -> None:
        if isinstance(message, wire.SendAudio):
            # Decoded even when it is discarded, so that bad audio is an error at any time.
            raw = codec.decode_base64(message.audio)
            self._session.hear(raw)
        elif isinstance(message, wire.UpdateSession):
            self._update(message.session or SessionUpdate())
        elif isinstance(message, wire.EndSession):
            self._end()
        elif not self._session.is_open:
            self._take_before_open(message)
        else:
            self._take_when_open(message)

    def _take_before_open(self, message: wire.FromClient) -> None:
        if isinstance(message, wire.ResumeSession):
            raise SessionNotFound
        kind = message.__struct_config__.tag
        raise InvalidFormat(f"'{kind}' is not accepted before the first session.update")

    def _take_when_open(self, message: wire.FromClient) -> None:
        session = self._session
        match message:
            case wire.CreateReply():
                session.notice(v.ReplyRequested(message.instructions))
            case wire.CancelReply():
                number = self._number_of(message.reply_id)
                if number is not None:
                    session.notice(v.ReplyCancelled(number))
            case wire.GiveToolResult():
                session.answer_tool(
                    message.call_id, message.result, is_error=bool(message.is_error)
                )
            case wire.AddMessage():
                session.add_message(message.role, message.content)
            case wire.ResumeSession():
                raise InvalidFormat("'session.resume' is accepted as a socket's first message only")

    def _end(self) -> None:
        if self._session.is_open:
            self._session.notice(v.EndRequested())
        else:
            self._session.refuse(self._frames(_ended(0.0, 0.0)), NORMAL)

    def _update(self, update: SessionUpdate) -> None:
        first = not self._session.is_open
        try:
            config = apply(
                self._config, update, first=first, former_voices=self._terms.former_voices
            )
        except ProtocolError as error:
            raise (error.on_first_update() if first else error) from None
        self._config = config
        settings = call_settings(config, self._terms.session_seconds * 1000)
        frames = self._frames(wire.SessionUpdated(config=config))
        if not first:
            self._session.tell(frames)
            self._session.configure(settings)
            return
        ready = wire.SessionReady(
            session_id=config.id,
            expires_at=int(time.time()) + self._terms.session_seconds,
            resume_token=secrets.token_urlsafe(32),
            config=config,
        )
        self._session.tell([*frames, *self._frames(ready)])
        self._session.open(settings)

    # --- from the conversation -----------------------------------------------------------

    def speech_started(self) -> list[str]:
        """The user speaks; a new utterance begins, and with it a new item."""
        self._user_item = _item_id()
        return self._frames(wire.SpeechStarted())

    def words(self, text: str) -> list[str]:
        """What was heard so far."""
        return self._frames(wire.UserTranscriptDelta(item_id=self._user_item, text=text))

    def speech_stopped(self) -> list[str]:
        """The user's turn is over."""
        return self._frames(wire.SpeechStopped())

    def user_said(self, text: str) -> list[str]:
        """The turn's words."""
        return self._frames(wire.UserTranscript(item_id=self._user_item, text=text))

    def reply_started(self, reply: int, _trigger: v.Trigger) -> list[str]:
        """A reply begins, under a new id."""
        reply_id, item_id = f"resp_{secrets.token_hex(16)}", _item_id()
        self._reply_ids = {reply: (reply_id, item_id)}
        return self._frames(wire.ReplyStarted(reply_id=reply_id, item_id=item_id))

    def audio(self, reply: int, raw: bytes) -> str:
        """A frame of the reply's audio."""
        return codec.encode_reply_audio(self._reply_ids[reply][0], raw, self._stamp())

    def agent_words(self, reply: int, words: list[TimedWord], *, last: bool) -> list[str]:
        """Words of the reply, each with a trailing space but the last (section 9, row 14)."""
        reply_id, item_id = self._reply_ids[reply]
        return self._frames(
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

    def reply_ended(self, reply: int, text: str, *, interrupted: bool) -> list[str]:
        """The reply's end; its transcript only where something of it was heard."""
        reply_id, item_id = self._reply_ids[reply]
        status = "interrupted" if interrupted else "completed"
        done = wire.ReplyDone(reply_id=reply_id, status=status)  # type: ignore[arg-type]
        if not text:
            return self._frames(done)
        said = wire.AgentTranscript(
            reply_id=reply_id, item_id=item_id, text=text, interrupted=interrupted
        )
        return self._frames(said, done)

    def reply_failed(self, reply: int, failure: v.Failure) -> list[str]:
        """Why the reply broke off."""
        return self._frames(
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

    def tool_call(self, use: ToolUse) -> list[str]:
        """The model calls a tool."""
        return self._frames(
            wire.ToolCall(
                call_id=use.call_id,
                name=use.name,
                arguments=use.arguments,
                args=use.arguments if self._terms.repeats_arguments else UNSET,
            )
        )

    def turn_timed(
        self, reply: int, trigger: v.Trigger, stages: dict[str, float], providers: dict[str, str]
    ) -> list[str]:
        """How long the stages of a turn took, for a client that asked."""
        if not self._tells_timeline:
            return []
        return self._frames(
            wire.TurnTimeline(
                reply_id=self._reply_ids[reply][0],
                trigger=trigger,
                stages=stages,
                providers=providers,
            )
        )

    def goodbye(
        self, ending: v.Ending, seconds: float, audio_seconds: float
    ) -> tuple[list[str], int]:
        """The last messages and the close code (section 4.11)."""
        ended = _ended(seconds, audio_seconds)
        if ending == "client_ended":
            return self._frames(ended), NORMAL
        error: ProtocolError = SessionExpired() if ending == "expired" else InternalError()
        told = wire.SessionError(
            code=error.code, message=error.message, session_id=self._session.session_id
        )
        return self._frames(told, ended), error.close_code or NORMAL

    # --- both ----------------------------------------------------------------------------

    def _frames(self, *messages: wire.ServerMessage) -> list[str]:
        stamp = self._stamp()
        return [codec.encode(replace(message, timestamp=stamp)) for message in messages]

    def _stamp(self) -> float:
        """Unix seconds that never run backwards, whatever the wall clock does."""
        self._stamped = max(self._stamped, time.time())
        return self._stamped

    def _number_of(self, reply_id: str) -> int | None:
        for number, (known, _item) in self._reply_ids.items():
            if known == reply_id:
                return number
        return None


def _item_id() -> str:
    return f"msg_{secrets.token_hex(16)}"


def _ended(seconds: float, audio_seconds: float) -> wire.SessionEnded:
    return wire.SessionEnded(
        session_duration_seconds=round(seconds, 3), audio_duration_seconds=round(audio_seconds, 3)
    )


def unauthorized(error: ProtocolError) -> str:
    """The one message to a client without a valid credential (section 1.3)."""
    metrics.SESSIONS_REFUSED.labels(error.code).inc()
    told: dict[str, Any] = {"code": error.code, "message": error.message}
    return codec.encode(wire.SessionError(timestamp=time.time(), **told))
