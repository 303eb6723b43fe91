"""What happens in a call, as ``async for event in call`` yields it.

The events are the messages of the protocol, under the protocol's names, with two exceptions:
sound arrives as ``ReplyAudio`` with its samples decoded, and a message of a type this version
does not know arrives as ``UnknownEvent`` with everything it carried. Two more tell of the line
itself: ``Dropped`` and ``Resumed``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from antiphon_protocol import codec
from antiphon_protocol.voice_agent import (
    AgentTranscript,
    AgentTranscriptDelta,
    FromServer,
    ReplyDone,
    ReplyError,
    ReplyStarted,
    SessionEnded,
    SessionReady,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    TurnTimeline,
    UserTranscript,
    UserTranscriptDelta,
)
from antiphon_protocol.voice_agent import ReplyAudio as ReplyAudioMessage
from antiphon_protocol.voice_agent import SessionError as SessionErrorEvent


class ReplyAudio(msgspec.Struct, frozen=True):
    """A piece of a reply's sound.

    ``samples`` are raw bytes in the call's output encoding; ``received_at`` is the event
    loop's time, in seconds, at which the piece arrived; ``timestamp`` the server's, in Unix
    seconds.
    """

    reply_id: str
    samples: bytes
    received_at: float
    timestamp: float = 0.0


class UnknownEvent(msgspec.Struct, frozen=True):
    """A message of a type this version does not know; ``fields`` is the whole message."""

    type: str
    fields: dict[str, Any]


class Dropped(msgspec.Struct, frozen=True):
    """The socket was lost and the call tries to come back; until ``Resumed`` nothing is heard
    on either side. A reply that was in flight is over: its ``ReplyDone`` follows.

    ``close_code`` is the WebSocket close code, None where the transport vanished without one.
    """

    close_code: int | None


class Resumed(msgspec.Struct, frozen=True):
    """The call is back on a new socket, ``away_s`` seconds after the old one was lost.

    What the server had to say for good meanwhile follows: transcripts, tool calls.
    """

    away_s: float


__all__ = [
    "AgentTranscript",
    "AgentTranscriptDelta",
    "Dropped",
    "Event",
    "ReplyAudio",
    "ReplyDone",
    "ReplyError",
    "ReplyStarted",
    "Resumed",
    "SessionEnded",
    "SessionErrorEvent",
    "SessionReady",
    "SessionUpdated",
    "SpeechStarted",
    "SpeechStopped",
    "ToolCall",
    "TurnTimeline",
    "UnknownEvent",
    "UserTranscript",
    "UserTranscriptDelta",
    "event_of",
]

Event = (
    SessionReady
    | SessionUpdated
    | SessionEnded
    | SessionErrorEvent
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
    | UnknownEvent
    | Dropped
    | Resumed
)
"""Everything a call yields."""


def event_of(frame: str | bytes, received_at: float) -> Event:
    """The event in one text frame that arrived at ``received_at`` (loop time in seconds).

    Raises ``antiphon_protocol.errors.ProtocolError`` for a frame that is not a message, or a
    ``reply.audio`` whose data is not base64.
    """
    message: FromServer | None = codec.decode_server(frame)
    if message is None:
        fields: dict[str, Any] = msgspec.json.decode(frame)
        return UnknownEvent(fields["type"], fields)
    if isinstance(message, ReplyAudioMessage):
        samples = codec.decode_base64(message.data)
        return ReplyAudio(message.reply_id, samples, received_at, message.timestamp)
    return message
