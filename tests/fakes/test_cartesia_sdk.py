"""The fake Cartesia is proven with the vendor's own SDK, which knows each frame's fields."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from cartesia import AsyncCartesia
from websockets.exceptions import InvalidStatus

from fakes.cartesia import FakeCartesia
from fakes.voice_contexts import KEY, pcm_of

FORMAT = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000}


@pytest.fixture
async def fake() -> AsyncIterator[FakeCartesia]:
    """The vendor."""
    async with FakeCartesia() as vendor:
        yield vendor


async def spoken(fake: FakeCartesia, *texts: str, **changes: Any) -> list[Any]:
    """All that the SDK hears of one context."""
    key = changes.pop("key", KEY)
    given: dict[str, Any] = {"model_id": "sonic-3", "voice": {"id": "v1"}, **changes}
    async with (
        AsyncCartesia(api_key=key, websocket_base_url=fake.url) as client,
        client.tts.websocket_connect() as connection,
    ):
        context = connection.context(output_format=FORMAT, add_timestamps=True, **given)
        for text in texts:
            await context.push(text, flush=True)
        await context.no_more_inputs()
        return [said async for said in context.receive()]


async def test_a_context_is_spoken_with_its_words_flushes_and_end(fake: FakeCartesia) -> None:
    """Chunks are the texts' sound, times go on from one to the next, each flush is told."""
    heard = await spoken(fake, "Hello there. ", "How are you?")
    chunks = [said.audio for said in heard if said.type == "chunk"]
    assert b"".join(chunks) == pcm_of("Hello there. ") + pcm_of("How are you?")
    timed = [said.word_timestamps for said in heard if said.type == "timestamps"]
    assert [word for one in timed for word in one.words] == [
        "Hello",
        "there.",
        "How",
        "are",
        "you?",
    ]
    assert timed[1].start[0] == pytest.approx(0.52)
    assert [said.flush_id for said in heard if said.type == "flush_done"] == [1, 2]
    assert heard[-1].type == "done"


async def test_a_wrong_model_is_an_error_of_its_context(fake: FakeCartesia) -> None:
    """With a code, a status, a title and words."""
    heard = await spoken(fake, "Hello.", model_id="nobody-1")
    assert [said.type for said in heard] == ["error"]
    assert heard[0].error_code == "model_not_found"
    assert heard[0].error == "Invalid model: The model is not valid."
    assert heard[0].status_code == 404


async def test_a_wrong_key_is_refused_at_the_handshake(fake: FakeCartesia) -> None:
    """The SDK raises what the handshake was answered with."""
    with pytest.raises(InvalidStatus) as raised:
        await spoken(fake, "Hello.", key="wrong")
    assert raised.value.response.status_code == 401
