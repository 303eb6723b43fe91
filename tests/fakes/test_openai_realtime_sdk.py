"""The fake Realtime API is what the vendor's own SDK speaks with.

The SDK's extra asks for an older ``websockets`` in its metadata; it runs with ours.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from pydantic import BaseModel
from websockets.exceptions import InvalidStatus

from fakes.openai_realtime import KEY, FakeOpenAIRealtime, Fault
from fakes.openai_realtime_response import RATE, Answer

SPEECH = (8000 * np.sin(np.arange(RATE) / 20)).astype(np.int16).tobytes()
"""A second of it."""
MANUAL: Any = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAIRealtime]:
    """The vendor."""
    async with FakeOpenAIRealtime() as vendor:
        yield vendor


@asynccontextmanager
async def connected(
    fake: FakeOpenAIRealtime, key: str = KEY, **query: Any
) -> AsyncIterator[AsyncRealtimeConnection]:
    """The SDK's connection."""
    client = AsyncOpenAI(api_key=key, base_url=f"http://127.0.0.1:{fake.port}/v1")
    async with client, client.realtime.connect(**query) as connection:
        yield connection


async def events(connection: AsyncRealtimeConnection, last: str) -> list[Any]:
    """What the SDK understood, up to an event of this type."""
    received: list[Any] = []
    async with asyncio.timeout(10):
        async for event in connection:
            assert isinstance(event, BaseModel)
            # What it builds, it builds leniently: this checks it.
            type(event).model_validate(event.model_dump(warnings=False))
            received.append(event)
            if event.type == last:
                return received
    raise AssertionError("the connection ended")


async def test_a_spoken_turn_is_answered_in_words_and_sound(fake: FakeOpenAIRealtime) -> None:
    """Audio is committed, transcribed and answered; every event has the SDK's shape."""
    fake.answers = [Answer("Hello you.")]
    async with connected(fake, model="gpt-realtime-2.1") as connection:
        input_: Any = {"turn_detection": None, "transcription": {"model": "whisper-1"}}
        await connection.session.update(session={"type": "realtime", "audio": {"input": input_}})
        await connection.input_audio_buffer.append(audio=base64.b64encode(SPEECH).decode())
        await connection.input_audio_buffer.commit()
        heard = (await events(connection, f"{TRANSCRIPTION}.completed"))[-1]
        assert heard.transcript == "Hello there."
        await connection.response.create()
        answer = await events(connection, "response.done")
    said = [e.delta for e in answer if e.type == "response.output_audio_transcript.delta"]
    sound = [e.delta for e in answer if e.type == "response.output_audio.delta"]
    assert "".join(said) == "Hello you."
    assert len(base64.b64decode("".join(sound))) == 2 * 0.4 * RATE
    assert answer[-1].response.status == "completed"
    assert answer[-1].response.usage.total_tokens == 30
    assert fake.texts() == [
        "user input_audio: Hello there.",
        "assistant output_audio: Hello you.",
    ]


TRANSCRIPTION = "conversation.item.input_audio_transcription"


async def test_a_transcription_session_tells_words_as_they_come(fake: FakeOpenAIRealtime) -> None:
    """Before the commit already, where the model is a live one."""
    async with connected(fake, extra_query={"intent": "transcription"}) as connection:
        created = (await events(connection, "session.created"))[-1]
        assert created.session.type == "transcription"
        input_: Any = {"turn_detection": None, "transcription": {"model": "gpt-live-transcribe"}}
        await connection.session.update(
            session={"type": "transcription", "audio": {"input": input_}}
        )
        await connection.input_audio_buffer.append(audio=base64.b64encode(SPEECH).decode())
        first = (await events(connection, f"{TRANSCRIPTION}.delta"))[-1]
        await connection.input_audio_buffer.commit()
        done = (await events(connection, f"{TRANSCRIPTION}.completed"))[-1]
    assert (first.delta, done.transcript) == ("Hello", "Hello there.")
    assert first.item_id == done.item_id


async def test_a_tool_call_and_its_result_are_items(fake: FakeOpenAIRealtime) -> None:
    """Arguments stream, the result goes back, the next response follows."""
    fake.answers = [Answer("", calls=[("look", '{"where": "up"}')])]
    async with connected(fake, model="m") as connection:
        await connection.session.update(session=MANUAL)
        await connection.response.create()
        received = await events(connection, "response.done")
        call = next(e for e in received if e.type == "response.function_call_arguments.done")
        assert (call.name, call.arguments) == ("look", '{"where": "up"}')
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sky"}
        await connection.conversation.item.create(item=result)
        await connection.response.create()
        await events(connection, "response.done")
    assert fake.texts() == [
        f'call {call.call_id}: look {{"where": "up"}}',
        f"result {call.call_id}: sky",
        "assistant output_audio: Hello. How can I help you?",
    ]


