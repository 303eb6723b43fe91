"""``/v1/ws``: conversation vocabulary to wire messages, and back.

Source: voice agent protocol, sections 2 and 4. Ids are the dialect's: the conversation counts
replies, the wire names them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import (
    NORMAL,
    InvalidAudio,
    InvalidFormat,
    ProtocolError,
)
from antiphon_protocol.session_config import SessionConfig, SessionUpdate
from antiphon_providers.interfaces import LanguageModel
from antiphon_server.call.chronicle import Owner
from antiphon_server.call.dialect import Frame
from antiphon_server.call.http_tools import HttpTarget
from antiphon_server.call.services import Services
from antiphon_server.call.session import Session
from antiphon_server.call.settings import CallSettings
from antiphon_server.conversation import vocabulary as v
from antiphon_server.dialects.call_settings import NO_TARGETS, CallTimes, call_settings
from antiphon_server.dialects.session_update import apply, check_sizes, refuse_what_is_not_inline
from antiphon_server.dialects.wording import Terms, Wording, ended_message
from antiphon_server.observe import metrics

_AUDIO, _NEAR = "input.audio", 40
"""Where a frame of audio says what it is: so many characters from one of its ends."""


class Bound(Struct, frozen=True):
    """What a stored agent brings into a session."""

    config: SessionConfig
    http: Mapping[str, HttpTarget]
    language_model: LanguageModel | None
    services: Services | None = None
    """With the providers of the agent's own, where it has some."""
    release: Callable[[], None] | None = None
    """The call needs those no more."""


class Host(Protocol):
    """What a session on this wire asks of the server around it."""

    async def bind(self, agent_id: str, /) -> Bound:
        """A stored agent. Raises ``AgentNotFound``."""
        ...

    async def seal(self, webhook: Any, /) -> bytes:
        """An inline webhook, a JSON value, checked and sealed. Raises ``InvalidWebhook``."""
        ...

    def admit(self, agent_id: str | None, webhook: bytes | None) -> Owner:
        """There is to be one more session. Raises ``Fatal`` errors where there is no room."""
        ...

    def trust(self, resume_token: str) -> Callable[[], None]:
        """From now on this token is proof of the session too; once what is given back is
        called, no earlier one is.
        """
        ...


def session_id() -> str:
    """A new session's id."""
    return f"sess_{secrets.token_hex(16)}"


class VoiceAgent(Wording):
    """One session's translator, both ways."""

    def __init__(self, session: Session, terms: Terms, host: Host) -> None:
        super().__init__(session.session_id, terms)
        self._session = session
        self._host = host
        self._config = SessionConfig(session.session_id)
        self._bound: Bound | None = None
        self._expires_at = 0

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

    def hear(self, frame: str) -> bool:
        """Takes one frame if it is audio for a session that is open, and tells what is wrong with
        it; any other is for ``receive`` (False).
        """
        if self._session.is_over or not self._session.is_open:
            return False
        if _AUDIO not in frame[:_NEAR] and _AUDIO not in frame[-_NEAR:]:
            return False
        try:
            message = codec.decode_client(frame)
            if not isinstance(message, wire.SendAudio):
                return False
            self._session.hear(codec.decode_base64(message.audio))
        except ProtocolError as error:
            self.refuse(error)
        return True

    def refuse(self, error: ProtocolError) -> None:
        """Tells an error; a fatal one ends the session."""
        metrics.CLIENT_ERRORS.labels(error.code).inc()
        self._session.refused(error)
        told = wire.SessionError(
            code=error.code,
            message=error.message,
            param=error.param,
            session_id=self._session.session_id,
        )
        if error.close_code is None:
            self._session.tell(self.frames(told))
        else:
            self._session.refuse(self.frames(told), error.close_code)

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
                number = self.number_of(message.reply_id)
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
            self._session.refuse(self.frames(ended_message(0.0, 0.0)), NORMAL)

    async def _open(self, update: SessionUpdate) -> None:
        """The first update: all of it counts, or nothing."""
        try:
            bound = await self._bind(update)
            config = bound.config if bound is not None else self._apply(update, first=True)
            webhook = None if update.webhook is UNSET else update.webhook
            sealed = None if webhook is None else await self._host.seal(webhook)
        except ProtocolError as error:
            raise error.on_first_update() from None
        if self._session.is_over:
            # The server stopped while something was looked up.
            return
        agent_id = update.agent_id if isinstance(update.agent_id, str) else None
        owner = self._host.admit(agent_id, sealed)
        self._config, self._bound = config, bound
        self._expires_at = int(time.time()) + self._terms.session_seconds
        services = None if bound is None else bound.services
        started = self._session.open(self._settings(), owner, msgspec.to_builtins(config), services)
        frames = [*self.frames(wire.SessionUpdated(config=config)), self._ready()]
        self._session.tell(frames, started)
        self._session.greet()

    async def _bind(self, update: SessionUpdate) -> Bound | None:
        refuse_what_is_not_inline(update, first=True)
        if not isinstance(update.agent_id, str):
            return None
        bound = await self._host.bind(update.agent_id)
        check_sizes(bound.config)
        return replace(bound, config=replace(bound.config, id=self._session.session_id))

    async def _update(self, update: SessionUpdate) -> None:
        config = self._apply(update, first=False)
        # An update that changes nothing is how a page asks whether the server is still there.
        if config != self._config:
            self._config = config
            self._session.configure(self._settings(), msgspec.to_builtins(config))
        self._session.tell(self.frames(wire.SessionUpdated(config=config)))

    def _apply(self, update: SessionUpdate, *, first: bool) -> SessionConfig:
        return apply(self._config, update, first=first, former_voices=self._terms.former_voices)

    def _settings(self) -> CallSettings:
        terms, bound = self._terms, self._bound
        times = CallTimes(terms.session_seconds * 1000, terms.resume_seconds * 1000)
        http = NO_TARGETS if bound is None else bound.http
        return replace(
            call_settings(self._config, times, http),
            grounding=terms.grounding,
            language_model=None if bound is None else bound.language_model,
        )

    def _ready(self) -> Frame:
        """With a new proof for the next resume. The one before is good until this has arrived:
        it is all that the client has if it loses this socket too.
        """
        token = secrets.token_urlsafe(32)
        arrived = self._host.trust(token)
        ready = wire.SessionReady(
            session_id=self._config.id,
            expires_at=self._expires_at,
            resume_token=token,
            config=self._config,
        )
        (frame,) = self.frames(ready)
        return replace(frame, taken=arrived)

    def returned(self) -> list[Frame]:
        """The session is ready once more, under the same id (section 4.11)."""
        return [self._ready()]


def unauthorized(error: ProtocolError) -> str:
    """The one message to a client without a valid credential (section 1.3)."""
    metrics.SESSIONS_REFUSED.labels(error.code).inc()
    told: dict[str, Any] = {"code": error.code, "message": error.message}
    return codec.encode(wire.SessionError(timestamp=time.time(), **told))
