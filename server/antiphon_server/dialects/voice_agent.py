"""``/v1/ws``: conversation vocabulary to wire messages, and back.

Source: voice agent protocol, sections 2 and 4. Ids are the dialect's: the conversation counts
replies, the wire names them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
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
    SessionForbidden,
)
from antiphon_protocol.session_config import SessionConfig, SessionUpdate, Webhook
from antiphon_providers.interfaces import LanguageModel, ToolUse
from antiphon_server.call.chronicle import Owner
from antiphon_server.call.dialect import Frame
from antiphon_server.call.http_tools import HttpTarget
from antiphon_server.call.session import Session
from antiphon_server.call.settings import CallSettings
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.heard import TimedWord
from antiphon_server.dialects.call_settings import CallTimes, call_settings
from antiphon_server.dialects.session_update import apply, refuse_what_is_not_inline
from antiphon_server.observe import metrics


class Terms(Struct, frozen=True):
    """What an operator decides about this wire."""

    former_voices: bool = True
    session_seconds: int = 10_800
    resume_seconds: int = 30
    repeats_arguments: bool = False
    """``tool.call`` also has ``args``, for clients of earlier generations (section 9, row 27)."""
    tells_timeline: bool = False


class Bound(Struct, frozen=True):
    """What a stored agent brings into a session."""

    config: SessionConfig
    http: Mapping[str, HttpTarget]
    language_model: LanguageModel | None


class Host(Protocol):
    """What a session on this wire asks of the server around it."""

    async def bind(self, agent_id: str, /) -> Bound:
        """A stored agent. Raises ``AgentNotFound``."""
        ...

    async def seal(self, webhook: Webhook, /) -> bytes:
        """An inline webhook, checked and sealed. Raises ``InvalidWebhook``."""
        ...

    def admit(self, agent_id: str | None, webhook: bytes | None) -> Owner:
        """There is to be one more session. Raises ``Fatal`` errors where there is no room."""
        ...

    def trust(self, resume_token: str) -> None:
        """From now on this token, and no earlier one, is proof of the session."""
        ...


COMMITTED = (
    wire.SpeechStarted,
    wire.SpeechStopped,
    wire.UserTranscript,
    wire.ReplyStarted,
    wire.AgentTranscript,
    wire.ReplyDone,
    wire.ReplyError,
    wire.ToolCall,
)
"""What reaches the client whatever becomes of its socket; all else is of the moment."""


def session_id() -> str:
    """A new session's id."""
    return f"sess_{secrets.token_hex(16)}"


