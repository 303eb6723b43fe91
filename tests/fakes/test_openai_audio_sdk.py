"""The fake of OpenAI's audio endpoints, proven with the vendor's own SDK."""

from __future__ import annotations

import openai
import pytest

from fakes.openai_audio import KEY, FakeOpenAIAudio, sound_of


def client(fake: FakeOpenAIAudio, key: str = KEY) -> openai.AsyncOpenAI:
    """The SDK at the fake."""
    return openai.AsyncOpenAI(api_key=key, base_url=fake.url, max_retries=0)


async def test_the_sdk_streams_speech() -> None:
    """Its streaming response gives the sound."""
    async with FakeOpenAIAudio() as fake, client(fake) as sdk:
        speech = sdk.audio.speech.with_streaming_response.create(
            model="m", voice="alloy", input="Hello.", response_format="pcm", stream_format="audio"
        )
        async with speech as response:
            assert await response.read() == sound_of("Hello.")


async def test_the_sdk_understands_the_refusals() -> None:
    """A wrong key and a wrong voice are its own errors."""
    async with FakeOpenAIAudio() as fake, client(fake, "no") as wrong, client(fake) as sdk:
        with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
            await wrong.audio.speech.create(model="m", voice="alloy", input="x")
        with pytest.raises(openai.BadRequestError, match="Unknown voice"):
            await sdk.audio.speech.create(model="m", voice="nobody", input="x")
