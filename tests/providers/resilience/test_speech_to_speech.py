"""Models that hear and speak, as one: asked in order, watched, left alone where they fail."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from antiphon_providers.contract.speech_to_speech import (
    SpeechToSpeechContract,
    replied,
    text_of,
)
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import (
    ConversationOptions,
    Message,
    Prompt,
    Sound,
    SpeechToSpeech,
)
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.speech_to_speech import OPEN_S, ResilientSpeechToSpeech
from antiphon_providers.scripted.speech_to_speech import (
    ScriptedSpeechToSpeech,
    SpeechToSpeechScript,
)
from providers.resilience.watching import Told, Watching
from virtual_time import in_virtual_time

OPTIONS = ConversationOptions()
PROMPT = Prompt((Message(role="user", content="hello"),))
POLICY = Policy(consecutive_failures=2, cooldown_ms=5_000)


def model(**script: object) -> ScriptedSpeechToSpeech:
    """One of these options."""
    return ScriptedSpeechToSpeech(SpeechToSpeechScript(**script))  # type: ignore[arg-type]


class Choir:
    """Several as one, on the loop's clock, and what was told of them."""

    def __init__(self, *models: ScriptedSpeechToSpeech) -> None:
        self.watching = Watching()
        candidates = [
            Candidate[SpeechToSpeech](each, POLICY, name=f"m{number}")
            for number, each in enumerate(models, 1)
        ]
        clock = asyncio.get_running_loop().time
        self.all = ResilientSpeechToSpeech(candidates, POLICY, self.watching, clock)

    @property
    def told(self) -> list[Told]:
        """What the observer was told."""
        return self.watching.told

    async def said(self) -> str:
        """What a conversation of a new call says."""
        async with self.all.open(OPTIONS) as conversation:
            return text_of(await replied(conversation, PROMPT))


class TestResilientSpeechToSpeech(SpeechToSpeechContract):
    """A model that hears and speaks, like any other."""

    def make(self) -> SpeechToSpeech:
        """One that works."""
        candidates = [Candidate[SpeechToSpeech](model(), Policy())]
        return ResilientSpeechToSpeech(candidates, Policy())


@in_virtual_time
async def test_a_reply_is_measured() -> None:
    """Its first sound and its end."""
    choir = Choir(model(replies="Fine.", first_sound_ms=300, real_time_factor=0.5))
    assert (await choir.said()).strip() == "Fine."
    assert choir.watching.times["began", "m1"] == [pytest.approx(0.3)]
    assert choir.watching.times["finished", "m1"] == [pytest.approx(0.3 + 0.15, abs=0.03)]


@in_virtual_time
async def test_the_next_one_opens_where_the_first_does_not() -> None:
    """In the order of preference; who failed is told."""
    first, second = model(hearing_fault="unavailable at open"), model(replies="The second.")
    choir = Choir(first, second)
    assert (await choir.said()).strip() == "The second."
    assert ("failed", "m1", "provider_unavailable") in choir.told


@in_virtual_time
async def test_one_that_does_not_open_in_time_has_failed() -> None:
    """A caller who speaks meanwhile is not heard."""
    choir = Choir(model(hearing_fault="stall at open"))
    begun = asyncio.get_running_loop().time()
    with pytest.raises(TooSlow, match="m1 did not open"):
        await choir.said()
    assert asyncio.get_running_loop().time() - begun == OPEN_S


@in_virtual_time
async def test_one_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    """No call waits for it meanwhile; then one asks, and all do again."""
    one = model(replies="Back.", hearing_fault="stall at open times 2")
    choir = Choir(one)
    for _ in range(2):
        with pytest.raises(TooSlow):
            await choir.said()
    assert ("breaker", "m1", "open") in choir.told
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(Unavailable, match="m1 failed lately"):
        await choir.said()
    assert loop.time() == begun
    await asyncio.sleep(5)
    assert (await choir.said()).strip() == "Back."
    assert ("breaker", "m1", "closed") in choir.told


@pytest.mark.parametrize(
    ("fault", "failure"),
    [("unavailable", Unavailable), ("refused", Refused), ("empty", Malformed)],
)
@in_virtual_time
async def test_a_reply_that_fails_is_told(fault: str, failure: type[ProviderError]) -> None:
    """Silence is a failure, too; it counts for the breaker, and the conversation goes on."""
    one = model(replies="Fine.", fault=f"{fault} times 1")
    choir = Choir(one)
    async with choir.all.open(OPTIONS) as conversation:
        with pytest.raises(failure):
            await replied(conversation, PROMPT)
        assert ("failed", "m1", failure.code) in choir.told
        assert text_of(await replied(conversation, PROMPT)).strip() == "Fine."


@in_virtual_time
async def test_a_reply_that_is_cut_off_is_no_failure() -> None:
    """Whether it had begun or not."""
    choir = Choir(model(replies="A long story.", first_sound_ms=500, real_time_factor=1))
    async with choir.all.open(OPTIONS) as conversation:
        for seconds in (0.2, 0.7):
            running = asyncio.create_task(replied(conversation, PROMPT))
            await asyncio.sleep(seconds)
            running.cancel()
            await asyncio.wait([running])
        async with aclosing(conversation.reply(PROMPT)) as pieces:  # type: ignore[type-var]
            await anext(pieces)
    assert {what for what, *_ in choir.told} == {"began"}


@in_virtual_time
async def test_a_conversation_that_breaks_off_is_told() -> None:
    """And raised: who listens opens another."""
    choir = Choir(model(hearing_fault="unavailable"))
    async with choir.all.open(OPTIONS) as conversation:
        conversation.flush()
        with pytest.raises(Unavailable):
            await anext(aiter(conversation))
    assert choir.told == [("failed", "m1", "provider_unavailable")]


@in_virtual_time
async def test_sound_of_another_rate_is_brought_to_the_first_ones() -> None:
    """As long as it was."""
    first = model(hearing_fault="unavailable at open", rate=24_000)
    choir = Choir(first, model(replies="Ten chars.", rate=8_000))
    async with choir.all.open(OPTIONS) as conversation:
        pieces = await replied(conversation, PROMPT)
    sound = b"".join(piece.pcm for piece in pieces if isinstance(piece, Sound))
    assert len(sound) / 2 / choir.all.rate == pytest.approx(0.6)


@in_virtual_time
async def test_it_starts_and_closes_all_of_them() -> None:
    """And the observer is theirs."""
    one = model()
    choir = Choir(one)
    await choir.all.start()
    other = Watching()
    choir.all.observer = other
    assert choir.all.observer is other
    await choir.all.close()
    with pytest.raises(ProviderError):
        await choir.said()
