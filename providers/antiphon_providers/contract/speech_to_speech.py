"""What every model that hears and speaks must keep to; see ``antiphon_providers.interfaces``."""

# ruff: noqa: S101, PLR2004 -- to assert is what a contract does, with numbers of its own.

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress

import pytest
import pytest_asyncio

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.promise import (
    LONGEST_BLOCK_MS,
    PATIENCE_S,
    cancel,
    ended,
    nothing_left,
    promised,
)
from antiphon_providers.contract.speech_to_text import SpeechToTextContract, feed, segment
from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import (
    ConversationOptions,
    HearingOptions,
    Message,
    Prompt,
    Said,
    Sound,
    SpeechToSpeech,
    Spent,
    SpokenConversation,
    SpokenPiece,
    ToolSpec,
    ToolUse,
)

OPTIONS = ConversationOptions()
SYSTEM = Message(role="system", content="You are a friendly assistant.")
HELLO = Prompt((SYSTEM, Message(role="user", content="Hello, who are you?")))


async def replied(conversation: SpokenConversation, prompt: Prompt) -> list[SpokenPiece]:
    """All pieces of a reply."""
    return [piece async for piece in conversation.reply(prompt)]


def text_of(pieces: list[SpokenPiece]) -> str:
    """What is said in it."""
    return "".join(piece.text for piece in pieces if isinstance(piece, Said))


def milliseconds(provider: SpeechToSpeech, pieces: list[SpokenPiece]) -> float:
    """How long its sound is."""
    sounds = [piece for piece in pieces if isinstance(piece, Sound)]
    return sum(len(sound.pcm) for sound in sounds) / 2 * 1000 / provider.rate


class Caller:
    """Somebody who speaks in a conversation."""

    def __init__(self, conversation: SpokenConversation) -> None:
        self.conversation = conversation
        self.results = aiter(conversation)

    async def asks(self, *before: Message) -> Prompt:
        """The prompt with the words that were heard of what was said."""
        await feed(self.conversation, human_speech.clip("best").pcm)
        self.conversation.flush()
        words = (await segment(self.results))[-1].text
        return Prompt((SYSTEM, *before, Message(role="user", content=words)))

    async def answered(self) -> list[SpokenPiece]:
        """Asks, and is answered."""
        return await replied(self.conversation, await self.asks())


class AsRecogniser:
    """What hears and speaks, as a recogniser: it keeps to their contract too."""

    def __init__(self, provider: SpeechToSpeech) -> None:
        self.provider = provider
        self.name = provider.name

    async def start(self) -> None:
        """It runs already."""

    async def close(self) -> None:
        """Its owner closes it."""

    def open(self, options: HearingOptions) -> AbstractAsyncContextManager[SpokenConversation]:
        """A conversation."""
        return self.provider.open(ConversationOptions(options))