async def test_items_are_kept_where_they_are_put(fake: FakeOpenAIRealtime) -> None:
    """At the end, after another or at the beginning; deleted, truncated, unknown."""
    async with connected(fake, model="m") as connection:
        items = connection.conversation.item

        def typed(item_id: str) -> Any:
            content = [{"type": "input_text", "text": item_id}]
            return {"id": item_id, "type": "message", "role": "user", "content": content}

        await connection.session.update(session=MANUAL)
        await items.create(item=typed("one"))
        await items.create(item=typed("three"))
        await items.create(item=typed("two"), previous_item_id="one")
        await items.create(item=typed("zero"), previous_item_id="root")
        await items.delete(item_id="three")
        await items.retrieve(item_id="two")
        await events(connection, "conversation.item.retrieved")
        assert [item["id"] for item in fake.items()] == ["zero", "one", "two"]
        await items.delete(item_id="three", event_id="mine")
        await items.create(item=typed("two"))
        await items.create(item=typed("four"), previous_item_id="three")
        await items.truncate(item_id="two", content_index=0, audio_end_ms=10)
        errors = [(await events(connection, "error"))[-1].error for _ in range(4)]
    assert [error.code for error in errors] == [
        "item_delete_invalid_item_id",
        "item_create_duplicate_item_id",
        "item_create_invalid_previous_item_id",
        "invalid_value",
    ]
    assert errors[0].event_id == "mine"


async def test_a_response_is_cancelled_and_its_sound_truncated(fake: FakeOpenAIRealtime) -> None:
    """One at a time; not beyond what was generated."""
    fake.answers = [Answer("One two three.", stalls_after=2)]
    async with connected(fake, model="m") as connection:
        await connection.session.update(session=MANUAL)
        await connection.response.create()
        for _ in range(2):
            sound = (await events(connection, "response.output_audio.delta"))[-1]
        await connection.response.create()
        assert (await events(connection, "error"))[-1].error.code == (
            "conversation_already_has_active_response"
        )
        await connection.response.cancel()
        done = (await events(connection, "response.done"))[-1].response
        assert (done.status, done.status_details.reason) == ("cancelled", "client_cancelled")
        await connection.response.cancel()
        assert (await events(connection, "error"))[-1].error.code == "response_cancel_not_active"
        item = connection.conversation.item
        await item.truncate(item_id=sound.item_id, content_index=0, audio_end_ms=401)
        assert "already shorter" in (await events(connection, "error"))[-1].error.message
        await item.truncate(item_id=sound.item_id, content_index=0, audio_end_ms=300)
        await events(connection, "conversation.item.truncated")
    assert fake.texts() == ["assistant output_audio: "]


async def test_what_cannot_be_is_an_error_event(fake: FakeOpenAIRealtime) -> None:
    """Too little audio, the wrong type of session, another voice once it spoke."""
    async with connected(fake, model="m") as connection:
        await connection.session.update(session=MANUAL)
        await connection.input_audio_buffer.append(audio=base64.b64encode(SPEECH[:4000]).decode())
        await connection.input_audio_buffer.commit(event_id="mine")
        error = (await events(connection, "error"))[-1].error
        assert (error.code, error.event_id) == ("input_audio_buffer_commit_empty", "mine")
        wrong: Any = {"type": "transcription"}
        await connection.session.update(session=wrong)
        assert "transcription session" in (await events(connection, "error"))[-1].error.message
        await connection.response.create()
        await events(connection, "response.done")
        voice: Any = {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}
        await connection.session.update(session=voice)
        assert (await events(connection, "error"))[-1].error.code == "cannot_update_voice"


async def test_faults_are_as_they_are_set(fake: FakeOpenAIRealtime) -> None:
    """A wrong key, no upgrade, an event twice, a connection that breaks off."""
    with pytest.raises(InvalidStatus) as refused:
        async with connected(fake, key="wrong", model="m"):
            pass
    assert refused.value.response.status_code == 401
    fake.faults = [Fault(status=429), Fault(twice={"session.created"})]
    with pytest.raises(InvalidStatus):
        async with connected(fake, model="m"):
            pass
    async with connected(fake, model="m") as connection:
        await connection.session.update(session=MANUAL)
        received = await events(connection, "session.updated")
    assert [event.type for event in received] == ["session.created"] * 2 + ["session.updated"]
