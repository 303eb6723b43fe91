"""The wire, spoken by hand: a WebSocket library, JSON, and nothing of this project.

Follows the annotated session of the protocol (appendix A) with the embedded models: a greeting,
a turn that calls a tool, the spoken result, an interruption, the goodbye. Checked are the order
of events (sections 4.3, 4.4, 4.5, 4.8, 4.11), the fields of each (2.2, 2.3) and the ids (2).
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from antiphon_providers.contract.human_speech import clip
from end_to_end.product import to_say
from hostile.serving import Server

Event = dict[str, Any]

CHUNK_MS = 20
CHUNK = 960
"""Bytes of 20 ms of PCM at 24 kHz."""

PATIENCE_S = 20

FIELDS = {
    "session.updated": "config",
    "session.ready": "session_id expires_at resume_token config",
    "session.ended": "session_duration_seconds audio_duration_seconds",
    "input.speech.started": "",
    "input.speech.stopped": "",
    "transcript.user.delta": "item_id text",
    "transcript.user": "item_id text",
    "reply.started": "reply_id item_id",
    "reply.audio": "reply_id data",
    "transcript.agent.delta": "reply_id item_id delta start_ms end_ms",
    "transcript.agent": "reply_id item_id text interrupted",
    "reply.done": "reply_id status",
    "tool.call": "call_id name arguments",
}
"""Beside ``type`` and ``timestamp``; source: section 2.2."""

CONFIG = {
    "": "id system_prompt greeting input output tools llm pre_connect_requests",
    "input": "type format turn_detection keyterms transcription_mode continuous_partials "
    "transcription_prompt language_codes voice_focus voice_focus_threshold",
    "output": "type voice format volume",
}
"""Source: section 2.3."""

TOOL_FIELDS = (
    "type name description parameters timeout_seconds execution_mode http response_instructions "
    "deployment_id session_update image_tag"
)

LETTERS = {
    "session.updated": "U",
    "session.ready": "R",
    "session.ended": "E",
    "session.error": "X",
    "input.speech.started": "s",
    "transcript.user.delta": "w",
    "input.speech.stopped": "S",
    "transcript.user": "u",
    "reply.started": "r",
    "reply.audio": "a",
    "transcript.agent.delta": "d",
    "transcript.agent": "t",
    "reply.done": "D",
    "tool.call": "c",
}
"""So that an order can be written as a regular expression."""

SPOKEN = "ra[ad]*tD"
TURN = "sw*Su"
SESSION = f"UR{SPOKEN}{TURN}r[ad]*c[ad]*Dra[ad]*stDw*E"

RESULT = (
    "The lamp is on in the kitchen. The lamp is on in the hall. The lamp is on in the garden. "
    "The museum opens at nine in the morning."
)
SETTINGS = {
    "system_prompt": "You keep a diary.",
    "greeting": "Good evening.",
    "input": {"format": {"encoding": "audio/pcm", "sample_rate": 24000}},
    "output": {"voice": "alba", "format": {"encoding": "audio/pcm"}},
    "tools": [
        {
            "type": "function",
            "name": "note_season",
            "description": "Notes which season it was.",
            "parameters": {
                "type": "object",
                "properties": {"kind": {"type": "string", "enum": ["light", "darkness"]}},
                "required": ["kind"],
            },
        }
    ],
}


class Talker:
    """One socket: sends silence or speech without a pause, and keeps all that comes."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[Event] = []
        self._changed = asyncio.Condition()
        self._to_say = bytearray()

    async def send(self, **message: Any) -> None:
        """One message."""
        await self.socket.send(json.dumps(message))

    def say(self, name: str) -> None:
        """Speaks a clip from now on."""
        self._to_say += to_say(clip(name)).pcm

    async def listen(self) -> None:
        """Keeps events until the socket closes."""
        async for frame in self.socket:
            assert isinstance(frame, str)
            async with self._changed:
                self.events.append(json.loads(frame))
                self._changed.notify_all()

    async def microphone(self) -> None:
        """A chunk every 20 ms, as sound devices give them."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            chunk = bytes(self._to_say[:CHUNK]).ljust(CHUNK, b"\0")
            del self._to_say[:CHUNK]
            await self.send(type="input.audio", audio=base64.b64encode(chunk).decode())
            due += CHUNK_MS / 1000
            await asyncio.sleep(due - loop.time())

    async def until(self, holds: Callable[[list[Event]], bool]) -> None:
        """Waits until the events are such."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: holds(self.events))

    def of(self, kind: str) -> list[Event]:
        """The events of a type."""
        return [event for event in self.events if event["type"] == kind]


