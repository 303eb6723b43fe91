"""Every message of ``/v1/ws``: one class each, and two unions.

All frames are JSON text with a ``type``. Server messages carry ``timestamp``, Unix seconds as
a float. Field names and types follow the hosted schema exactly: third-party clients drop an
event in which a required field is missing.

Source: voice agent protocol, section 2.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Struct

from antiphon_protocol.session_config import SessionConfig, SessionUpdate
from antiphon_protocol.units import says

# --- from the client ---------------------------------------------------------------------


class ClientMessage(Struct, frozen=True, tag_field="type"):
    """What a client may send; unknown extra fields are ignored."""


class UpdateSession(ClientMessage, tag="session.update"):
    """Configures the session: first message, and any time later.

    Answered by ``session.updated`` (the first time followed by ``session.ready``) or by one
    ``session.error``, in which case nothing was applied.
    """

    session: SessionUpdate | None = None


class ResumeSession(ClientMessage, tag="session.resume"):
    """Takes over a session whose socket was lost: first message on a new socket."""

    session_id: str


class EndSession(ClientMessage, tag="session.end"):
    """Ends the session: answered by ``session.ended``, then close code 1000."""


class SendAudio(ClientMessage, tag="input.audio"):
    """Microphone audio. Before ``session.ready`` it is discarded silently."""

    audio: Annotated[
        str, says("Base64 (standard alphabet, padded) of raw samples in the input encoding.")
    ]


class GiveToolResult(ClientMessage, tag="tool.result"):
    """Answers a ``tool.call``; the next reply starts by itself."""

    call_id: str
    result: Annotated[str, says("Any text; JSON by convention.")]
    is_error: bool = False


class CreateReply(ClientMessage, tag="reply.create"):
    """Asks for a reply now, without waiting for the user to speak."""

    instructions: Annotated[
        str | None, says("Steers this reply only; not kept in the history.")
    ] = None


class CancelReply(ClientMessage, tag="reply.cancel"):
    """Stops a reply; an unknown or finished one is ignored."""

    reply_id: str


class AddMessage(ClientMessage, tag="conversation.message"):
    """Adds to the history without an event and without a reply."""

    role: Literal["user", "system"]
    content: str


FromClient = (
    UpdateSession
    | ResumeSession
    | EndSession
    | SendAudio
    | GiveToolResult
    | CreateReply
    | CancelReply
    | AddMessage
)

# --- from the server ---------------------------------------------------------------------


class ServerMessage(Struct, frozen=True, tag_field="type", kw_only=True):
    """What the server may send."""

    timestamp: Annotated[float, says("When it was sent: Unix seconds.")] = 0.0


class SessionReady(ServerMessage, tag="session.ready"):
    """The session listens; once per socket, after the first update or a resume."""

    session_id: str
    expires_at: Annotated[int, says("When the session is cut: Unix seconds.")]
    resume_token: Annotated[str, says("Proof for `session.resume`; may be empty.")]
    config: SessionConfig


class SessionUpdated(ServerMessage, tag="session.updated"):
    """An update was accepted; the whole effective configuration."""

    config: SessionConfig


class SessionEnded(ServerMessage, tag="session.ended"):
    """The last event of a clean teardown."""

    session_duration_seconds: float
    audio_duration_seconds: Annotated[float | None, says("Seconds of microphone audio received.")]


class SessionError(ServerMessage, tag="session.error"):
    """Something the client sent, or the session itself, went wrong."""

    code: Annotated[str, says("One of the codes of section 5.1; see the table of errors.")]
    message: str
    param: Annotated[str | None, says("Path of the offending field, where there is one.")] = None
    session_id: str | None = None


class SpeechStarted(ServerMessage, tag="input.speech.started"):
    """The user began to speak; while the agent speaks: an accepted interruption."""


class SpeechStopped(ServerMessage, tag="input.speech.stopped"):
    """The user's turn ended (the decision, not the acoustic end)."""


class UserTranscriptDelta(ServerMessage, tag="transcript.user.delta"):
    """What the user has said so far; cumulative: replace, never append."""

    item_id: str
    text: str


class UserTranscript(ServerMessage, tag="transcript.user"):
    """What the user said, final."""

    item_id: str
    text: str


class ReplyStarted(ServerMessage, tag="reply.started"):
    """A reply has begun; exactly one ``reply.done`` follows, unless the session ends first."""

    reply_id: str
    item_id: str


class ReplyAudio(ServerMessage, tag="reply.audio"):
    """A piece of the reply's sound."""

    reply_id: str
    data: Annotated[str, says("Base64 of raw samples in the output encoding.")]


class AgentTranscriptDelta(ServerMessage, tag="transcript.agent.delta"):
    """One word of the reply; append. A trailing space is part of all but the last word."""

    reply_id: str
    item_id: str
    delta: str
    start_ms: Annotated[int | None, says("Milliseconds from the start of the reply's audio.")]
    end_ms: Annotated[int | None, says("Milliseconds from the start of the reply's audio.")]


class AgentTranscript(ServerMessage, tag="transcript.agent"):
    """What the agent said, final; when interrupted, up to the last word that was out."""

    reply_id: str
    item_id: str
    text: str
    interrupted: bool


class ReplyDone(ServerMessage, tag="reply.done"):
    """The reply is over; no ``reply.audio`` of it follows."""

    reply_id: str
    status: Literal["completed", "interrupted"]


class ReplyError(ServerMessage, tag="reply.error"):
    """The reply failed; ``reply.done`` follows and the session goes on."""

    reply_id: str
    code: str
    message: str
    retryable: bool
    status_code: int | None = None
    provider_code: str | None = None
    provider_param: str | None = None


class ToolCall(ServerMessage, tag="tool.call"):
    """The model calls a tool; answer with ``tool.result``."""

    call_id: str
    name: str
    arguments: dict[str, Any]


class TurnTimeline(ServerMessage, tag="turn.timeline"):
    """How long each stage of a turn took. An extension: sent only to a socket opened with
    ``?timeline=1``.
    """

    reply_id: str
    trigger: Annotated[
        Literal["greeting", "user_speech", "tool_result", "reply_create"],
        says("What the reply answers."),
    ]
    stages: Annotated[
        dict[str, float], says("Milliseconds by stage; the stages are those of `/metrics`.")
    ]
    providers: Annotated[dict[str, str], says("Which provider served each stage.")]


FromServer = (
    SessionReady
    | SessionUpdated
    | SessionEnded
    | SessionError
    | SpeechStarted
    | SpeechStopped
    | UserTranscriptDelta
    | UserTranscript
    | ReplyStarted
    | ReplyAudio
    | AgentTranscriptDelta
    | AgentTranscript
    | ReplyDone
    | ReplyError
    | ToolCall
    | TurnTimeline
)
