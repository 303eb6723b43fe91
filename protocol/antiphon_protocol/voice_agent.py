"""Every message of ``/v1/ws``: one class each, and two unions.

All frames are JSON text with a ``type``. Server messages carry ``timestamp``, Unix seconds as
a float. Field names and types follow the hosted schema exactly: third-party clients drop an
event in which a required field is missing.

Source: voice agent protocol, section 2.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Struct, UnsetType

from antiphon_protocol.errors import CODES
from antiphon_protocol.session_config import SessionConfig, SessionUpdate
from antiphon_protocol.units import one_of, says

_REPLY_ID = says("The reply: `resp_` and 32 hexadecimal digits.")
_ITEM_ID = says("The item of the conversation: `msg_` and 32 hexadecimal digits.")
_CALL_ID = says("The call of a tool.")
_CONFIG = says("The whole effective configuration.")
_SEQ = says(
    "Counts the events that outlive a lost socket, from 1 in a session; `last_seq` takes it. An "
    "extension."
)

# --- from the client ---------------------------------------------------------------------


class ClientMessage(Struct, frozen=True, tag_field="type"):
    """What a client may send; unknown extra fields are ignored."""


class UpdateSession(ClientMessage, tag="session.update", frozen=True):
    """Configures the session: first message, and any time later.

    Answered by ``session.updated`` (the first time followed by ``session.ready``) or by one
    ``session.error``, in which case nothing was applied.
    """

    session: Annotated[
        SessionUpdate | None, says("What to set; absent or null on the first: all defaults.")
    ] = None


class ResumeSession(ClientMessage, tag="session.resume", frozen=True):
    """Takes over a session whose socket was lost: first message on a new socket."""

    session_id: Annotated[str, says("From `session.ready` of the lost socket.")]
    last_seq: Annotated[
        int | UnsetType | None,
        says(
            "The highest `seq` received, so that nothing is sent twice. An extension; without it "
            "what may not have arrived is sent again."
        ),
    ] = UNSET


class EndSession(ClientMessage, tag="session.end", frozen=True):
    """Ends the session: answered by ``session.ended``, then close code 1000."""


class SendAudio(ClientMessage, tag="input.audio", frozen=True):
    """Microphone audio. Before ``session.ready`` it is discarded silently."""

    audio: Annotated[
        str, says("Base64 (standard alphabet, padded) of raw samples in the input encoding.")
    ]


class GiveToolResult(ClientMessage, tag="tool.result", frozen=True):
    """Answers a ``tool.call``; the next reply starts by itself."""

    call_id: Annotated[str, says("From the `tool.call`; an unknown one is ignored.")]
    result: Annotated[str, says("Any text; JSON by convention.")]
    is_error: Annotated[
        bool | None, says("True: the call failed and `result` says why; null is false.")
    ] = False


class CreateReply(ClientMessage, tag="reply.create", frozen=True):
    """Asks for a reply now, without waiting for the user to speak."""

    instructions: Annotated[
        str | None, says("Steers this reply only; not kept in the history.")
    ] = None


class CancelReply(ClientMessage, tag="reply.cancel", frozen=True):
    """Stops a reply; an unknown or finished one is ignored."""

    reply_id: Annotated[str, says("From its `reply.started`.")]


class AddMessage(ClientMessage, tag="conversation.message", frozen=True):
    """Adds to the history without an event and without a reply."""

    role: Annotated[Literal["user", "system"], says("Who says it.")]
    content: Annotated[str, says("What the model reads.")]


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


class SessionReady(ServerMessage, tag="session.ready", frozen=True):
    """The session listens; once per socket, after the first update or a resume."""

    session_id: Annotated[
        str, says("`sess_` and 32 hexadecimal digits; `session.resume` takes it.")
    ]
    expires_at: Annotated[int, says("When the session is cut: Unix seconds.")]
    resume_token: Annotated[str, says("Proof for `session.resume`; may be empty.")]
    config: Annotated[SessionConfig, _CONFIG]


class SessionUpdated(ServerMessage, tag="session.updated", frozen=True):
    """An update was accepted; the whole effective configuration."""

    config: Annotated[SessionConfig, _CONFIG]


class SessionEnded(ServerMessage, tag="session.ended", frozen=True):
    """The last event of a clean teardown."""

    session_duration_seconds: Annotated[float, says("Seconds from `session.ready` to the end.")]
    audio_duration_seconds: Annotated[float | None, says("Seconds of microphone audio received.")]


class SessionError(ServerMessage, tag="session.error", frozen=True):
    """Something the client sent, or the session itself, went wrong."""

    code: Annotated[str, one_of("What kind of error; see the table of errors.", CODES)]
    message: Annotated[str, says("What went wrong, for a person.")]
    param: Annotated[str | None, says("Path of the offending field, where there is one.")] = None
    session_id: Annotated[str | None, says("The session, once there is one.")] = None


class SpeechStarted(ServerMessage, tag="input.speech.started", frozen=True):
    """The user began to speak; while the agent speaks: an accepted interruption."""

    seq: Annotated[int | UnsetType, _SEQ] = UNSET


class SpeechStopped(ServerMessage, tag="input.speech.stopped", frozen=True):
    """The user's turn ended (the decision, not the acoustic end)."""

    seq: Annotated[int | UnsetType, _SEQ] = UNSET


