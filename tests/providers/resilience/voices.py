"""Voices that can be broken, and what is heard of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from antiphon_providers.contract.text_to_speech import each
from antiphon_providers.interfaces import Sound, TextToSpeech, VoiceOptions
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.text_to_speech import ResilientTextToSpeech
from antiphon_providers.scripted import ScriptedTextToSpeech
from antiphon_providers.scripted.text_to_speech import TextToSpeechScript
from providers.resilience.witness import Witness, candidates, now

VOICE = VoiceOptions("james")
REPLY = ("Good morning, this is the office.", "We open at nine today.", "Anything else?")
HUM = b"\1\2" * 480


def voice(fault: str = "", **script: object) -> ScriptedTextToSpeech:
    """A letter takes 60 ms, a sound has 40."""
    return ScriptedTextToSpeech(TextToSpeechScript(fault=fault, **script))  # type: ignore[arg-type]


def resilient(
    *providers: TextToSpeech, policy: Policy | None = None, witness: Witness | None = None
) -> ResilientTextToSpeech:
    """One of several, on the loop's clock."""
    policy = policy or Policy()
    listed = candidates(policy, *providers)
    return ResilientTextToSpeech(listed, policy, witness or Witness(), now)


async def spoken(provider: TextToSpeech, *sentences: str) -> list[Sound]:
    """All sound of them."""
    return [sound async for sound in provider.speak(each(*sentences), VOICE)]


def check(sounds: list[Sound], sentences: tuple[str, ...]) -> None:
    """Every sentence is there once, in order, ended once, about as long as it takes to say."""
    numbers = [sound.sentence for sound in sounds]
    assert numbers == sorted(numbers)
    assert [sound.sentence for sound in sounds if sound.ends] == list(range(len(sentences)))
    for number, sentence in enumerate(sentences):
        own = [sound for sound in sounds if sound.sentence == number]
        assert own[-1].ends
        ms = sum(len(sound.pcm) for sound in own) / 48
        words = [word for sound in own for word in sound.words]
        longest = max(map(len, sentence.split()), default=0) + 1
        assert 0 <= ms - 60 * len(sentence) + 60 <= 60 * (2 * longest) + 100
        if words:
            assert [word.text for word in words] == sentence.split()
            times = [time for word in words for time in (word.start_ms, word.end_ms)]
            assert times == sorted(times)
            assert times[-1] <= ms + 1


class Wrong:
    """A voice that does what no voice should."""

    name, rate = "wrong", 24000

    def __init__(self, *sounds: Sound) -> None:
        self._sounds = sounds

    async def start(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """Takes all sentences, then gives its sounds."""
        del options
        _ = [sentence async for sentence in sentences]
        for sound in self._sounds:
            yield sound
