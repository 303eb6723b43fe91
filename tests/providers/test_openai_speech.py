"""Speech from an OpenAI-compatible endpoint, against a fake that the vendor's SDK has proven."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from antiphon_providers.contract.text_to_speech import (
    SENTENCES,
    TextToSpeechContract,
    pcm_of,
    spoken,
)
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import VoiceOptions
from antiphon_providers.openai_speech import OpenAISpeech, OpenAISpeechOptions
from fakes.openai_audio import KEY, FakeOpenAIAudio, Fault, sound_of


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAIAudio]:
    """The vendor."""
    async with FakeOpenAIAudio() as vendor:
        yield vendor


def speech(fake: FakeOpenAIAudio, **options: Any) -> OpenAISpeech:
    """A voice at the fake."""
    return OpenAISpeech(OpenAISpeechOptions(**{"api_key": KEY, "base_url": fake.url, **options}))


class TestContract(TextToSpeechContract):
    """It keeps to what every voice must."""

    @pytest.fixture(autouse=True)
    def _vendor(self, fake: FakeOpenAIAudio) -> None:
        self.fake = fake

    def make(self) -> OpenAISpeech:
        """A voice at the fake."""
        return speech(self.fake)


async def test_the_sound_is_the_vendors_whole_and_in_order(fake: FakeOpenAIAudio) -> None:
    """Each sentence is asked for by itself, in the voice that the name stands for."""
    provider = speech(fake, voices='{"anna": "marin"}', speed=1.5, instructions="Kindly.")
    await provider.start()
    sounds = await spoken(provider, "anna", *SENTENCES)
    await provider.close()
    assert pcm_of(sounds) == b"".join(map(sound_of, SENTENCES))
    asked = [request.json for request in fake.requests[1:]]
    assert [body["input"] for body in asked] == list(SENTENCES)
    assert asked[0] == {
        "model": "gpt-4o-mini-tts",
        "voice": "marin",
        "instructions": "Kindly.",
        "speed": 1.5,
        "input": SENTENCES[0],
        "response_format": "pcm",
        "stream_format": "audio",
    }


async def test_the_next_sentence_is_asked_for_while_one_sounds(fake: FakeOpenAIAudio) -> None:
    """So that there is no gap; what follows it waits."""
    provider = speech(fake)
    await provider.start()
    fake.faults = [Fault(), Fault(hang=True)]

    async def written() -> AsyncIterator[str]:
        for sentence in SENTENCES:
            yield sentence

    sounds = provider.speak(written(), VoiceOptions("anna"))
    assert (await anext(sounds)).sentence == 0
    await fake.hanging.wait()
    await sounds.aclose()
    await fake.left.wait()
    await provider.close()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=401, body=b'{"error": {"message": "no"}}'), Refused),
        (Fault(status=429, headers=("retry-after: 7",)), Unavailable),
        (Fault(status=500, body=b"<html>"), Unavailable),
        (Fault(status=200), Malformed),
        (Fault(status=200, body=b"x"), Malformed),
        (Fault(status=200, body=b"RIFF and more"), Malformed),
        (Fault(status=200, body=b"\0" * 9_000_000), Malformed),
        (Fault(status=200, body=b"{}", headers=("content-type: application/json",)), Malformed),
        (Fault(hang=True), TooSlow),
        (Fault(breaks=True), Unavailable),
    ],
)
async def test_each_failure_has_its_kind(
    fake: FakeOpenAIAudio, fault: Fault, kind: type[ProviderError]
) -> None:
    """Whatever goes wrong is one of our errors, from this provider; the next speech is whole."""
    provider = speech(fake, first_ms=500)
    await provider.start()
    fake.faults = [fault]
    with pytest.raises(ProviderError) as failed:
        await spoken(provider, "anna", SENTENCES[0])
    assert type(failed.value) is kind
    assert failed.value.provider == "openai"
    assert failed.value.retry_after_s == (7 if fault.status == 429 else None)
    assert pcm_of(await spoken(provider, "anna", SENTENCES[1])) == sound_of(SENTENCES[1])
    await provider.close()


async def test_a_wrong_key_or_voice_is_refused_in_the_vendors_words(fake: FakeOpenAIAudio) -> None:
    """The key at the start, the voice when it is to speak."""
    provider = speech(fake, api_key="another-key")
    with pytest.raises(Refused, match="Incorrect API key"):
        await provider.start()
    await provider.close()
    provider = speech(fake, voice="nobody")
    await provider.start()
    with pytest.raises(Refused, match="Unknown voice"):
        await spoken(provider, "anna", SENTENCES[0])
    await provider.close()


async def test_leaving_closes_the_connection(fake: FakeOpenAIAudio) -> None:
    """Which is what stops the vendor's work."""
    provider = speech(fake)
    await provider.start()
    fake.faults = [Fault(hang=True)]
    speaking = asyncio.create_task(spoken(provider, "anna", SENTENCES[0]))
    await fake.hanging.wait()
    speaking.cancel()
    with suppress(asyncio.CancelledError):
        await speaking
    await fake.left.wait()
    await provider.close()


def test_options_show_no_key_and_take_nothing_wrong() -> None:
    """What is wrong is said by its name."""
    options = OpenAISpeechOptions(api_key="a-secret")
    assert "a-secret" not in f"{options!r} {options.__rich_repr__()}"
    wrong: list[dict[str, Any]] = [
        {"api_key": "two\nlines"},
        {"base_url": "ftp://x"},
        {"voices": "["},
        {"voices": '{"anna": 7}'},
    ]
    for options_given in wrong:
        with pytest.raises(ValueError, match=r"api_key|base_url|JSON|voices"):
            OpenAISpeechOptions(**options_given)
