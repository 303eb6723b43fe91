"""Example messages: real instances, so that every example in the docs decodes.

``A_SESSION`` is one conversation from the first update to the end; ``OTHERS`` are the messages
that it does not happen to contain.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.session_config import (
    InputConfig,
    InputUpdate,
    OutputConfig,
    OutputUpdate,
    SessionConfig,
    SessionUpdate,
    Tool,
    ToolUpdate,
    TurnDetectionUpdate,
)

_SESSION_ID = "sess_" + "5e" * 16
_GREETING, _ANSWER, _SPOKEN = ("resp_" + digits * 16 for digits in ("a1", "b2", "c3"))
_HELLO, _USER, _NOTHING, _WEATHER = ("msg_" + digits * 16 for digits in ("a1", "d4", "b2", "c3"))
_CALL = "chatcmpl-tool-0123456789abcdef"
_SILENCE = "AAAAAA=="
_START = 1_790_000_000.0

_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
_PROMPT = "You answer questions about the weather in one sentence."
_DESCRIPTION = "The weather in a city, now."

_CONFIG = SessionConfig(
    id=_SESSION_ID,
    system_prompt=_PROMPT,
    greeting="Hello!",
    input=InputConfig(keyterms=("Antiphon",)),
    output=OutputConfig(voice="alba"),
    tools=(Tool(name="weather", description=_DESCRIPTION, parameters=_PARAMETERS),),
)


class Step(Struct, frozen=True):
    """One frame of a conversation and what is to be said about it."""

    message: wire.FromClient | wire.FromServer
    note: str

    @property
    def from_client(self) -> bool:
        """Whether the client sends it."""
        return isinstance(self.message, wire.ClientMessage)


A_SESSION = (
    Step(
        wire.UpdateSession(
            SessionUpdate(
                greeting="Hello!",
                input=InputUpdate(keyterms=("Antiphon",)),
                output=OutputUpdate(voice="alba"),
                system_prompt=_PROMPT,
                tools=(
                    ToolUpdate(
                        name="weather",
                        type="function",
                        description=_DESCRIPTION,
                        parameters=_PARAMETERS,
                    ),
                ),
            )
        ),
        "The server is silent until the first update, which freezes greeting, voice and formats.",
    ),
    Step(
        wire.SessionUpdated(timestamp=_START, config=_CONFIG),
        "Every accepted update is answered with the whole configuration.",
    ),
    Step(
        wire.SessionReady(
            timestamp=_START + 0.01,
            session_id=_SESSION_ID,
            expires_at=int(_START) + 10_800,
            resume_token="ask-the-server-for-one",  # noqa: S106 - an example, not a secret
            config=_CONFIG,
        ),
        "From here on audio counts.",
    ),
    Step(
        wire.ReplyStarted(timestamp=_START + 0.02, reply_id=_GREETING, item_id=_HELLO),
        "The greeting is a reply like any other.",
    ),
    Step(
        wire.ReplyAudio(timestamp=_START + 0.2, reply_id=_GREETING, data=_SILENCE),
        "Many of these, at the pace of speech.",
    ),
    Step(
        wire.AgentTranscriptDelta(
            timestamp=_START + 0.2,
            reply_id=_GREETING,
            item_id=_HELLO,
            delta="Hello!",
            start_ms=30,
            end_ms=420,
        ),
        "One word, with its place in the reply's audio.",
    ),
    Step(
        wire.AgentTranscript(
            timestamp=_START + 0.7,
            reply_id=_GREETING,
            item_id=_HELLO,
            text="Hello!",
            interrupted=False,
        ),
        "After the last audio of the reply.",
    ),
    Step(
        wire.ReplyDone(timestamp=_START + 0.7, reply_id=_GREETING, status="completed"),
        "Every `reply.started` has exactly one `reply.done`.",
    ),
    Step(
        wire.SendAudio(audio=_SILENCE),
        "Continuously, in pieces of any size; silence may be left out.",
    ),
    Step(wire.SpeechStarted(timestamp=_START + 4.6), "The user speaks."),
    Step(
        wire.UserTranscriptDelta(
            timestamp=_START + 5.6, item_id=_USER, text="what's the weather in"
        ),
        "The turn so far: replace what was shown before.",
    ),
    Step(wire.SpeechStopped(timestamp=_START + 7.0), "The turn has ended."),
    Step(
        wire.UserTranscript(
            timestamp=_START + 7.0, item_id=_USER, text="What's the weather in Oslo?"
        ),
        "Final.",
    ),
    Step(
        wire.ReplyStarted(timestamp=_START + 7.0, reply_id=_ANSWER, item_id=_NOTHING),
        "The model answers.",
    ),
    Step(
        wire.ToolCall(
            timestamp=_START + 7.4, call_id=_CALL, name="weather", arguments={"city": "Oslo"}
        ),
        "It calls a tool, inside the open reply.",
    ),
    Step(
        wire.GiveToolResult(call_id=_CALL, result='{"celsius":4,"sky":"clear"}'),
        "At once or after `reply.done`: both are accepted.",
    ),
    Step(
        wire.ReplyDone(timestamp=_START + 7.5, reply_id=_ANSWER, status="completed"),
        "Nothing was spoken, so there is no transcript.",
    ),
    Step(
        wire.ReplyStarted(timestamp=_START + 7.5, reply_id=_SPOKEN, item_id=_WEATHER),
        "The result starts the next reply by itself.",
    ),
    Step(
        wire.AgentTranscriptDelta(
            timestamp=_START + 8.0,
            reply_id=_SPOKEN,
            item_id=_WEATHER,
            delta="It's ",
            start_ms=40,
            end_ms=190,
        ),
        "A trailing space belongs to every word but the last.",
    ),
    Step(wire.SpeechStarted(timestamp=_START + 8.4), "The user cuts in: clear the playback."),
    Step(
        wire.AgentTranscript(
            timestamp=_START + 8.4,
            reply_id=_SPOKEN,
            item_id=_WEATHER,
            text="It's four",
            interrupted=True,
        ),
        "Only what was out.",
    ),
    Step(
        wire.ReplyDone(timestamp=_START + 8.4, reply_id=_SPOKEN, status="interrupted"),
        "No audio of this reply follows.",
    ),
    Step(wire.EndSession(), "Any time."),
    Step(
        wire.SessionEnded(
            timestamp=_START + 12.0, session_duration_seconds=11.99, audio_duration_seconds=11.4
        ),
        "The last message; then the socket closes with 1000.",
    ),
)

OTHERS: tuple[wire.FromClient | wire.FromServer, ...] = (
    wire.UpdateSession(
        SessionUpdate(
            input=InputUpdate(
                turn_detection=TurnDetectionUpdate(min_silence=600, max_silence=2000)
            ),
            output=OutputUpdate(volume=80),
        )
    ),
    wire.ResumeSession(session_id=_SESSION_ID),
    wire.CreateReply(instructions="Ask whether there is anything else."),
    wire.CancelReply(reply_id=_SPOKEN),
    wire.AddMessage(role="system", content="The caller is in Oslo."),
    wire.SessionError(
        timestamp=_START + 3.0,
        code="immutable_field",
        message="'output.voice' cannot be changed after the first session.update",
        param="output.voice",
        session_id=_SESSION_ID,
    ),
    wire.ReplyError(
        timestamp=_START + 9.0,
        reply_id=_ANSWER,
        code="llm_provider_error",
        message="The language model did not answer in time",
        retryable=True,
        status_code=503,
    ),
    wire.TurnTimeline(
        timestamp=_START + 9.0,
        reply_id=_SPOKEN,
        trigger="tool_result",
        stages={"language_model_first_token": 212.5, "text_to_speech_first_audio": 96.0},
        providers={"language_model": "dialogue", "text_to_speech": "espeak"},
    ),
)


def examples_of(kind: type[Struct]) -> list[Any]:
    """Examples of one kind of message as JSON objects, as the codec writes them."""
    messages = [step.message for step in A_SESSION] + list(OTHERS)
    texts = dict.fromkeys(codec.encode(message) for message in messages if type(message) is kind)
    return [msgspec.json.decode(text) for text in texts]