class VoiceAgent:
    """One session's translator."""

    def __init__(self, session: Session, terms: Terms, host: Host) -> None:
        self._session = session
        self._terms = terms
        self._host = host
        self._config = SessionConfig(session.session_id)
        self._bound: Bound | None = None
        self._expires_at = 0
        self._reply_ids: dict[int, tuple[str, str]] = {}
        self._user_item = _item_id()
        self._stamped = 0.0
        self._seq = 0

    # --- from the client -----------------------------------------------------------------

    async def receive(self, frame: str | bytes) -> wire.ResumeSession | None:
        """Takes one frame; whatever is wrong with it is told to the client here.

        A ``session.resume`` on a socket without a session is given back: another session is
        meant.
        """
        if self._session.is_over:
            return None
        try:
            if isinstance(frame, bytes):
                raise InvalidAudio
            message = codec.decode_client(frame)
            if isinstance(message, wire.ResumeSession) and not self._session.is_open:
                return message
            await self._take(message)
        except ProtocolError as error:
            self.refuse(error)
        return None

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

    async def _take(self, message: wire.FromClient) -> None:
        if isinstance(message, wire.SendAudio):
            # Decoded even when it is discarded, so that bad audio is an error at any time.
            raw = codec.decode_base64(message.audio)
            self._session.hear(raw)
        elif isinstance(message, wire.UpdateSession):
            update = message.session or SessionUpdate()
            await (self._update(update) if self._session.is_open else self._open(update))
        elif isinstance(message, wire.EndSession):
            self._end()
        elif not self._session.is_open:
            kind = message.__struct_config__.tag
            raise InvalidFormat(f"'{kind}' is not accepted before the first session.update")
        else:
            self._take_when_open(message)

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

    async def _open(self, update: SessionUpdate) -> None:
        """The first update: all of it counts, or nothing."""
        try:
            bound = await self._bind(update)
            config = bound.config if bound is not None else self._apply(update, first=True)
            webhook = update.webhook if isinstance(update.webhook, Webhook) else None
            sealed = None if webhook is None else await self._host.seal(webhook)
        except ProtocolError as error:
            raise error.on_first_update() from None
        agent_id = update.agent_id if isinstance(update.agent_id, str) else None
        owner = self._host.admit(agent_id, sealed)
        self._config, self._bound = config, bound
        self._expires_at = int(time.time()) + self._terms.session_seconds
        started = self._session.open(self._settings(), owner, msgspec.to_builtins(config))
        frames = self._frames(wire.SessionUpdated(config=config), self._ready())
        self._session.tell(frames, started)
        self._session.greet()

    async def _bind(self, update: SessionUpdate) -> Bound | None:
        refuse_what_is_not_inline(update, first=True)
        if not isinstance(update.agent_id, str):
            return None
        bound = await self._host.bind(update.agent_id)
        return replace(bound, config=replace(bound.config, id=self._session.session_id))

    async def _update(self, update: SessionUpdate) -> None:
        config = self._apply(update, first=False)
        self._config = config
        self._session.configure(self._settings(), msgspec.to_builtins(config))
        self._session.tell(self._frames(wire.SessionUpdated(config=config)))

    def _apply(self, update: SessionUpdate, *, first: bool) -> SessionConfig:
        return apply(self._config, update, first=first, former_voices=self._terms.former_voices)

    def _settings(self) -> CallSettings:
        times = CallTimes(self._terms.session_seconds * 1000, self._terms.resume_seconds * 1000)
        if self._bound is None:
            return call_settings(self._config, times)
        settings = call_settings(self._config, times, self._bound.http)
        return replace(settings, language_model=self._bound.language_model)

    def _ready(self) -> wire.SessionReady:
        """With a new proof for the next resume; the one before is good for nothing any more."""
        token = secrets.token_urlsafe(32)
        self._host.trust(token)
        return wire.SessionReady(
            session_id=self._config.id,
            expires_at=self._expires_at,
            resume_token=token,
            config=self._config,
        )

    # --- from the conversation -----------------------------------------------------------

    def speech_started(self) -> list[Frame]:
        """The user speaks; a new utterance begins, and with it a new item."""
        self._user_item = _item_id()
        return self._frames(wire.SpeechStarted())

    def item(self) -> str:
        """The item of the user's current utterance."""
        return self._user_item

    def new_item(self) -> str:
        """An item of its own."""
        return _item_id()

    def words(self, item: str, text: str) -> list[Frame]:
        """What was heard so far."""
        return self._frames(wire.UserTranscriptDelta(item_id=item, text=text))

    def speech_stopped(self) -> list[Frame]:
        """The user's turn is over."""
        return self._frames(wire.SpeechStopped())

    def user_said(self, item: str, text: str) -> list[Frame]:
        """The turn's words."""
        return self._frames(wire.UserTranscript(item_id=item, text=text))

    def reply_started(self, reply: int, _trigger: v.Trigger) -> list[Frame]:
        """A reply begins, under a new id."""
        reply_id, item_id = f"resp_{secrets.token_hex(16)}", _item_id()
        self._reply_ids = {reply: (reply_id, item_id)}
        return self._frames(wire.ReplyStarted(reply_id=reply_id, item_id=item_id))

    def names_of(self, reply: int) -> tuple[str, str]:
        """The id of the reply that was started last, and of its item."""
        return self._reply_ids[reply]

    def audio(self, reply: int, raw: bytes) -> str:
        """A frame of the reply's audio."""
        return codec.encode_reply_audio(self._reply_ids[reply][0], raw, self._stamp())

    def agent_words(self, reply: int, words: list[TimedWord], *, last: bool) -> list[Frame]:
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

    def agent_text(self, reply: int, words: list[str], *, last: bool) -> list[Frame]:
        """As ``agent_words``, without times: there is no audio (section 9, row 25)."""
        reply_id, item_id = self._reply_ids[reply]
        return self._frames(
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
            return self._frames(done)
        said = wire.AgentTranscript(
            reply_id=reply_id, item_id=item_id, text=text, interrupted=interrupted
        )
        return self._frames(said, done)

    def reply_failed(self, reply: int, failure: v.Failure) -> list[Frame]:
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

    def tool_call(self, use: ToolUse) -> list[Frame]:
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
    ) -> list[Frame]:
        """How long the stages of a turn took, for a client that asked."""
        if not self._terms.tells_timeline:
            return []
        return self._frames(
            wire.TurnTimeline(
                reply_id=self._reply_ids[reply][0],
                trigger=trigger,
                stages=stages,
                providers=providers,
            )
        )

    def returned(self) -> list[Frame]:
        """The session is ready once more, under the same id (section 4.11)."""
        return self._frames(self._ready())

    def taken_over(self) -> tuple[str, int]:
        """A terminal error: a client that took it for a lost socket would fight itself."""
        error = SessionForbidden("The session was resumed over a newer connection")
        told = wire.SessionError(
            code=error.code, message=error.message, session_id=self._session.session_id
        )
        (frame,) = self._frames(told)
        return frame.text, error.close_code or NORMAL

    def goodbye(
        self, ending: v.Ending, seconds: float, audio_seconds: float
    ) -> tuple[list[Frame], int]:
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

    def _frames(self, *messages: wire.ServerMessage) -> list[Frame]:
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
