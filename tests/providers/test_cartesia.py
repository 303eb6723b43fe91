"""Cartesia's voices against a fake of their wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from antiphon_providers.cartesia import Cartesia, CartesiaOptions
from antiphon_providers.contract import text_to_speech as contract
from antiphon_providers.contract.text_to_speech import TextToSpeechContract, each, spoken
from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.interfaces import VoiceOptions
from fakes.cartesia import FakeCartesia
from fakes.voice_contexts import KEY, pcm_of


def voice(fake: FakeCartesia, **changes: object) -> Cartesia:
    """A voice for the fake."""
    given = {"api_key": KEY, "base_url": fake.url, **changes}
    return Cartesia(CartesiaOptions(**given))  # type: ignore[arg-type]


@asynccontextmanager
async def running(fake: FakeCartesia, **changes: object) -> AsyncIterator[Cartesia]:
    """One that runs."""
    provider = voice(fake, **changes)
    await provider.start()
    yield provider
    await provider.close()


class TestCartesia(TextToSpeechContract):
    """It keeps to the contract."""

    @pytest.fixture(autouse=True)
    async def fake(self) -> AsyncIterator[FakeCartesia]:
        """The vendor."""
        async with FakeCartesia() as fake:
            self.vendor = fake
            yield fake

    def make(self) -> Cartesia:
        """With a fake of its own."""
        return voice(self.vendor)


async def test_a_sentence_is_a_context_that_says_all_of_itself() -> None:
    """Which voice, model and sound, that words are to be timed, and that no more will come."""
    voices = '{"anna": "v-1"}'
    async with (
        FakeCartesia() as fake,
        running(fake, language="en", speed=1.2, voices=voices) as provider,
    ):
        sounds = await spoken(provider, "anna", "Hello.")
        assert contract.pcm_of(sounds) == pcm_of("Hello.")
        assert fake.sessions[0].headers["Cartesia-Version"] == "2026-03-01"
        name = fake.sessions[0].frames[0]["context_id"]
        assert fake.sessions[0].frames == [
            {
                "model_id": "sonic-3",
                "output_format": {
                    "container": "raw",
                    "encoding": "pcm_s16le",
                    "sample_rate": 24_000,
                },
                "add_timestamps": True,
                "continue": False,
                "language": "en",
                "generation_config": {"speed": 1.2},
                "context_id": name,
                "transcript": "Hello.",
                "voice": {"mode": "id", "id": "v-1"},
            }
        ]


async def test_words_are_timed_from_their_sentences_start() -> None:
    """In ms, each sentence from 0."""
    async with FakeCartesia() as fake, running(fake) as provider:
        sounds = await spoken(provider, "anna", "Hello there.", "We open.")
    words = [(sound.sentence, word) for sound in sounds for word in sound.words]
    assert [(at, word.text, word.start_ms, word.end_ms) for at, word in words] == [
        (0, "Hello", 0, 200),
        (0, "there.", 240, 480),
        (1, "We", 0, 80),
        (1, "open.", 120, 320),
    ]


async def test_a_cancelled_speech_is_cancelled_and_its_connection_stays() -> None:
    """Those who share it go on; what still comes of it is not theirs."""
    async with FakeCartesia() as fake, running(fake) as provider:
        began = asyncio.Event()

        async def listen() -> None:
            async for _ in provider.speak(each("Hello. " * 30), VoiceOptions("anna")):
                began.set()
                await asyncio.Event().wait()

        speech = asyncio.create_task(listen())
        await began.wait()
        other = asyncio.create_task(spoken(provider, "anna", "Not to be disturbed."))
        speech.cancel()
        with suppress(asyncio.CancelledError):
            await speech
        await fake.sessions[0].until(lambda frame: frame.get("cancel") is True)
        assert contract.pcm_of(await other) == pcm_of("Not to be disturbed.")
        assert len(fake.sessions) == 1


async def test_a_connection_is_shared_by_several_speeches() -> None:
    """And another is opened where it has enough; none hears another's sound."""
    async with FakeCartesia() as fake, running(fake) as provider:
        sentences = [f"This is speech {number}." for number in range(10)]
        all_sounds = await asyncio.gather(*(spoken(provider, "a", one) for one in sentences))
        assert [contract.pcm_of(one) for one in all_sounds] == [pcm_of(one) for one in sentences]
        assert 2 <= len(fake.sessions) <= 3


async def test_an_error_is_of_its_context_only() -> None:
    """A model that does not exist is refused in the vendor's words; too many contexts are not
    for now.
    """
    async with FakeCartesia() as fake:
        async with running(fake, model="nobody") as provider:
            with pytest.raises(Refused, match="Invalid model") as raised:
                await spoken(provider, "anna", "Hello.")
            assert raised.value.provider_code == "model_not_found"
            assert raised.value.status_code == 404
        fake.max_contexts = 0
        async with running(fake) as provider:
            with pytest.raises(Unavailable, match="Too many concurrent"):
                await spoken(provider, "anna", "Hello.")
            fake.max_contexts = 5
            await spoken(provider, "anna", "Hello.")
            assert len(fake.sessions) == 2


async def test_a_wrong_key_is_refused_at_the_start() -> None:
    """In the vendor's own words, without the key."""
    async with FakeCartesia() as fake:
        with pytest.raises(Refused, match="Invalid API key") as raised:
            await voice(fake, api_key="wrong-key").start()
        assert "wrong-key" not in str(raised.value)


async def test_the_key_of_the_environment_goes_to_the_vendor_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another address is sent none; and it is in no repr."""
    monkeypatch.setenv("CARTESIA_API_KEY", KEY)
    assert "hidden" not in repr(CartesiaOptions(api_key="hidden"))
    async with FakeCartesia() as fake:
        with pytest.raises(Refused):
            await voice(fake, api_key="").start()
