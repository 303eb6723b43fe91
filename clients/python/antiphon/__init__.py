"""Talk to a voice agent server from Python::

    import antiphon

    async with antiphon.connect("ws://127.0.0.1:8400", system_prompt="Be brief.") as call:
        async for event in call:
            print(event)

Depends on msgspec, pybase64 and websockets. The guide is docs/sdk.md.
"""

from antiphon.call import Call
from antiphon.connection import connect
from antiphon.errors import (
    AgentNotFound,
    AntiphonError,
    AtCapacity,
    CannotConnect,
    ConcurrencyExceeded,
    ConnectionLost,
    FellBehind,
    InternalError,
    InvalidSettings,
    InvalidTool,
    NoSoundDevice,
    SessionError,
    SessionExpired,
    SessionForbidden,
    SessionNotFound,
    TimedOut,
    Unauthorized,
    UnusableAudio,
)
from antiphon.events import (
    AgentTranscript,
    AgentTranscriptDelta,
    Dropped,
    Event,
    ReplyAudio,
    ReplyDone,
    ReplyError,
    ReplyStarted,
    Resumed,
    SessionEnded,
    SessionErrorEvent,
    SessionReady,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    TurnTimeline,
    UnknownEvent,
    UserTranscript,
    UserTranscriptDelta,
)
from antiphon.playback import Playback
from antiphon.settings import SessionSettings
from antiphon.sound_device import Microphone, Speaker
from antiphon.tools import ToolFailed, Tools
from antiphon_protocol import __version__
from antiphon_protocol.session_config import ResponseInstructions, TurnDetectionUpdate, Webhook

TurnDetection = TurnDetectionUpdate

__all__ = [
    "AgentNotFound",
    "AgentTranscript",
    "AgentTranscriptDelta",
    "AntiphonError",
    "AtCapacity",
    "Call",
    "CannotConnect",
    "ConcurrencyExceeded",
    "ConnectionLost",
    "Dropped",
    "Event",
    "FellBehind",
    "InternalError",
    "InvalidSettings",
    "InvalidTool",
    "Microphone",
    "NoSoundDevice",
    "Playback",
    "ReplyAudio",
    "ReplyDone",
    "ReplyError",
    "ReplyStarted",
    "ResponseInstructions",
    "Resumed",
    "SessionEnded",
    "SessionError",
    "SessionErrorEvent",
    "SessionExpired",
    "SessionForbidden",
    "SessionNotFound",
    "SessionReady",
    "SessionSettings",
    "SessionUpdated",
    "Speaker",
    "SpeechStarted",
    "SpeechStopped",
    "TimedOut",
    "ToolCall",
    "ToolFailed",
    "Tools",
    "TurnDetection",
    "TurnTimeline",
    "Unauthorized",
    "UnknownEvent",
    "UnusableAudio",
    "UserTranscript",
    "UserTranscriptDelta",
    "Webhook",
    "__version__",
    "connect",
]
