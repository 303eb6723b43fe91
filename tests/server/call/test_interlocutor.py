"""The model that a call's ears and replies share, and who stands in for it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from antiphon_providers.errors import SESSION_EXPIRED, ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import (
    ConversationOptions,
    HearingOptions,
    Prompt,
    Recognised,
    Said,
    SpokenPiece,
    VoiceOptions,
)
from antiphon_providers.scripted.tones import sine
from antiphon_server.call.interlocutor import MOST_BROKEN, OPENING_SECONDS, Interlocutor
from server.call.scripted_call import sample, stt
from server.call.spoken_twin import SpokenTwin, Step
from virtual_time import in_virtual_time

PROMPT = Prompt(())
OPTIONS = HearingOptions(("Antiphon",))
ANNA = VoiceOptions("anna")


def meeting(model: SpokenTwin, **spare: object) -> Interlocutor:
    """An interlocutor of a call whose voice is Anna's."""
    return Interlocutor(model, stt(**spare), lambda: ANNA)


async def answered(interlocutor: Interlocutor) -> list[SpokenPiece]:
    """A whole reply."""
    return [piece async for piece in interlocutor.reply(PROMPT)]


async def heard(interlocutor: Interlocutor) -> Recognised:
    """What it makes of half a second of voice."""
    async with interlocutor.open(OPTIONS) as stream:
        stream.feed(sine(220, 500, 16_000))
        stream.flush()
        results = aiter(stream)
        while not (result := await anext(results)).flushed:
            pass
        return result


async def broken_off(interlocutor: Interlocutor, failure: ProviderError) -> None:
    """A conversation that fails while its ears listen."""
    async with interlocutor.open(OPTIONS):
        raise failure


@in_virtual_time
async def test_it_hears_and_answers_in_one_conversation() -> None:
    """Opened once, with what a recogniser is told and the call's voice; closed with the ears."""
    model = SpokenTwin([Said("Hello.")], hearing=stt(utterances="by the model"))
    interlocutor = meeting(model)
    async with interlocutor.open(OPTIONS) as stream:
        assert interlocutor.name == "spoken"
        assert await answered(interlocutor) == [Said("Hello.")]
        assert model.prompts == [PROMPT]
        stream.flush()
    assert (await heard(interlocutor)).text == "by the model"
    assert model.asked == [ConversationOptions(OPTIONS, ANNA)] * 2
    assert model.open_conversations == 0


@in_virtual_time
async def test_without_a_conversation_there_is_no_answer() -> None:
    """Before it is opened, and once it is closed."""
    interlocutor = meeting(SpokenTwin())
    for _ in range(2):
        with pytest.raises(Unavailable):
            await answered(interlocutor)
        async with interlocutor.open(OPTIONS):
            await answered(interlocutor)


@in_virtual_time
async def test_a_reply_waits_for_a_conversation_that_is_being_opened() -> None:
    """As at the start of a call; not for one that takes long, nor for one that broke off."""
    model = SpokenTwin([Said("Hello.")], [Said("Again.")])
    interlocutor = meeting(model)
    loop = asyncio.get_running_loop()
    for delay, waited in ((1.5, 1.5), (3.0, OPENING_SECONDS)):
        model.opening_seconds = delay
        opening = asyncio.create_task(heard(interlocutor))
        begun = loop.time()
        answering = asyncio.create_task(answered(interlocutor))
        await asyncio.wait([answering])
        assert loop.time() - begun == pytest.approx(waited)
        assert (answering.exception() is None) == (delay < OPENING_SECONDS)
        await opening
        with pytest.raises(Unavailable):
            await answered(interlocutor)
    assert loop.time() - begun == pytest.approx(3.0)


@pytest.mark.parametrize("failure", [Unavailable("away"), Refused("wrong key")])
@in_virtual_time
async def test_while_it_cannot_be_opened_the_recogniser_hears(failure: ProviderError) -> None:
    """Whatever the reason: the call is not the one to pay for it. It is counted, and the name
    is that of who listens; the next opening asks the model again.
    """
    labels = {"stage": "speech_to_speech", "provider": "spoken", "code": failure.code}
    before = sample("antiphon_provider_errors_total", **labels)
    model = SpokenTwin(hearing=stt(utterances="by the model"))
    model.refuses = failure
    interlocutor = meeting(model, utterances="by the spare")
    assert (await heard(interlocutor)).text == "by the spare"
    assert interlocutor.name == "scripted"
    async with interlocutor.open(OPTIONS):
        with pytest.raises(Unavailable):
            await answered(interlocutor)
    assert sample("antiphon_provider_errors_total", **labels) == before + 2
    model.refuses = None
    assert (await heard(interlocutor)).text == "by the model"
    assert interlocutor.name == "spoken"


