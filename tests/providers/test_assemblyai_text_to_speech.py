"""AssemblyAI's voices against a fake of their wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from antiphon_providers.assemblyai_text_to_speech import AssemblyAIVoice, AssemblyAIVoiceOptions
from antiphon_providers.contract.text_to_speech import TextToSpeechContract, each, pcm_of, spoken
from antiphon_providers.errors import ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import VoiceOptions, Word
from fakes.assemblyai import KEY, FakeAssemblyAI, Fault
from fakes.assemblyai_voice import sound

LONG = "This is a long sentence that nobody will hear to its very end, ever."


def voice(fake: FakeAssemblyAI, **changes: object) -> AssemblyAIVoice:
    """A voice for the fake."""
    given = {"api_key": KEY, "base_url": fake.url, "voice": "aai-jane", **changes}
    return AssemblyAIVoice(AssemblyAIVoiceOptions(**given))  # type: ignore[arg-type]


@asynccontextmanager
async def running(fake: FakeAssemblyAI, **changes: object) -> AsyncIterator[AssemblyAIVoice]:
    """One that runs."""
    provider = voice(fake, **changes)
    await provider.start()
    yield provider
    await provider.close()


class TestAssemblyAIVoice(TextToSpeechContract):
    """It keeps to the contract."""

    @pytest.fixture(autouse=True)
    async def fake(self) -> AsyncIterator[FakeAssemblyAI]:
        """The vendor."""
        async with FakeAssemblyAI() as fake:
            self.vendor = fake
            yield fake

    def make(self) -> AssemblyAIVoice:
        """With a fake of its own."""
        return voice(self.vendor)


async def test_a_session_says_which_voice_and_which_sound() -> None:
    """The key is in its header; what was not chosen is left to the vendor."""
    async with FakeAssemblyAI() as fake, running(fake, model="m-1", language="english"):
        session = fake.sessions[0]
        assert session.path == "/v1/ws"
        assert session.headers["Authorization"] == KEY
        assert session.query == {
            "voice_id": "aai-jane",
            "model_id": "m-1",
            "language": "english",
            "sample_rate": "24000",
            "encoding": "pcm_s16le",
            "word_boundaries": "true",
        }


def test_names_are_the_vendors_voices() -> None:
    """The given ones, then its own, then one for all others."""
    options = AssemblyAIVoiceOptions(voices='{"bella": "aai-mary", "anna": "aai-eve"}')
    assert [options.voice_of(name) for name in ("bella", "anna", "paul", "dmitri")] == [
        "aai-mary",
        "aai-eve",
        "aai-paul",
        "aai-anna",
    ]


def test_options_that_cannot_be_are_refused_and_the_key_is_not_shown() -> None:
    """Where the server reads its settings."""
    for wrong in ({"base_url": "x"}, {"voices": '{"anna": 7}'}, {"voices": "no"}):
        with pytest.raises(ValueError, match=r"base_url|voices|JSON"):
            AssemblyAIVoiceOptions(**wrong)  # type: ignore[arg-type]
    options = AssemblyAIVoiceOptions(api_key=KEY)
    assert KEY not in f"{options!r} {options.__rich_repr__()}"


async def test_sentences_sound_as_they_were_written() -> None:
    """With the times of their words, each from the start of its own sentence."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        sounds = await spoken(provider, "jane", "Hello there.", "Good day.")
        assert pcm_of(sounds) == sound("Hello there.") + sound("Good day.")
        assert [one.words for one in sounds if one.ends] == [
            (Word("Hello", 0, 200), Word("there.", 240, 480)),
            (Word("Good", 0, 160), Word("day.", 200, 360)),
        ]


async def test_a_reply_finds_the_session_of_the_one_before() -> None:
    """One connection for all that a voice says, though one reply was cancelled."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        await spoken(provider, "jane", "One.", "Two.")
        sounds = provider.speak(each(LONG, LONG), VoiceOptions("jane"))
        await anext(sounds)
        await sounds.aclose()
        await fake.sessions[0].until("Cancel")
        # What the vendor confirmed is read before the sound of the next session is.
        assert pcm_of(await spoken(provider, "anna", "Three.")) == sound("Three.")
        assert pcm_of(await spoken(provider, "jane", "Four.")) == sound("Four.")
        assert [session.query["voice_id"] for session in fake.sessions] == ["aai-jane", "aai-anna"]


async def test_cancelled_speech_is_cancelled_at_the_vendor() -> None:
    """Once, and nothing of it is heard in the next reply."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        began = asyncio.Event()

        async def listen() -> None:
            async for _ in provider.speak(each(LONG, LONG, LONG), VoiceOptions("jane")):
                began.set()
                await asyncio.Event().wait()

        listening = asyncio.create_task(listen())
        await began.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        await fake.sessions[0].until("Cancel")
        assert pcm_of(await spoken(provider, "jane", "Next.")) == sound("Next.")
        assert fake.sessions[0].types().count("Cancel") <= 1


