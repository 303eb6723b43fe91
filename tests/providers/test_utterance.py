"""Sentences sound in order; one is made ahead, and not more."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from antiphon_providers.errors import Unavailable
from antiphon_providers.utterance import Chunk, Utterance, in_turn


class Voice:
    """Makes utterances and leaves them to the test."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Utterance]] = []
        self.stopped: list[str] = []
        self._grew = asyncio.Event()

    def say(self, sentence: str) -> Utterance:
        """Begins one."""
        utterance = Utterance()
        utterance.stops_with(lambda: self.stopped.append(sentence))
        self.said.append((sentence, utterance))
        self._grew.set()
        return utterance

    async def until(self, count: int) -> None:
        """Returns once so many have begun."""
        while len(self.said) < count:
            self._grew.clear()
            await self._grew.wait()


async def letters() -> AsyncIterator[str]:
    """Sentences without end."""
    for number in range(1000):
        yield str(number)


async def test_one_sentence_is_made_ahead_and_not_more() -> None:
    """The third begins when the first was consumed."""
    voice = Voice()
    sounds = in_turn(letters(), voice.say)
    first = asyncio.ensure_future(anext(sounds))
    await voice.until(2)
    for _ in range(10):
        await asyncio.sleep(0)
    assert [sentence for sentence, _ in voice.said] == ["0", "1"]
    voice.said[0][1].put(Chunk(b"ab", ends=True))
    assert (await first).pcm == b"ab"
    second = asyncio.ensure_future(anext(sounds))
    await voice.until(3)
    voice.said[1][1].put(Chunk(b"cd"))
    assert (await second).sentence == 1
    await sounds.aclose()


async def test_leaving_stops_all_that_was_begun() -> None:
    """The one that is consumed and the one ahead."""
    voice = Voice()
    sounds = in_turn(letters(), voice.say)
    first = asyncio.ensure_future(anext(sounds))
    await voice.until(2)
    voice.said[0][1].put(Chunk(b"ab"))
    await first
    await sounds.aclose()
    assert sorted(voice.stopped) == ["0", "1"]
    assert not any(utterance.is_wanted for _, utterance in voice.said)


async def test_a_failure_comes_in_its_turn() -> None:
    """What was made before it is heard first."""
    voice = Voice()
    sounds = in_turn(letters(), voice.say)
    first = asyncio.ensure_future(anext(sounds))
    await voice.until(2)
    voice.said[1][1].fail(Unavailable("gone"))
    voice.said[0][1].put(Chunk(b"ab", ends=True))
    assert (await first).pcm == b"ab"
    with pytest.raises(Unavailable):
        await anext(sounds)


async def test_a_voice_that_cannot_begin_is_told_of() -> None:
    """Its error is raised where the sound is awaited."""

    def refuse(_sentence: str) -> Utterance:
        raise Unavailable("not running")

    with pytest.raises(Unavailable):
        await anext(in_turn(letters(), refuse))
