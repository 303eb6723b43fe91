"""What we say and read has the shapes that the vendor's own SDK has."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openai.types.realtime import (
    ConversationItemCreateEvent,
    ConversationItemDeleteEvent,
    InputAudioBufferAppendEvent,
    InputAudioBufferCommitEvent,
    ResponseCancelEvent,
    ResponseCreateEvent,
    SessionUpdateEvent,
)
from pydantic import BaseModel

from antiphon_providers.interfaces import ConversationOptions, HearingOptions
from antiphon_providers.openai_realtime import OpenAIRealtimeOptions
from antiphon_providers.openai_realtime import session_of as conversation
from antiphon_providers.openai_realtime_transcription import OpenAIRealtimeHearingOptions
from antiphon_providers.openai_realtime_transcription import session_of as transcription
from antiphon_providers.openai_realtime_wire import (
    Append,
    CallDone,
    CancelResponse,
    Commit,
    Committed,
    CreateItem,
    CreateResponse,
    DeleteItem,
    Failed,
    Sent,
    SoundDelta,
    Trouble,
    UpdateSession,
    read,
    written,
)

ITEM = {
    "id": "item_1",
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "Hi"}],
}
CALL = {"id": "i", "type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}
RESULT = {"id": "i", "type": "function_call_output", "call_id": "c", "output": ""}
HEARING = HearingOptions(("Antiphon",), "A call.", ("de",))


@pytest.mark.parametrize(
    ("event", "shape"),
    [
        (
            UpdateSession(conversation(OpenAIRealtimeOptions(), ConversationOptions(HEARING))),
            SessionUpdateEvent,
        ),
        (UpdateSession(transcription(OpenAIRealtimeHearingOptions(), HEARING)), SessionUpdateEvent),
        (Append("AAAA"), InputAudioBufferAppendEvent),
        (Commit("e"), InputAudioBufferCommitEvent),
        (CreateItem(ITEM, "e"), ConversationItemCreateEvent),
        (CreateItem(CALL, "e", "root"), ConversationItemCreateEvent),
        (CreateItem(RESULT, "e", "item_0"), ConversationItemCreateEvent),
        (DeleteItem("item_1", "e"), ConversationItemDeleteEvent),
        (CreateResponse("e"), ResponseCreateEvent),
        (CancelResponse("e"), ResponseCancelEvent),
        (CancelResponse("e", "resp_1"), ResponseCancelEvent),
    ],
)
def test_what_we_send_is_what_the_vendor_takes(event: Sent, shape: type[BaseModel]) -> None:
    """Nothing is missing, nothing too much, nothing of another type."""
    sent = msgspec.json.decode(written(event))
    understood = shape.model_validate(sent, strict=True)
    assert understood.model_dump(exclude_unset=True, mode="json") == sent
    assert not extras(understood)


def extras(model: BaseModel) -> dict[str, Any]:
    """Fields that the SDK does not know, at any depth."""
    found = dict(model.model_extra or {})
    for name in model.model_fields_set:
        value = getattr(model, name)
        for one in value if isinstance(value, list) else [value]:
            found |= extras(one) if isinstance(one, BaseModel) else {}
    return found


def test_events_are_read_and_others_are_left_alone() -> None:
    """Fields that we do not need may be there, or new."""
    told = b'{"type":"input_audio_buffer.committed","item_id":"i","previous_item_id":null,"x":1}'
    assert read(told) == Committed("i")
    assert read('{"type":"session.novelty"}') is None
    sound = '{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"AA=="}'
    assert read(sound) == SoundDelta("r", "i", "AA==")
    call = (
        '{"type":"response.function_call_arguments.done","response_id":"r","item_id":"i",'
        '"call_id":"c","arguments":"{}"}'
    )
    assert read(call) == CallDone("r", "i", "c", "{}")
    error = '{"type":"error","error":{"message":"No.","type":"server_error","code":null}}'
    assert read(error) == Failed(Trouble("No.", "server_error"))


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"type":7}',
        '{"type":"response.done"}',
        '{"type":"response.done","response":{"id":7}}',
        '{"type":"input_audio_buffer.committed","item_id":null}',
        b"\xff",
    ],
)
def test_what_is_no_event_is_an_error(message: str | bytes) -> None:
    """Of one kind, which is a ``ValueError``."""
    with pytest.raises(msgspec.MsgspecError):
        read(message)