@asynccontextmanager
async def talking(server: Server) -> AsyncIterator[Talker]:
    """A socket whose events are kept."""
    async with connect(server.ws) as socket:
        talker = Talker(socket)
        listening = asyncio.create_task(talker.listen())
        try:
            yield talker
            await listening
        finally:
            listening.cancel()


async def converse(talker: Talker) -> None:
    """The client's part of appendix A."""
    await talker.send(type="session.update", session=SETTINGS)
    await talker.until(lambda events: any(one["type"] == "session.ready" for one in events))
    microphone = asyncio.create_task(talker.microphone())
    try:
        await talker.until(lambda _: len(talker.of("reply.done")) == 1)
        talker.say("darkness")
        await talker.until(lambda _: bool(talker.of("tool.call")))
        (call,) = talker.of("tool.call")
        await talker.send(
            type="tool.result", call_id=call["call_id"], result=RESULT, is_error=False
        )
        await talker.until(lambda _: len(talker.of("reply.started")) == 3)
        answer = talker.of("reply.started")[2]["reply_id"]
        await talker.until(
            lambda _: sum(one["reply_id"] == answer for one in talker.of("reply.audio")) > 50
        )
        talker.say("everything")
        await talker.until(lambda _: len(talker.of("reply.done")) == 3)
    finally:
        microphone.cancel()
        await asyncio.gather(microphone, return_exceptions=True)
    await talker.send(type="session.end")


@pytest.fixture(scope="module")
def session(server: Server) -> tuple[list[Event], int | None]:
    """All events of one session, and the close code."""

    async def hold() -> tuple[list[Event], int | None]:
        async with talking(server) as talker:
            await converse(talker)
        return talker.events, talker.socket.close_code

    return asyncio.run(hold())


Session = tuple[list[Event], int | None]


def of(session: Session, kind: str) -> list[Event]:
    """The events of a type."""
    return [event for event in session[0] if event["type"] == kind]


def test_events_come_in_the_order_of_the_protocol(session: Session) -> None:
    """Greeting, turn, tool, result, interruption, goodbye; then close code 1000."""
    order = "".join(LETTERS[event["type"]] for event in session[0])
    assert re.fullmatch(SESSION, order), order
    assert session[1] == 1000


def test_every_event_has_exactly_the_fields_of_the_protocol(session: Session) -> None:
    """No more, but for one that is ours, and no less; the time never runs back."""
    for event in session[0]:
        # `seq` is ours: it counts the events that outlive a socket.
        assert set(event) - {"seq"} == {"type", "timestamp", *FIELDS[event["type"]].split()}
        assert isinstance(event["timestamp"], float)
    times = [event["timestamp"] for event in session[0]]
    assert times == sorted(times)


def test_the_configuration_is_told_whole(session: Session) -> None:
    """Every key of section 2.3 with the value in effect, alike in both events."""
    (updated,), (ready,) = of(session, "session.updated"), of(session, "session.ready")
    config = ready["config"]
    assert config == updated["config"]
    for path, fields in CONFIG.items():
        assert set(config[path] if path else config) == set(fields.split()), path
    assert config["id"] == ready["session_id"]
    assert config["input"]["format"] == {"encoding": "audio/pcm", "sample_rate": 24000}
    assert config["output"]["format"] == {"encoding": "audio/pcm", "sample_rate": 24000}
    assert (config["output"]["voice"], config["greeting"]) == ("alba", "Good evening.")
    (tool,) = config["tools"]
    assert set(tool) == set(TOOL_FIELDS.split())
    assert (tool["timeout_seconds"], tool["execution_mode"]) == (120, "interactive")


