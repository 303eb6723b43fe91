"""Text to speech by espeak-ng, in its own process."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import pytest

from antiphon_providers.contract.text_to_speech import TextToSpeechContract, each, spoken
from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.interfaces import VoiceOptions
from antiphon_providers.local.espeak import Espeak


class TestEspeak(TextToSpeechContract):
    """It keeps to the contract."""

    def make(self) -> Espeak:
        """As it comes."""
        return Espeak()


@pytest.fixture
async def espeak() -> AsyncIterator[Espeak]:
    """One that runs."""
    provider = Espeak()
    await provider.start()
    yield provider
    await provider.close()


async def test_every_kind_of_voice_speaks_differently(espeak: Espeak) -> None:
    """A woman, an American and a Scot."""
    sounds = [await spoken(espeak, voice, "Hello.") for voice in ("anna", "george", "charles")]
    assert len({b"".join(sound.pcm for sound in one) for one in sounds}) == 3


async def test_the_library_is_never_loaded_into_this_process(espeak: Espeak) -> None:
    """Its licence would bind the server."""
    await spoken(espeak, "anna", "Hello.")
    assert "espeakng_loader" not in sys.modules
    with open("/proc/self/maps") as maps:  # noqa: ASYNC230, PTH123 - a file of the kernel's.
        assert "espeak" not in maps.read()


async def test_a_program_that_dies_is_told_and_started_anew(espeak: Espeak) -> None:
    """What it was speaking fails; what is spoken next is not concerned."""
    speech = espeak.speak(each(*["A sentence that is long enough."] * 50), VoiceOptions("anna"))
    await anext(speech)
    dead = espeak.process_id
    assert dead is not None
    os.kill(dead, signal.SIGKILL)
    with pytest.raises(Unavailable, match="died"):
        async for _ in speech:
            pass
    assert await spoken(espeak, "anna", "Hello.")
    assert espeak.process_id not in (None, dead)


async def test_an_interrupted_speech_makes_way_for_the_next(espeak: Espeak) -> None:
    """Of many sentences left behind, none is in the way of another call."""
    for _ in range(20):
        speech = espeak.speak(each(*["This will be cut short."] * 5), VoiceOptions("anna"))
        await anext(speech)
        await speech.aclose()
    async with asyncio.timeout(5):
        assert await spoken(espeak, "anna", "Hello.")


async def test_words_it_does_not_say_take_no_time(espeak: Espeak) -> None:
    """Signs between words stand where they were written."""
    sounds = await spoken(espeak, "anna", "It was \u2014 I think \u2014 at 7:30 \U0001f600")
    words = {word.text: word for sound in sounds for word in sound.words}
    assert list(words) == ["It", "was", "\u2014", "I", "think", "at", "7:30", "\U0001f600"]
    assert words["\U0001f600"].start_ms == words["\U0001f600"].end_ms
    assert words["was"].end_ms > words["was"].start_ms


async def test_refuses_a_voice_that_it_does_not_have(espeak: Espeak) -> None:
    """Before anything is spoken."""
    with pytest.raises(Refused, match="nobody"):
        await spoken(espeak, "nobody", "Hello.")


async def test_must_be_running() -> None:
    """Neither before the start nor after the end; the end leaves no process."""
    provider = Espeak()
    with pytest.raises(Unavailable):
        await spoken(provider, "anna", "Hello.")
    await provider.start()
    program = provider.process_id
    assert program is not None
    await provider.close()
    with pytest.raises(ProcessLookupError):
        os.kill(program, 0)
    with pytest.raises(Unavailable):
        await spoken(provider, "anna", "Hello.")
