"""The fake transcription, proven with the vendor's own SDK."""

from __future__ import annotations

import openai

from fakes.openai_transcription import transcriber
from openai_peer import KEY


async def test_the_sdk_reads_words_whole_and_streamed() -> None:
    """Its own types understand both answers."""
    async with transcriber() as server:
        url = f"{server.url}/v1"
        async with openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0) as sdk:
            file = ("speech.wav", b"RIFF")
            whole = await sdk.audio.transcriptions.create(model="m", file=file)
            assert whole.text == "Hello there."
            told = await sdk.audio.transcriptions.create(model="m", file=file, stream=True)
            kinds = [event.type async for event in told]
    assert kinds == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
