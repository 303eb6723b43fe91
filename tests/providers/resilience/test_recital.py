"""What a voice says must be speech, and come in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from antiphon_providers.contract.text_to_speech import each
from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import Sound
from providers.resilience.voices import HUM, REPLY, VOICE, Wrong, check, resilient, spoken, voice
from providers.resilience.witness import Witness
from virtual_time import in_virtual_time


@pytest.mark.parametrize(
    "sounds",
    [
        [],
        [Sound(b"", 0, ends=True)],
        [Sound(bytes(48000), 0), Sound(bytes(480), 0, ends=True)],
        [Sound(HUM + b"\1", 0, ends=True)],
        [Sound(HUM, 1, ends=True)],
        [Sound(HUM, -1)],
        [Sound(bytes(24000), 0)] * 1000,
        [Sound(HUM * 100, 0)] * 1000,
        ["no sound at all"],
    ],
)
@in_virtual_time
async def test_what_is_no_speech_is_a_failure(sounds: list[Sound]) -> None:
    """Nothing, zeros, half samples, a foreign sentence, and what does not end."""
    second, witness = voice(), Witness()
    heard = await spoken(resilient(Wrong(*sounds), second, witness=witness), REPLY[1])
    assert [sound.sentence for sound in heard if sound.ends] == [0]
    assert any(any(sound.pcm) for sound in heard)
    assert [who for who, _ in witness.failures] == ["a"]


@in_virtual_time
async def test_a_sentence_told_twice_is_spoken_once() -> None:
    """The rest is left to the next voice."""
    twice = [Sound(HUM, 0, ends=True)] * 2
    second = voice()
    sounds = await spoken(resilient(Wrong(*twice), second), "One.", "Two.")
    assert [sound.sentence for sound in sounds if sound.ends] == [0, 1]
    assert list(second.spoken) == ["Two."]


@in_virtual_time
async def test_the_next_voice_is_asked_a_second_after_the_first_was() -> None:
    """And the last one may take as long as the budget has left."""
    loop = asyncio.get_running_loop()
    second = voice(first_sound_ms=4500)
    began = loop.time()
    async for sound in resilient(voice("stall"), second).speak(each(*REPLY), VOICE):
        if sound.pcm:
            break
    assert loop.time() - began == pytest.approx(5.5, abs=0.01)
    late = resilient(voice("stall"), voice(first_sound_ms=5500))
    with pytest.raises(ProviderError) as failed:
        await spoken(late, *REPLY)
    assert failed.value.code == "provider_timeout"


@in_virtual_time
async def test_a_voice_owes_nothing_while_it_has_nothing_to_say() -> None:
    """Nor while the listener has no room: neither a slow writer nor a slow ear is its fault."""
    witness = Witness()
    provider = resilient(voice(), voice(), witness=witness)

    async def slowly() -> AsyncIterator[str]:
        for sentence in REPLY:
            await asyncio.sleep(20)
            yield sentence

    sounds = []
    async for sound in provider.speak(slowly(), VOICE):
        sounds.append(sound)
        await asyncio.sleep(8 if sound.ends else 0)
    check(sounds, REPLY)
    assert witness.failures == []