class UserTranscriptDelta(ServerMessage, tag="transcript.user.delta", frozen=True):
    """What the user has said so far; cumulative: replace, never append."""

    item_id: Annotated[str, _ITEM_ID]
    text: Annotated[str, says("The whole turn so far.")]


class UserTranscript(ServerMessage, tag="transcript.user", frozen=True):
    """What the user said, final."""

    item_id: Annotated[str, says("The same as in the turn's deltas.")]
    text: Annotated[str, says("The whole turn, with punctuation.")]
    seq: Annotated[int | UnsetType, _SEQ] = UNSET


class ReplyStarted(ServerMessage, tag="reply.started", frozen=True):
    """A reply has begun; exactly one ``reply.done`` follows, unless the session ends first."""

    reply_id: Annotated[str, _REPLY_ID]
    item_id: Annotated[str, _ITEM_ID]
    seq: Annotated[int | UnsetType, _SEQ] = UNSET


class ReplyAudio(ServerMessage, tag="reply.audio", frozen=True):
    """A piece of the reply's sound."""

    reply_id: Annotated[str, _REPLY_ID]
    data: Annotated[str, says("Base64 of raw samples in the output encoding.")]


class AgentTranscriptDelta(ServerMessage, tag="transcript.agent.delta", frozen=True):
    """One word of the reply; append. A trailing space is part of all but the last word."""

    reply_id: Annotated[str, _REPLY_ID]
    item_id: Annotated[str, _ITEM_ID]
    delta: Annotated[str, says("One word.")]
    start_ms: Annotated[int | None, says("Milliseconds from the start of the reply's audio.")]
    end_ms: Annotated[int | None, says("Milliseconds from the start of the reply's audio.")]


class AgentTranscript(ServerMessage, tag="transcript.agent", frozen=True):
    """What the agent said, final; when interrupted, up to the last word that was out."""

    reply_id: Annotated[str, _REPLY_ID]
    item_id: Annotated[str, _ITEM_ID]
    text: Annotated[str, says("What was spoken.")]
    interrupted: Annotated[bool, says("Whether it was cut off.")]
    seq: Annotated[int | UnsetType, _SEQ] = UNSET


class ReplyDone(ServerMessage, tag="reply.done", frozen=True):
    """The reply is over; no ``reply.audio`` of it follows."""

    reply_id: Annotated[str, _REPLY_ID]
    status: Annotated[Literal["completed", "interrupted"], says("Whether it ended by itself.")]
    seq: Annotated[int | UnsetType, _SEQ] = UNSET


class ReplyError(ServerMessage, tag="reply.error", frozen=True):
    """The reply failed; ``reply.done`` follows and the session goes on."""

    reply_id: Annotated[str, _REPLY_ID]
    code: Annotated[str, says("An open set, such as `llm_provider_error`.")]
    message: Annotated[str, says("What went wrong, for a person.")]
    retryable: Annotated[bool, says("Whether asking again may help.")]
    status_code: Annotated[int | None, says("HTTP status of the provider.")] = None
    provider_code: Annotated[str | None, says("The provider's own code.")] = None
    provider_param: Annotated[str | None, says("The parameter the provider names.")] = None
    seq: Annotated[int | UnsetType, _SEQ] = UNSET


class ToolCall(ServerMessage, tag="tool.call", frozen=True):
    """The model calls a tool; answer with ``tool.result``.

    A tool whose ``http`` in the configuration is not null is run by the server: its call is
    sent for information, and an answer is ignored.
    """

    call_id: Annotated[str, _CALL_ID]
    name: Annotated[str, says("Which tool.")]
    arguments: Annotated[dict[str, Any], says("An object in the shape of its `parameters`.")]
    args: Annotated[
        dict[str, Any] | UnsetType,
        says("A copy of `arguments`, on `/v1/realtime` and `/v1/voice` only."),
    ] = UNSET
    seq: Annotated[int | UnsetType, _SEQ] = UNSET


class TurnTimeline(ServerMessage, tag="turn.timeline", frozen=True):
    """How long each stage of a turn took. An extension: sent only to a socket opened with
    ``?timeline=1``.
    """

    reply_id: Annotated[str, _REPLY_ID]
    trigger: Annotated[
        Literal["greeting", "user_speech", "tool_result", "reply_create"],
        says("What the reply answers."),
    ]
    stages: Annotated[
        dict[str, float], says("Milliseconds by stage; the stages are those of `/metrics`.")
    ]
    providers: Annotated[dict[str, str], says("Which provider served each stage.")]
    reasons: Annotated[
        dict[str, str],
        says("Why it was that one, of stages where several could have served: in a few words."),
    ] = {}


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
