"""What happens in a call, as ``async for event in call`` yields it.

The events are the messages of the protocol, under the protocol's names, with two exceptions:
sound arrives as ``ReplyAudio`` with its samples decoded, and a message of a type this version
does not know arrives as ``UnknownEvent`` with everything it carried.
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


__all__ = [
    "AgentTranscript",
    "AgentTranscriptDelta",
    "Event",
    "ReplyAudio",
    "ReplyDone",
    "ReplyError",
    "ReplyStarted",
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
