"""A call's model that hears and speaks is changed between two turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from antiphon_providers.contract.speech_to_speech import (
    HELLO,
    SpeechToSpeechContract,
    replied,
    text_of,
)
from antiphon_providers.errors import ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import (
    HEARING_RATE,
    ConversationOptions,
    Recognised,
    Sound,
    SpeechToSpeech,
    SpokenConversation,
    VoiceOptions,
)
from antiphon_providers.resilience.swapped_conversation import SwappableSpeechToSpeech
from antiphon_providers.scripted import Fault
from antiphon_providers.scripted.speech_to_speech import (
    ScriptedSpeechToSpeech,
    SpeechToSpeechScript,
)
from antiphon_providers.scripted.tones import tone_of
from virtual_time import in_virtual_time

OPTIONS = ConversationOptions(voice=VoiceOptions("ivy"))
SPEECH = tone_of(1, 600, HEARING_RATE)


class TestSwappableSpeechToSpeech(SpeechToSpeechContract):
    """A model that hears and speaks, like any other."""

    def make(self) -> SpeechToSpeech:
        """One that works."""
        return SwappableSpeechToSpeech(ScriptedSpeechToSpeech())


def named(says: str, **script: object) -> ScriptedSpeechToSpeech:
    """A model that hears and says one thing."""
    settings = {"replies": says, "utterances": f"heard by {says}", **script}
    return ScriptedSpeechToSpeech(SpeechToSpeechScript(**settings))  # type: ignore[arg-type]


class Listener:
    """What a conversation makes of what is said."""

    def __init__(self, conversation: SpokenConversation) -> None:
        self.conversation = conversation
        self._results: AsyncIterator[Recognised] = aiter(conversation)

    async def words(self, *, pcm: bytes = SPEECH) -> str:
        """The final words of some speech."""
        self.conversation.feed(pcm)
        self.conversation.flush()
        async for result in self._results:
            if result.flushed:
                return result.text
        raise AssertionError("the conversation ended")


async def answer(conversation: SpokenConversation) -> str:
    """What is said."""
    return text_of(await replied(conversation, HELLO))


@in_virtual_time
async def test_who_heard_the_speaker_answers() -> None:
    """The next turn is the other model's, which is told of voice and hearing as the first was; the
    old one is left and closed.
    """
    old, new = named("old"), named("new")
    model = SwappableSpeechToSpeech(old)
    async with model.open(OPTIONS) as conversation:
        listener = Listener(conversation)
        conversation.feed(SPEECH)
        await model.swap(new)
        await asyncio.sleep(0.1)
        assert (old.desk.active, new.desk.active) == (1, 1)
        assert await listener.words(pcm=b"") == "heard by old"
        await asyncio.sleep(0.1)
        assert await answer(conversation) == "old"
        await asyncio.sleep(0.1)
        assert (old.desk.active, new.desk.active) == (0, 1)
        assert list(new.asked) == [OPTIONS]
        assert await listener.words() == "heard by new"
        assert await answer(conversation) == "new"
    assert new.desk.active == 0
    assert await replied_after_close(old) == []


async def replied_after_close(model: ScriptedSpeechToSpeech) -> list[object]:
    """What a model says that was closed: nothing."""
    async with model.open(OPTIONS) as conversation:
        return list(await replied(conversation, HELLO))


@in_virtual_time
async def test_a_reply_is_said_to_its_end_by_the_model_that_began_it() -> None:
    """In the middle of it nothing changes; one that is cut off ends it, too."""
    old, new = named("one two three", real_time_factor=1), named("new")
    model = SwappableSpeechToSpeech(old)
    async with model.open(OPTIONS) as conversation:
        replying = asyncio.create_task(answer(conversation))
        await asyncio.sleep(0.1)
        await model.swap(new)
        assert await replying == "one two three"
        await asyncio.sleep(0.1)
        assert (old.desk.active, new.desk.active) == (0, 1)
        newest = named("newest")
        cut = asyncio.create_task(answer(conversation))
        await asyncio.sleep(0)
        await model.swap(newest)
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)
        await asyncio.sleep(0.1)
        assert (new.desk.active, newest.desk.active) == (0, 1)
    await model.close()


@in_virtual_time
async def test_a_silent_call_moves_at_once() -> None:
    """As soon as the new one is open; noise without words owes nobody an answer."""
    old, new, newest = named("old"), named("new", utterances=" "), named("newest")
    model = SwappableSpeechToSpeech(old)
    async with model.open(OPTIONS) as conversation:
        await model.swap(new)
        await asyncio.sleep(0.1)
        assert (old.desk.active, new.desk.active) == (0, 1)
        assert await Listener(conversation).words() == ""
        await model.swap(newest)
        await asyncio.sleep(0.1)
        assert (new.desk.active, newest.desk.active) == (0, 1)
    await model.close()


@in_virtual_time
async def test_a_new_one_that_does_not_open_leaves_the_old_one() -> None:
    """Calls that begin later are told."""
    old, new = named("old"), named("new", hearing_fault="unavailable at open")
    model = SwappableSpeechToSpeech(old)
    async with model.open(OPTIONS) as conversation:
        await model.swap(new)
        await asyncio.sleep(0.1)
        listener = Listener(conversation)
        assert await listener.words() == "heard by old"
        assert await answer(conversation) == "old"
        with pytest.raises(Unavailable):
            async with model.open(OPTIONS):
                pass
    await model.close()


@in_virtual_time
async def test_a_reply_that_fails_is_no_reason_to_stay() -> None:
    """Its failure is told, and the next model takes over."""
    old, new = named("old"), named("new")
    model = SwappableSpeechToSpeech(old)
    async with model.open(OPTIONS) as conversation:
        assert await Listener(conversation).words() == "heard by old"
        await model.swap(new)
        old.replies.fault = Fault("refused")
        with pytest.raises(Refused):
            await answer(conversation)
        await asyncio.sleep(0.1)
        assert await answer(conversation) == "new"
    with pytest.raises(ProviderError):
        await answer(conversation)
    await model.close()


@in_virtual_time
async def test_another_rate_is_brought_to_that_of_the_first() -> None:
    """A reply lasts as long as before."""
    old, new = named("as long"), named("as long", rate=16_000)
    model = SwappableSpeechToSpeech(old)
    lengths = []
    async with model.open(OPTIONS) as conversation:
        for change in (old, new):
            await model.swap(change)
            await asyncio.sleep(0.1)
            pieces = await replied(conversation, HELLO)
            sounds = [piece for piece in pieces if isinstance(piece, Sound)]
            lengths.append(sum(len(sound.pcm) for sound in sounds))
            assert [sound.ends for sound in sounds].count(True) == 1
    assert model.rate == 24_000
    assert abs(lengths[0] - lengths[1]) < 24_000 * 2 * 0.01
    await model.close()
