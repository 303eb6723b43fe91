"""ElevenLabs' voices against a fake of their wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from antiphon_providers.contract import text_to_speech as contract
from antiphon_providers.contract.text_to_speech import TextToSpeechContract, each, spoken
from antiphon_providers.elevenlabs import ElevenLabs, ElevenLabsOptions
from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.interfaces import VoiceOptions
from fakes.elevenlabs import FakeElevenLabs
from fakes.voice_contexts import KEY, Fault, pcm_of


def voice(fake: FakeElevenLabs, **changes: object) -> ElevenLabs:
    """A voice for the fake."""
    given = {"api_key": KEY, "base_url": fake.url, **changes}
    return ElevenLabs(ElevenLabsOptions(**given))  # type: ignore[arg-type]


@asynccontextmanager
async def running(fake: FakeElevenLabs, **changes: object) -> AsyncIterator[ElevenLabs]:
    """One that runs."""
    provider = voice(fake, **changes)
    await provider.start()
    yield provider
    await provider.close()


class TestElevenLabs(TextToSpeechContract):
    """It keeps to the contract."""

    @pytest.fixture(autouse=True)
    async def fake(self) -> AsyncIterator[FakeElevenLabs]:
        """The vendor."""
        async with FakeElevenLabs() as fake:
            self.vendor = fake
            yield fake

    def make(self) -> ElevenLabs:
        """With a fake of its own."""
        return voice(self.vendor)


async def test_a_connection_says_which_voice_and_which_sound() -> None:
    """The voice is in its path, the key in its header."""
    voices = '{"anna": "a/b"}'
    async with FakeElevenLabs() as fake, running(fake, language="en", voices=voices) as provider:
        await spoken(provider, "anna", "Hello.")
        session = fake.sessions[1]
        assert session.path == "/v1/text-to-speech/a%2Fb/multi-stream-input"
        assert session.headers["xi-api-key"] == KEY
        assert {name: value[0] for name, value in session.query.items()} == {
            "model_id": "eleven_flash_v2_5",
            "output_format": "pcm_24000",
            "sync_alignment": "true",
            "auto_mode": "true",
            "inactivity_timeout": "180",
            "language_code": "en",
        }


async def test_each_sentence_is_a_context_that_is_flushed_and_closed() -> None:
    """Voice settings come with its first frame, and only those that were chosen."""
    async with FakeElevenLabs() as fake, running(fake, stability=0.3, speed=1.1) as provider:
        sounds = await spoken(provider, "anna", "Hello.")
        assert contract.pcm_of(sounds) == pcm_of("Hello. ")
        name = fake.sessions[0].frames[0]["context_id"]
        assert fake.sessions[0].frames == [
            {
                "text": " ",
                "context_id": name,
                "voice_settings": {"stability": 0.3, "speed": 1.1},
            },
            {"text": "Hello. ", "context_id": name, "flush": True},
            {"context_id": name, "close_context": True},
        ]


async def test_words_are_timed_by_the_text_as_it_was_written() -> None:
    """Characters of ``alignment`` become words, across frames, from the sentence's start; those
    of ``normalizedAlignment`` do not.
    """
    async with FakeElevenLabs() as fake, running(fake) as provider:
        sounds = await spoken(provider, "anna", "Wonderful, 42 of them!")
        words = [word for sound in sounds for word in sound.words]
    assert [(word.text, word.start_ms, word.end_ms) for word in words] == [
        ("Wonderful,", 0, 400),
        ("42", 440, 520),
        ("of", 560, 640),
        ("them!", 680, 880),
    ]


async def test_a_cancelled_speech_breaks_its_connection_and_the_next_is_open() -> None:
    """What was flushed cannot be stopped otherwise."""
    async with FakeElevenLabs() as fake, running(fake) as provider:
        began = asyncio.Event()

        async def listen() -> None:
            async for _ in provider.speak(each("Hello. " * 30), VoiceOptions("anna")):
                began.set()
                await asyncio.Event().wait()

        speech = asyncio.create_task(listen())
        await began.wait()
        speech.cancel()
        with suppress(asyncio.CancelledError):
            await speech
        await fake.until(opened=2, ended=1)
        await spoken(provider, "anna", "Again.")
        assert len(fake.sessions) == 2


async def test_replies_share_a_connection_one_after_the_other_only() -> None:
    """The second reply finds the first one's; one at the same time opens its own."""
    async with FakeElevenLabs() as fake, running(fake) as provider:
        await spoken(provider, "anna", "One.")
        await spoken(provider, "anna", "Two.")
        assert len(fake.sessions) == 1
        await asyncio.gather(spoken(provider, "anna", "Three."), spoken(provider, "anna", "Four."))
        assert len(fake.sessions) == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_api_key", Refused),
        ("voice_id_does_not_exist", Refused),
        ("quota_exceeded", Refused),
        ("unsupported_sample_rate", Refused),
        ("rate_limit_exceeded", Unavailable),
        ("concurrent_limit_exceeded", Unavailable),
        ("max_active_conversations", Unavailable),
        ("system_busy", Unavailable),
    ],
)
async def test_an_error_frame_is_told_in_the_vendors_words(
    code: str, kind: type[Exception]
) -> None:
    """With its code, and without the key."""
    said = json.dumps({"message": f"No, {KEY}.", "error": code, "code": 1008})
    async with FakeElevenLabs() as fake:
        fake.fault = Fault(instead=[said])
        async with running(fake) as provider:
            with pytest.raises(kind, match=r"No, \[api key\]") as raised:
                await spoken(provider, "anna", "Hello.")
    assert getattr(raised.value, "provider_code", None) == code


async def test_a_wrong_key_and_model_are_refused_at_the_start() -> None:
    """In the vendor's own words."""
    async with FakeElevenLabs() as fake:
        with pytest.raises(Refused, match="Invalid API key"):
            await voice(fake, api_key="wrong").start()
        with pytest.raises(Refused, match="No such model"):
            await voice(fake, model="other").start()


def test_options_that_cannot_work_are_refused_without_the_key() -> None:
    """Nor is it in their repr."""
    assert "hidden" not in repr(ElevenLabsOptions(api_key="hidden"))
    with pytest.raises(ValueError, match="base_url"):
        ElevenLabsOptions(base_url="ftp://nowhere")
    with pytest.raises(ValueError, match="texts"):
        ElevenLabsOptions(voices='{"anna": 3}')


async def test_without_a_key_another_address_is_sent_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's key stays here."""
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    async with FakeElevenLabs() as fake:
        with pytest.raises(Refused):
            await voice(fake, api_key="").start()