async def test_two_replies_at_once_have_a_session_each() -> None:
    """Neither hears the other."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        texts = [f"Reply number {number}." for number in range(6)]
        heard = await asyncio.gather(*(spoken(provider, "jane", text) for text in texts))
        assert [pcm_of(sounds) for sounds in heard] == [sound(text) for text in texts]
        assert len(fake.sessions) == 6


async def test_a_session_that_the_vendor_ended_is_not_used_again() -> None:
    """The next reply opens another."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        await fake.sessions[0].connection.close(1001)
        await asyncio.wait(set(provider._pool.sessions))
        assert pcm_of(await spoken(provider, "jane", "Hello.")) == sound("Hello.")
        assert len(fake.sessions) == 2


async def test_a_session_whose_reply_was_cancelled_meanwhile_serves_the_next() -> None:
    """It was being opened when nobody waited for it any more."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        first = asyncio.create_task(spoken(provider, "anna", "Never heard."))
        await fake.until_opened(2)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        while not fake.sessions[1].types():
            assert pcm_of(await spoken(provider, "anna", "Hello.")) == sound("Hello.")
        assert [one.query["voice_id"] for one in fake.sessions][:2] == ["aai-jane", "aai-anna"]


async def test_no_more_sessions_are_kept_than_may_be() -> None:
    """After many replies at once most are given back."""
    async with FakeAssemblyAI() as fake, running(fake) as provider:
        await asyncio.gather(*(spoken(provider, "jane", "Hello.") for _ in range(20)))
        await fake.until_opened(20)
        sessions = provider._pool.sessions
        given_back = {task for task, session in sessions.items() if not session.is_free}
        assert given_back
        await asyncio.wait(given_back)
        assert len(provider._pool.sessions) == 16


# --- what goes wrong ---------------------------------------------------------------------


async def starting_fails(fault: Fault, **changes: object) -> ProviderError:
    """What ``start`` raises where this happens."""
    async with FakeAssemblyAI() as fake:
        fake.fault = fault
        provider = voice(fake, **changes)
        with pytest.raises(ProviderError) as raised:
            await provider.start()
        await provider.close()
    assert raised.value.provider == "assemblyai"
    assert KEY not in f"{raised.value!r}"
    return raised.value


@pytest.mark.parametrize(
    ("fault", "changes", "kind"),
    [
        (Fault(), {"api_key": "wrong"}, Refused),
        (Fault(), {"voice": "nobody"}, Refused),
        (Fault(status=401), {}, Refused),
        (Fault(status=404), {}, Refused),
        (Fault(status=429, headers={"Retry-After": "7"}), {}, Unavailable),
        (Fault(status=500), {}, Unavailable),
        (Fault(error={"error_code": 3009, "retryable": True}), {}, Unavailable),
        (Fault(hang=True), {"connect_ms": 50}, TooSlow),
        (Fault(mute=True), {"first_ms": 50}, TooSlow),
    ],
)
async def test_a_voice_that_cannot_be_had_is_known_at_the_start(
    fault: Fault, changes: dict[str, object], kind: type[ProviderError]
) -> None:
    """Wrong key, wrong voice, wrong address, overload, silence."""
    error = await starting_fails(fault, **changes)
    assert type(error) is kind
    assert error.retry_after_s == (7.0 if fault.status == 429 else None)


async def test_a_voice_that_nobody_has_is_refused_with_its_parameter() -> None:
    """The vendor names it."""
    error = await starting_fails(Fault(), voice="nobody")
    assert (error.provider_code, error.provider_param) == ("voice_not_found", "voice_id")


async def test_a_voice_that_does_not_run_says_nothing() -> None:
    """Before its start and after its end."""
    async with FakeAssemblyAI() as fake:
        provider = voice(fake)
        with pytest.raises(Unavailable):
            await spoken(provider, "jane", "Hello.")
        await provider.close()
        assert fake.sessions == []


async def test_a_start_that_failed_can_be_made_up_for_later() -> None:
    """The next reply connects anew."""
    async with FakeAssemblyAI() as fake:
        fake.faults = [Fault(status=503)]
        provider = voice(fake)
        with pytest.raises(Unavailable):
            await provider.start()
        assert pcm_of(await spoken(provider, "jane", "Hello.")) == sound("Hello.")
        await provider.close()


async def test_a_start_ends_when_the_voice_is_closed_before_it_could_begin() -> None:
    """Nobody waits for a session that nobody opens any more."""
    async with FakeAssemblyAI() as fake:
        one = voice(fake)
        starting = asyncio.create_task(one.start())
        await asyncio.sleep(0)
        await one.close()
        with pytest.raises(Unavailable, match="closed"):
            await starting