class SpeechToSpeechContract:
    """Inherit this in a test class and say how to ``make`` the provider."""

    patience_s = PATIENCE_S
    longest_block_ms = LONGEST_BLOCK_MS

    # A conversation is a recogniser of what is said in it.
    test_hears_words_in_speech = SpeechToTextContract.test_hears_words_in_speech
    test_hears_no_words_in_silence = SpeechToTextContract.test_hears_no_words_in_silence_or_nothing
    test_answers_each_flush_once = SpeechToTextContract.test_answers_each_flush_once_and_in_order
    test_gives_partials_only_where_they_are_wanted = (
        SpeechToTextContract.test_gives_partials_only_where_they_are_wanted
    )
    test_takes_pieces_of_any_length = SpeechToTextContract.test_takes_pieces_of_any_length
    test_hears_many_calls_at_once = SpeechToTextContract.test_hears_many_calls_at_once
    test_ends_with_its_context = SpeechToTextContract.test_ends_with_its_context
    test_lets_go_where_it_listens = SpeechToTextContract.test_lets_go_where_it_waits

    def make(self) -> SpeechToSpeech:
        """A provider, not yet started."""
        raise NotImplementedError

    def make_unreachable(self) -> SpeechToSpeech | None:
        """The same, whose service is not there; None for one that needs no service."""
        return None

    @pytest_asyncio.fixture(loop_scope="function")
    async def provider(self) -> AsyncIterator[SpeechToSpeech]:
        """A provider that runs, and speech at hand to be heard."""
        human_speech.reading()
        provider = self.make()
        await provider.start()
        yield provider
        await provider.close()

    @pytest.fixture
    def recogniser(self, provider: SpeechToSpeech) -> AsRecogniser:
        """The same as a recogniser."""
        return AsRecogniser(provider)

    @promised
    async def test_answers_what_it_heard_in_words_and_sound(self, provider: SpeechToSpeech) -> None:
        """The words of a reply and its sound; a cost, where one is told, is told once, last."""
        async with provider.open(OPTIONS) as conversation:
            pieces = await Caller(conversation).answered()
        assert text_of(pieces).strip()
        assert milliseconds(provider, pieces) > 100
        costs = [number for number, piece in enumerate(pieces) if isinstance(piece, Spent)]
        assert costs in ([], [len(pieces) - 1])

    @promised
    async def test_a_reply_is_one_sentence_that_ends_once(self, provider: SpeechToSpeech) -> None:
        """All sound is of number 0, the last of it ends; whole samples at a rate audio has."""
        async with provider.open(OPTIONS) as conversation:
            pieces = await Caller(conversation).answered()
        sounds = [piece for piece in pieces if isinstance(piece, Sound)]
        assert {sound.sentence for sound in sounds} == {0}
        assert [sound.ends for sound in sounds] == [False] * (len(sounds) - 1) + [True]
        assert all(len(sound.pcm) % 2 == 0 for sound in sounds)
        assert 8000 <= provider.rate <= 48_000

    @promised
    async def test_times_its_words_within_its_sound_or_not_at_all(
        self, provider: SpeechToSpeech
    ) -> None:
        """Given words are those of the reply, in order, none after its end."""
        async with provider.open(OPTIONS) as conversation:
            pieces = await replied(conversation, HELLO)
        words = [word for piece in pieces if isinstance(piece, Sound) for word in piece.words]
        if not words:
            return
        assert [word.text for word in words] == text_of(pieces).split()
        times = [time for word in words for time in (word.start_ms, word.end_ms)]
        assert times == sorted(times)
        assert times[-1] <= milliseconds(provider, pieces) + 50

    @promised
    async def test_answers_what_it_never_heard(self, provider: SpeechToSpeech) -> None:
        """A conversation that was opened again, or in which somebody typed: words are enough."""
        call = ToolUse("call_1", "get_weather", {"city": "Paris"})
        history = (
            SYSTEM,
            Message(role="assistant", content="Hello! How can I"),
            Message(role="user", content="What is the weather in Paris?"),
            Message(role="assistant", tool_uses=(call,)),
            Message(role="tool", content='{"sky": "clear"}', call_id="call_1"),
        )
        tool = ToolSpec("get_weather", "Today's weather.", {"type": "object", "properties": {}})
        async with provider.open(OPTIONS) as conversation:
            assert text_of(await replied(conversation, HELLO)).strip()
            assert await replied(conversation, Prompt(history, (tool,)))
        async with provider.open(OPTIONS) as conversation:
            assert await replied(conversation, Prompt(history, (tool,)))

    @promised
    async def test_goes_on_when_it_was_cut(self, provider: SpeechToSpeech) -> None:
        """What was said is cut to what was heard, and something else is asked; it answers."""
        async with provider.open(OPTIONS) as conversation:
            caller = Caller(conversation)
            first = await caller.asks()
            said = text_of(await replied(conversation, first))
            heard = Message(role="assistant", content=said.strip()[: len(said) // 2].strip())
            again = await caller.asks(first.messages[-1], heard)
            assert text_of(await replied(conversation, again)).strip()
            forgotten = Prompt((SYSTEM, again.messages[-1]))
            assert text_of(await replied(conversation, forgotten)).strip()

    @promised
    async def test_answers_an_empty_prompt_or_refuses_it(self, provider: SpeechToSpeech) -> None:
        """And no harm comes of it."""
        async with provider.open(OPTIONS) as conversation:
            with suppress(ProviderError):
                await replied(conversation, Prompt(()))
            assert text_of(await replied(conversation, HELLO)).strip()

    @promised
    async def test_answers_many_calls_at_once(self, provider: SpeechToSpeech) -> None:
        """Every call gets its answer."""

        async def call() -> str:
            async with provider.open(OPTIONS) as conversation:
                return text_of(await Caller(conversation).answered())

        assert all(text.strip() for text in await asyncio.gather(*(call() for _ in range(4))))

    @promised
    async def test_hears_while_it_speaks(self, provider: SpeechToSpeech) -> None:
        """Words that are spoken into a reply are told, and the reply goes on."""
        async with provider.open(OPTIONS) as conversation:
            began = asyncio.Event()
            reply = asyncio.create_task(_followed(conversation, began))
            await began.wait()
            prompt = await Caller(conversation).asks()
            await reply
            assert prompt.messages[-1].content.strip()
            assert text_of(await replied(conversation, prompt)).strip()

    @promised
    async def test_stops_when_the_iteration_is_cancelled(self, provider: SpeechToSpeech) -> None:
        """A cancelled reply is gone, and the next, asked for at once, is whole."""
        async with provider.open(OPTIONS) as conversation:
            for hold in (True, False):
                began = asyncio.Event()
                reply = asyncio.create_task(_followed(conversation, began, hold=hold))
                await began.wait()
                await cancel(reply)
                pieces = await replied(conversation, HELLO)
                assert text_of(pieces).strip()
                sounds = [piece for piece in pieces if isinstance(piece, Sound)]
                assert [sound.ends for sound in sounds].count(True) == 1

    @promised
    async def test_ends_its_conversations_when_it_closes(self) -> None:
        """What is under way ends, with or without a typed error; no work goes on."""
        before = asyncio.all_tasks()
        provider = self.make()
        await provider.start()
        began = asyncio.Event()
        async with provider.open(OPTIONS) as conversation:
            listening = asyncio.create_task(_listened(conversation))
            reply = asyncio.create_task(_followed(conversation, began))
            await began.wait()
            await provider.close()
            await ended(listening)
            await ended(reply)
        await nothing_left(before)

    @promised
    async def test_fails_with_a_typed_error_where_its_service_is_gone(self) -> None:
        """At the start, on opening or at the reply: one of ``antiphon_providers.errors``."""
        provider = self.make_unreachable()
        if provider is None:
            return
        with pytest.raises(ProviderError):
            await _used(provider)
        await provider.close()


async def _followed(
    conversation: SpokenConversation, began: asyncio.Event, *, hold: bool = False
) -> None:
    """Takes a reply piece by piece; ``began`` when there is one, or an end. With ``hold`` it
    never asks for the second.
    """
    pieces = conversation.reply(HELLO)
    try:
        async for _ in pieces:
            began.set()
            if hold:
                await asyncio.Event().wait()
    finally:
        began.set()
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


async def _listened(conversation: SpokenConversation) -> None:
    """Takes results until there are no more."""
    async for _ in conversation:
        pass


async def _used(provider: SpeechToSpeech) -> None:
    """Starts it and has it answer once."""
    await provider.start()
    async with provider.open(OPTIONS) as conversation:
        await replied(conversation, HELLO)
