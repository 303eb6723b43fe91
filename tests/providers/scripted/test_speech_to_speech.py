"""A model that hears and speaks as it is told to."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from antiphon_providers import registry
from antiphon_providers.errors import Malformed, Refused, Unavailable
from antiphon_providers.interfaces import (
    ConversationOptions,
    HearingOptions,
    Message,
    Prompt,
    Recognised,
    Said,
    Sound,
    Spent,
    SpokenConversation,
    SpokenPiece,
    ToolSpec,
    ToolUse,
    Used,
    VoiceOptions,
    Word,
)
from antiphon_providers.scripted import Fault, ScriptedSpeechToSpeech
from antiphon_providers.scripted.speech_to_speech import SpeechToSpeechScript
from antiphon_providers.scripted.tones import number_of, sine, tone_of
from virtual_time import in_virtual_time

SPEECH = sine(300, 600, 16000)
PROMPT = Prompt((Message(role="user", content="hello there"),))
OPTIONS = ConversationOptions(HearingOptions(partials=False), VoiceOptions("anna"))


def twin(**script: object) -> ScriptedSpeechToSpeech:
    """A twin with this script."""
    return ScriptedSpeechToSpeech(SpeechToSpeechScript(**script))  # type: ignore[arg-type]


async def replied(
    conversation: SpokenConversation, prompt: Prompt = PROMPT
) -> list[tuple[float, SpokenPiece]]:
    """The pieces of a reply, each with the milliseconds it took."""
    clock = asyncio.get_running_loop().time
    asked = clock()
    return [(round((clock() - asked) * 1000), piece) async for piece in conversation.reply(prompt)]


async def answer(model: ScriptedSpeechToSpeech, prompt: Prompt = PROMPT) -> list[SpokenPiece]:
    """The pieces of a reply in a conversation of its own."""
    async with model.open(OPTIONS) as conversation:
        return [piece for _, piece in await replied(conversation, prompt)]


async def test_it_hears_what_it_is_told_and_says_what_it_is_told() -> None:
    """Each audible segment is the next utterance, each answer the next reply."""
    model = twin(utterances="one|two", replies="First.|Second.")
    async with model.open(OPTIONS) as conversation:
        for pcm in (SPEECH, bytes(32_000), SPEECH):
            conversation.feed(pcm)
            conversation.flush()
        results = aiter(conversation)
        assert [await anext(results) for _ in range(3)] == [
            Recognised(text, flushed=True) for text in ("one", "", "two")
        ]
        for text in ("First.", "Second.", "First."):
            pieces = [piece for _, piece in await replied(conversation)]
            assert "".join(piece.text for piece in pieces if isinstance(piece, Said)) == text
    assert list(model.asked) == [OPTIONS]
    assert list(model.prompts) == [PROMPT] * 3


async def test_words_come_just_before_their_sound() -> None:
    """A character takes 60 ms, a sound is at most 400 ms; times are told where wanted."""
    pieces = await answer(twin(replies="Hello my friend.", chunk_ms=400, word_times=True))
    words = {"Hello": Word("Hello", 0, 300), "my": Word("my", 360, 480)}
    shape = [piece if isinstance(piece, (Said, Spent)) else piece.words for piece in _heard(pieces)]
    assert shape == [
        Said("Hello"),
        Said(" my"),
        (words["Hello"], words["my"]),
        Said(" friend."),
        (Word("friend.", 540, 960),),
        (),
        Spent(2, 3),
    ]
    assert [sound.ends for sound in _sounds(pieces)] == [False, False, True]
    without = await answer(twin(replies="Hello my friend.", chunk_ms=400))
    assert not any(sound.words for sound in _sounds(without))


def _heard(pieces: list[SpokenPiece]) -> list[Said | Sound | Spent]:
    return [piece for piece in pieces if not isinstance(piece, Used)]


def _sounds(pieces: list[SpokenPiece]) -> list[Sound]:
    return [piece for piece in pieces if isinstance(piece, Sound)]


async def test_it_hums_for_as_long_as_its_words_take() -> None:
    """At its rate, never silent."""
    pieces = await answer(twin(replies="Hello.", rate=16_000))
    samples = np.frombuffer(b"".join(sound.pcm for sound in _sounds(pieces)), np.int16)
    assert samples.size == 6 * 60 * 16
    assert np.abs(samples.astype(int)).max() > 5000


@in_virtual_time
async def test_it_takes_the_time_that_it_is_told_to_take() -> None:
    """To the first sound, and for each second of speech."""
    model = twin(replies="abcdefghij", chunk_ms=300, first_sound_ms=500, real_time_factor=0.5)
    async with model.open(OPTIONS) as conversation:
        pieces = await replied(conversation)
    assert [ms for ms, _ in pieces] == [500, 500, 650, 800]


async def test_a_tool_is_called_without_a_sound_and_its_result_is_spoken() -> None:
    """Only where it is offered and the user spoke last."""
    model = twin(tool="look", tool_arguments='{"where": "up"}')
    tools = (ToolSpec("look"),)
    pieces = await answer(model, Prompt(PROMPT.messages, tools))
    use = ToolUse("call_1", "look", {"where": "up"})
    assert pieces == [Used(use), Spent(2, 1)]
    told = (
        *PROMPT.messages,
        Message(role="assistant", tool_uses=(use,)),
        Message(role="tool", content="sky", call_id="call_1"),
    )
    spoken = await answer(model, Prompt(told, tools))
    assert "".join(p.text for p in spoken if isinstance(p, Said)) == "The tool says: sky"


async def test_an_echo_hears_a_number_and_sounds_it() -> None:
    """So that a load test can tell whose answer it hears."""
    model = twin(mode="echo")
    async with model.open(OPTIONS) as conversation:
        conversation.feed(tone_of(1234, 500, 16_000))
        conversation.flush()
        heard = await anext(aiter(conversation))
        prompt = Prompt((Message(role="user", content=heard.text),))
        pieces = [piece for _, piece in await replied(conversation, prompt)]
    assert heard.text == "caller 1234"
    pcm = b"".join(sound.pcm for sound in _sounds(pieces))
    assert number_of(pcm, model.rate) == 1234


async def test_it_fails_as_it_is_told() -> None:
    """A reply after so many pieces, or with nothing in it; a conversation at open or later."""
    async with twin(fault="malformed after 2", replies="One two three.").open(OPTIONS) as one:
        with pytest.raises(Malformed):
            await replied(one)
    async with twin(fault="empty times 1").open(OPTIONS) as one:
        assert await replied(one) == []
        assert await replied(one) != []
    with pytest.raises(Refused):
        await answer(twin(hearing_fault="refused at open"))
    async with twin(hearing_fault="unavailable after 1").open(OPTIONS) as one:
        one.flush()
        one.flush()
        results = aiter(one)
        assert (await anext(results)).flushed
        with pytest.raises(Unavailable):
            await anext(results)


async def test_faults_can_be_set_and_counts_be_read_while_it_runs() -> None:
    """``desk`` is that of conversations, ``replies`` that of replies."""
    model = twin()
    model.replies.fault = Fault("unavailable", times=1)
    async with model.open(OPTIONS) as conversation:
        assert (model.desk.active, model.replies.active) == (1, 0)
        with pytest.raises(Unavailable):
            await replied(conversation)
        assert await replied(conversation)
    assert (model.desk.active, model.replies.opened, model.replies.active) == (0, 2, 0)


@in_virtual_time
async def test_a_reply_ends_with_its_conversation() -> None:
    """Whatever it waits for, and one that is asked for afterwards too."""
    model = twin(first_sound_ms=60_000)
    async with model.open(OPTIONS) as conversation:
        reply = asyncio.create_task(replied(conversation))
        await asyncio.sleep(1)
    assert await reply == []
    assert await replied(conversation) == []
    assert model.replies.active == 0


def test_settings_come_as_text_and_are_checked() -> None:
    """As those of every provider."""
    model = registry.create("speech_to_speech", "scripted", {"first_sound_ms": "300"})
    assert model.options.first_sound_ms == 300
    for wrong in ({"fault": "often"}, {"hearing_fault": "often"}, {"tool_arguments": "["}):
        with pytest.raises(Refused, match="speech to speech provider 'scripted'"):
            registry.create("speech_to_speech", "scripted", wrong)