@in_virtual_time
async def test_where_neither_can_be_opened_it_says_so() -> None:
    """As any recogniser does."""
    model = SpokenTwin()
    model.refuses = Unavailable("away")
    with pytest.raises(Unavailable):
        async with meeting(model, fault="unavailable at open").open(OPTIONS):
            pass


@in_virtual_time
async def test_one_that_breaks_off_again_and_again_is_given_up() -> None:
    """The fourth time the recogniser hears the rest of the call."""
    model = SpokenTwin()
    interlocutor = meeting(model)
    for _ in range(MOST_BROKEN):
        with pytest.raises(Unavailable, match="reset"):
            await broken_off(interlocutor, Unavailable("reset"))
    assert len(model.asked) == MOST_BROKEN
    async with interlocutor.open(OPTIONS):
        assert interlocutor.name == "scripted"


@in_virtual_time
async def test_one_whose_time_is_over_is_opened_again_however_often() -> None:
    """Vendors end a conversation after an hour; a call may go on for longer than three."""
    interlocutor = meeting(SpokenTwin())
    over = Unavailable("an hour is over", provider_code=SESSION_EXPIRED)
    for _ in range(MOST_BROKEN + 1):
        with pytest.raises(Unavailable, match="hour"):
            await broken_off(interlocutor, over)
    async with interlocutor.open(OPTIONS):
        assert interlocutor.name == "spoken"


@in_virtual_time
async def test_one_that_says_that_asking_is_no_use_is_given_up_at_once() -> None:
    """And what is raised says that it is of use: somebody else will be opened."""
    interlocutor = meeting(SpokenTwin())
    with pytest.raises(Unavailable, match="no credit"):
        await broken_off(interlocutor, Refused("no credit"))
    async with interlocutor.open(OPTIONS):
        assert interlocutor.name == "scripted"


@in_virtual_time
async def test_one_reply_at_a_time() -> None:
    """One that is cut off has ended before the next is asked for."""
    slow: list[Step] = [Said("one"), 60.0]
    model = SpokenTwin(slow, [Said("two")])
    interlocutor = meeting(model)
    async with interlocutor.open(OPTIONS):
        first = asyncio.create_task(answered(interlocutor))
        await asyncio.sleep(1)
        second = asyncio.create_task(answered(interlocutor))
        await asyncio.sleep(1)
        assert len(model.prompts) == 1
        first.cancel()
        assert await second == [Said("two")]
        assert model.most_running == 1


@in_virtual_time
async def test_a_reply_that_is_left_stops_the_model() -> None:
    """Closing the iteration is enough."""
    model = SpokenTwin([Said("one"), Said("two")])
    interlocutor = meeting(model)
    async with interlocutor.open(OPTIONS):
        async with aclosing(interlocutor.reply(PROMPT)) as pieces:
            assert await anext(pieces) == Said("one")
        assert model.running == 0


@in_virtual_time
async def test_a_reply_of_a_former_conversation_does_not_hold_up_the_next() -> None:
    """One that hangs belongs to a conversation that is gone."""
    model = SpokenTwin([60.0], [Said("two")])
    interlocutor = meeting(model)
    async with interlocutor.open(OPTIONS):
        hanging = asyncio.create_task(answered(interlocutor))
        await asyncio.sleep(1)
    async with interlocutor.open(OPTIONS):
        assert await answered(interlocutor) == [Said("two")]
    hanging.cancel()
    await asyncio.wait([hanging])


@in_virtual_time
async def test_starting_and_closing_it_leaves_the_providers_alone() -> None:
    """They are the node's."""
    model = SpokenTwin()
    interlocutor = meeting(model)
    await interlocutor.start()
    await interlocutor.close()
    async with interlocutor.open(OPTIONS):
        assert await answered(interlocutor)
