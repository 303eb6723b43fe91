"""The fake ElevenLabs is proven with the vendor's own SDK and its types of each frame."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.types import CloseContext, FlushContext, InitialiseContext, KeepContextAlive
from elevenlabs.types.websocket_tts_server_message_multi import WebsocketTtsServerMessageMulti
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from fakes.elevenlabs import FakeElevenLabs
from fakes.voice_contexts import KEY, pcm_of

# The SDK uses names of websockets that are on their way out.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*websockets:DeprecationWarning", "ignore:ConnectionClosed.code:DeprecationWarning"
)


@pytest.fixture
async def fake() -> AsyncIterator[FakeElevenLabs]:
    """The vendor."""
    async with FakeElevenLabs() as vendor:
        yield vendor


def spoken_by_the_sdk(url: str, key: str = KEY) -> bytes:
    """Two texts, streamed by the SDK, which is of its own mind only about TLS."""
    client = ElevenLabs(api_key=key, base_url=url.replace("ws", "http", 1))
    client.text_to_speech._ws_base_url = url
    texts = iter(["Hello there. ", "How are you?"])
    voice = client.text_to_speech
    return b"".join(
        voice.convert_realtime(
            "v1", text=texts, model_id="eleven_flash_v2_5", output_format="pcm_24000"
        )
    )


async def test_the_sdk_streams_text_and_hears_its_sound(fake: FakeElevenLabs) -> None:
    """Text goes in piece by piece; the sound of all of it comes before a normal close."""
    pcm = await asyncio.to_thread(spoken_by_the_sdk, fake.url)
    assert pcm == pcm_of("Hello there. How are you? ")
    assert fake.sessions[0].headers["xi-api-key"] == KEY
    assert fake.sessions[0].query["output_format"] == ["pcm_24000"]


async def test_a_wrong_key_is_refused_at_the_handshake(fake: FakeElevenLabs) -> None:
    """The SDK raises what the handshake was answered with."""
    with pytest.raises((ApiError, InvalidStatus)) as raised:
        await asyncio.to_thread(spoken_by_the_sdk, fake.url, "wrong")
    assert "401" in str(raised.value)


async def test_contexts_are_the_frames_of_the_sdks_types(fake: FakeElevenLabs) -> None:
    """What the SDK's types write is understood; what comes, its types read: each context's sound
    with its alignment, then its end.
    """
    said = (
        InitialiseContext(text=" ", context_id="c1"),
        KeepContextAlive(text="", context_id="c1"),
        FlushContext(context_id="c1", text="Hello there. ", flush=True),
        CloseContext(context_id="c1", close_context=True),
    )
    url = f"{fake.url}/v1/text-to-speech/v1/multi-stream-input?model_id=eleven_flash_v2_5"
    heard: list[WebsocketTtsServerMessageMulti] = []
    finals: list[bool] = []
    async with connect(url, additional_headers={"xi-api-key": KEY}) as socket:
        for frame in said:
            await socket.send(frame.model_dump_json(exclude_none=True))
        while not finals or not finals[-1]:
            message = json.loads(await socket.recv())
            finals.append(bool(message.get("isFinal")))
            heard.append(WebsocketTtsServerMessageMulti.model_validate(message))
    assert {one.context_id for one in heard} == {"c1"}
    alignments = [one.alignment for one in heard if one.alignment is not None]
    assert "".join("".join(one.chars or []) for one in alignments) == "Hello there. "
    assert all((one.char_start_times_ms or [1])[0] == 0 for one in alignments)
