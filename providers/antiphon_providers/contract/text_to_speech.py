"""What every voice must keep to; see ``antiphon_providers.interfaces``."""

# ruff: noqa: S101, PLR2004 -- to assert is what a contract does, with numbers of its own.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from antiphon_providers.contract.promise import (
    LONGEST_BLOCK_MS,
    PATIENCE_S,
    cancel,
    ended,
    nothing_left,
    promised,
)
from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import Sound, TextToSpeech, VoiceOptions

SENTENCES = ("Hello, how can I help you today?", "We open at nine.", "See you then!")


async def each(*sentences: str) -> AsyncIterator[str]:
    """Sentences that are all there at once."""
    for sentence in sentences:
        yield sentence


async def spoken(provider: TextToSpeech, voice: str, *sentences: str) -> list[Sound]:
    """All sound of some sentences."""
    return [sound async for sound in provider.speak(each(*sentences), VoiceOptions(voice))]


def milliseconds(provider: TextToSpeech, sounds: list[Sound]) -> float:
    """How long they are."""
    return sum(len(sound.pcm) for sound in sounds) / 2 * 1000 / provider.rate


def pcm_of(sounds: list[Sound]) -> bytes:
    """Their PCM as one."""
    return b"".join(sound.pcm for sound in sounds)


def likeness(one: bytes, other: bytes) -> float:
    """How alike two sounds grow louder and softer, up to 1: 0.99 for the same words by the same
    voice, well below 0.9 for others.
    """
    levels = []
    for pcm in (one, other):
        samples = np.frombuffer(pcm, np.int16).astype(np.float64)
        steps = samples[: samples.size // 400 * 400].reshape(-1, 400)
        levels.append(np.sqrt(np.mean(steps**2, axis=1)))
    shorter = min(map(len, levels))
    first, second = (level[:shorter] for level in levels)
    scale = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / scale if scale else 1.0


class TextToSpeechContract:
    """Inherit this in a test class and say how to ``make`` the provider, and a ``voice`` it has."""

    voice = "anna"

    patience_s = PATIENCE_S
    longest_block_ms = LONGEST_BLOCK_MS

    def make(self) -> TextToSpeech:
        """A provider, not yet started."""
        raise NotImplementedError

    def make_unreachable(self) -> TextToSpeech | None:
        """The same, whose service is not there; None for one that needs no service."""
        return None

    @pytest_asyncio.fixture(loop_scope="function")
    async def provider(self) -> AsyncIterator[TextToSpeech]:
        """A provider that runs."""
        provider = self.make()
        await provider.start()
        yield provider
        await provider.close()

    @promised
    async def test_speaks_every_sentence_in_order_and_ends_it_once(
        self, provider: TextToSpeech
    ) -> None:
        """Sounds count the sentences from 0; the last sound of each, and no other, ends it."""
        sounds = await spoken(provider, self.voice, *SENTENCES)
        assert [sound.sentence for sound in sounds] == sorted(sound.sentence for sound in sounds)
        assert [sound.sentence for sound in sounds if sound.ends] == [0, 1, 2]
        for number in range(len(SENTENCES)):
            own = [sound for sound in sounds if sound.sentence == number]
            assert own[-1].ends
            assert milliseconds(provider, own) > 100

    @promised
    async def test_gives_whole_samples(self, provider: TextToSpeech) -> None:
        """Its PCM has an even number of bytes; its rate is one that audio has."""
        sounds = await spoken(provider, self.voice, SENTENCES[0])
        assert all(len(sound.pcm) % 2 == 0 for sound in sounds)
        assert 8000 <= provider.rate <= 48_000

    @promised
    async def test_begins_before_the_last_sentence_is_known(self, provider: TextToSpeech) -> None:
        """The first sentence sounds while the second is still being written."""
        heard = asyncio.Event()

        async def written() -> AsyncIterator[str]:
            yield SENTENCES[0]
            await heard.wait()
            yield SENTENCES[1]

        numbers: list[int] = []
        async for sound in provider.speak(written(), VoiceOptions(self.voice)):
            numbers.append(sound.sentence)
            if sound.pcm:
                heard.set()
        assert numbers[-1] == 1

    @promised
    async def test_is_silent_where_there_is_nothing_to_say(self, provider: TextToSpeech) -> None:
        """No sentences make no sound; a sentence without words still ends."""
        assert await spoken(provider, self.voice) == []
        sounds = await spoken(provider, self.voice, "", SENTENCES[1])
        assert [sound.sentence for sound in sounds if sound.ends] == [0, 1]

    @promised
    async def test_times_its_words_within_its_sound_or_not_at_all(
        self, provider: TextToSpeech
    ) -> None:
        """Given words are those of the sentence, in order, none after its end."""
        sounds = await spoken(provider, self.voice, SENTENCES[0])
        words = [word for sound in sounds for word in sound.words]
        if not words:
            return
        assert [word.text for word in words] == SENTENCES[0].split()
        times = [time for word in words for time in (word.start_ms, word.end_ms)]
        assert times == sorted(times)
        assert times[0] >= 0
        assert times[-1] <= milliseconds(provider, sounds) + 50

    @promised
    async def test_stops_when_the_iteration_is_cancelled(self, provider: TextToSpeech) -> None:
        """A cancelled speech is gone, and the next is whole."""
        whole = milliseconds(provider, await spoken(provider, self.voice, SENTENCES[1]))
        began = asyncio.Event()

        speech = asyncio.create_task(
            _followed(provider, each(*SENTENCES * 5), self.voice, began, hold=True)
        )
        await began.wait()
        await cancel(speech)
        again = milliseconds(provider, await spoken(provider, self.voice, SENTENCES[1]))
        assert again == pytest.approx(whole, abs=1)

    @promised
    async def test_speaks_for_many_at_once(self, provider: TextToSpeech) -> None:
        """Calls at the same time get the sound that each would get alone (an engine may add
        breath at random).
        """
        alone = [await spoken(provider, self.voice, sentence) for sentence in SENTENCES]
        together = await asyncio.gather(
            *(spoken(provider, self.voice, sentence) for sentence in SENTENCES)
        )
        for one, other in zip(alone, together, strict=True):
            assert milliseconds(provider, one) == pytest.approx(
                milliseconds(provider, other), abs=20
            )
            assert likeness(pcm_of(one), pcm_of(other)) > 0.95

    @promised
    async def test_passes_on_what_the_sentences_raise(self, provider: TextToSpeech) -> None:
        """A writer that fails is not taken for one that has finished."""

        async def written() -> AsyncIterator[str]:
            yield SENTENCES[0]
            raise LookupError("the writer failed")

        with pytest.raises(LookupError):
            async for _ in provider.speak(written(), VoiceOptions(self.voice)):
                pass

    @promised
    async def test_ends_its_speech_when_it_closes(self) -> None:
        """An iteration under way ends, with or without a typed error; no work goes on."""
        before = asyncio.all_tasks()
        provider = self.make()
        await provider.start()
        began = asyncio.Event()

        async def endless() -> AsyncIterator[str]:
            while True:
                yield SENTENCES[0]

        speech = asyncio.create_task(_followed(provider, endless(), self.voice, began))
        await began.wait()
        await provider.close()
        await ended(speech)
        await nothing_left(before)

    @promised
    async def test_lets_go_where_it_waits(self, provider: TextToSpeech) -> None:
        """Cancelled in the middle of the iteration it ends at once, whatever it was doing."""
        began = asyncio.Event()
        speech = asyncio.create_task(_followed(provider, each(*SENTENCES * 5), self.voice, began))
        await began.wait()
        await cancel(speech)
        assert await spoken(provider, self.voice, SENTENCES[1])

    @promised
    async def test_fails_with_a_typed_error_where_its_service_is_gone(self) -> None:
        """At the start or at the first sentence: one of ``antiphon_providers.errors``."""
        provider = self.make_unreachable()
        if provider is None:
            return
        with pytest.raises(ProviderError):
            await _used(provider, self.voice)
        await provider.close()


async def _followed(
    provider: TextToSpeech,
    sentences: AsyncIterator[str],
    voice: str,
    began: asyncio.Event,
    *,
    hold: bool = False,
) -> None:
    """Takes speech sound by sound; ``began`` when there is one, or an end. With ``hold`` it
    never asks for the second.
    """
    try:
        async for _ in provider.speak(sentences, VoiceOptions(voice)):
            began.set()
            if hold:
                await asyncio.Event().wait()
    finally:
        began.set()


async def _used(provider: TextToSpeech, voice: str) -> None:
    """Starts it and has it speak once."""
    await provider.start()
    await spoken(provider, voice, SENTENCES[0])