def test_ids_have_their_shapes_and_belong_together(session: Session) -> None:
    """A reply's words carry the item its start announced; a user's words share one item."""
    (ready,) = of(session, "session.ready")
    assert re.fullmatch("sess_[0-9a-f]{32}", ready["session_id"])
    assert isinstance(ready["expires_at"], int)
    items = {one["reply_id"]: one["item_id"] for one in of(session, "reply.started")}
    for reply_id, item_id in items.items():
        assert re.fullmatch("resp_[0-9a-f]{32}", reply_id)
        assert re.fullmatch("msg_[0-9a-f]{32}", item_id)
    for kind in ("transcript.agent.delta", "transcript.agent"):
        assert all(items[one["reply_id"]] == one["item_id"] for one in of(session, kind))
    said = of(session, "transcript.user")[0]
    before = session[0][: session[0].index(said)]
    heard = [one for one in before if one["type"] == "transcript.user.delta"]
    assert {one["item_id"] for one in heard} == {said["item_id"]}
    (call,) = of(session, "tool.call")
    assert re.fullmatch("chatcmpl-tool-[0-9a-f]{16}", call["call_id"])


def test_words_and_arguments_are_those_spoken(session: Session) -> None:
    """Partial transcripts are cumulative; the tool's argument is an object with the caller's
    word; the agent's words, joined, are its transcript, each in its time.
    """
    said = of(session, "transcript.user")[0]
    assert "darkness" in said["text"].lower()
    (call,) = of(session, "tool.call")
    assert (call["name"], call["arguments"]) == ("note_season", {"kind": "darkness"})
    greeting = of(session, "reply.started")[0]["reply_id"]
    words = [one for one in of(session, "transcript.agent.delta") if one["reply_id"] == greeting]
    assert "".join(one["delta"] for one in words) == "Good evening."
    assert of(session, "transcript.agent")[0]["text"] == "Good evening."
    times = [time for one in words for time in (one["start_ms"], one["end_ms"])]
    assert all(isinstance(time, int) for time in times)
    assert times == sorted(times)


def test_an_interruption_is_told_in_one_go(session: Session) -> None:
    """The three events that end the reply come together, with what was said of it."""
    cut = of(session, "transcript.agent")[1]
    at = session[0].index(cut)
    started, _, done = session[0][at - 1 : at + 2]
    assert [started["type"], done["type"]] == ["input.speech.started", "reply.done"]
    assert (cut["interrupted"], done["status"]) == (True, "interrupted")
    assert done["timestamp"] - started["timestamp"] < 0.05
    assert RESULT.startswith(cut["text"])
    assert 0 < len(cut["text"]) < len(RESULT)
    assert all(one["status"] == "completed" for one in of(session, "reply.done")[:2])


def test_audio_is_whole_samples_in_small_messages(session: Session) -> None:
    """Far below the 1 MiB that client libraries accept."""
    for one in of(session, "reply.audio"):
        samples = base64.b64decode(one["data"], validate=True)
        assert len(samples) % 2 == 0
        assert len(samples) <= 48_000


REFUSED: list[tuple[str | bytes, str, str]] = [
    ('{"type":"input.text"}', "invalid_format", "Unknown message type: input.text"),
    ("not json", "invalid_format", "Invalid JSON format."),
    ('{"type":"tool.result"}', "invalid_format", "Invalid message format for type 'tool.result'"),
    ('{"type":"input.audio","audio":"*"}', "invalid_audio", "Invalid audio data"),
]


@pytest.mark.parametrize(("frame", "code", "message"), REFUSED)
async def test_a_bad_message_is_answered_and_the_session_stays(
    server: Server, frame: str, code: str, message: str
) -> None:
    """In the words of the protocol (section 2.1); what comes next is served."""
    async with talking(server) as talker:
        await talker.send(type="session.update", session={})
        await talker.socket.send(frame)
        await talker.send(type="session.end")
    (error,) = talker.of("session.error")
    assert (error["code"], error["message"]) == (code, message)
    assert set(error) >= {"type", "timestamp", "code", "message"}
    assert talker.events[-1]["type"] == "session.ended"
    assert talker.socket.close_code == 1000
