"""What the vendor remembers of a call is what was really said, as far as it can be as speech."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_speech import replied, text_of
from antiphon_providers.contract.speech_to_text import feed, segment
from antiphon_providers.errors import ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import ConversationOptions, Message, Prompt, ToolSpec, Used
from antiphon_providers.openai_realtime import OpenAIRealtime, OpenAIRealtimeOptions
from antiphon_providers.openai_realtime_conversation import RealtimeConversation
from fakes.openai_realtime import KEY, FakeOpenAIRealtime, Fault
from fakes.openai_realtime_response import Answer

SPEECH = human_speech.clip("best").pcm
SYSTEM = Message(role="system", content="Be kind.")
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
TOLD = "conversation.item.input_audio_transcription.delta"


def user(text: str) -> Message:
    """The user said this."""
    return Message(role="user", content=text)


def agent(text: str) -> Message:
    """The agent said this."""
    return Message(role="assistant", content=text)


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAIRealtime]:
    """The vendor."""
    async with FakeOpenAIRealtime() as vendor:
        yield vendor


class Talk:
    """A conversation at the fake, and its results."""

    def __init__(self, conversation: RealtimeConversation) -> None:
        self.conversation = conversation
        self.results = aiter(conversation)

    async def hear(self) -> str:
        """Somebody speaks; the words of it."""
        await feed(self.conversation, SPEECH)
        self.conversation.flush()
        return (await segment(self.results))[-1].text

    async def answer(self, *messages: Message, tools: tuple[ToolSpec, ...] = ()) -> str:
        """What is said to these."""
        return text_of(await replied(self.conversation, Prompt(messages, tools)))


@asynccontextmanager
async def talking(fake: FakeOpenAIRealtime, **options: Any) -> AsyncIterator[Talk]:
    """A conversation; its connection is the last of the fake."""
    given = {"api_key": KEY, "base_url": fake.url, **options}
    provider = OpenAIRealtime(OpenAIRealtimeOptions(**given))
    fake.faults = [Fault()]
    await provider.start()
    async with provider.open(ConversationOptions()) as conversation:
        yield Talk(conversation)
    await provider.close()


async def test_what_was_said_and_answered_stays_as_it_is(fake: FakeOpenAIRealtime) -> None:
    """Turn after turn nothing is sent but the speech and the wish for an answer."""
    fake.transcripts = ["One.", "Two."]
    fake.answers = [Answer("Uno."), Answer("Dos.")]
    async with talking(fake) as talk:
        await talk.hear()
        await talk.answer(SYSTEM, user("One."))
        await talk.hear()
        await talk.answer(SYSTEM, user("One."), agent("Uno."), user(" Two.\n"))
    kinds = fake.connections[-1].types()
    assert [kind for kind in kinds if "append" not in kind] == [
        "session.update",
        "input_audio_buffer.commit",
        "session.update",
        "response.create",
        "input_audio_buffer.commit",
        "response.create",
    ]
    assert fake.connections[-1].events[-1].keys() == {"type", "event_id"}
    updates = fake.connections[-1].of("session.update")
    assert updates[-1]["session"] == {"type": "realtime", "instructions": "Be kind."}


async def test_utterances_of_one_turn_are_one_message(fake: FakeOpenAIRealtime) -> None:
    """Their speech is kept, what was noise between them is not."""
    fake.transcripts = ["I would", "Noise.", "like tea."]
    async with talking(fake) as talk:
        for _ in range(3):
            await talk.hear()
        await talk.answer(user("I would like tea."))
    assert fake.texts()[:2] == ["user input_audio: I would", "user input_audio: like tea."]
    assert fake.connections[-1].of("conversation.item.create") == []


async def test_what_is_said_into_an_answer_comes_after_it(fake: FakeOpenAIRealtime) -> None:
    """As it is with the vendor, though it was said before the answer had ended."""
    fake.transcripts = ["One.", "Two."]
    fake.answers = [Answer("Uno dos.", stalls_after=1)]
    async with talking(fake) as talk:
        await talk.hear()
        answer = talk.conversation.reply(Prompt((user("One."),)))
        await anext(answer)
        await talk.hear()
        await answer.aclose()
        await talk.answer(user("One."), agent("Uno"), user("Two."))
    assert fake.texts()[:3] == [
        "user input_audio: One.",
        "assistant output_audio: Uno",
        "user input_audio: Two.",
    ]
    assert "conversation.item.create" not in fake.connections[-1].types()


async def test_an_answer_is_cut_to_what_was_heard(fake: FakeOpenAIRealtime) -> None:
    """In its place, as exactly the words that were; one that nobody heard is gone."""
    fake.transcripts = ["One.", "Two.", "Three."]
    fake.answers = [Answer("Uno dos tres."), Answer("Nobody hears this.")]
    async with talking(fake) as talk:
        await talk.hear()
        await talk.answer(user("One."))
        await talk.hear()
        await talk.answer(user("One."), agent("Uno dos"), user("Two."))
        await talk.hear()
        await talk.answer(user("One."), agent("Uno dos"), user("Two. Three."))
    assert fake.texts() == [
        "user input_audio: One.",
        "assistant output_text: Uno dos",
        "user input_audio: Two.",
        "user input_audio: Three.",
        "assistant output_audio: Hello. How can I help you?",
    ]


async def test_what_was_not_spoken_to_the_model_is_told_in_its_place(
    fake: FakeOpenAIRealtime,
) -> None:
    """A greeting of another voice comes first; notes and typed words where they came."""
    fake.transcripts = ["One.", "Two."]
    note = Message(role="system", content="It is late.")
    async with talking(fake) as talk:
        await talk.hear()
        await talk.answer(SYSTEM, agent("Welcome."), user("One."), note)
        await talk.hear()
        hello = agent("Hello. How can I help you?")
        await talk.answer(SYSTEM, agent("Welcome."), user("One."), hello, user("Typed words. Two."))
    assert fake.texts()[:-1] == [
        "assistant output_text: Welcome.",
        "user input_audio: One.",
        "assistant output_audio: Hello. How can I help you?",
        "user input_text: Typed words.",
        "user input_audio: Two.",
    ]


async def test_instructions_and_tools_are_told_when_they_change(fake: FakeOpenAIRealtime) -> None:
    """Each by itself; what is no more is taken back."""
    look = ToolSpec("look", "Looks.", {"type": "object"})
    async with talking(fake) as talk:
        await talk.answer(SYSTEM, user("One."))
        await talk.answer(SYSTEM, user("One."), tools=(look,))
        await talk.answer(SYSTEM, user("One."), tools=(look,))
        await talk.answer(user("One."))
    updates = [event["session"] for event in fake.connections[-1].of("session.update")][1:]
    named = [{name: bool(value) for name, value in update.items()} for update in updates]
    assert named == [
        {"type": True, "instructions": True},
        {"type": True, "tools": True},
        {"type": True, "instructions": False, "tools": False},
    ]


async def test_words_that_come_late_do_not_matter(fake: FakeOpenAIRealtime) -> None:
    """The prompt has what its flush was answered with: other words are not those of it."""
    fake.transcripts = ["Hello there my friend.", "Again."]
    async with talking(fake, final_ms=1000) as talk:
        connection = fake.connections[-1]
        connection.fault.instead = {TRANSCRIBED: [], TOLD: []}
        assert await talk.hear() == ""
        connection.fault.instead.clear()
        item, late = fake.items()[0]["id"], "Hello there my friend."
        await connection.send(TRANSCRIBED, item_id=item, content_index=0, transcript=late)
        assert await talk.hear() == "Again."
        await talk.answer(user("Again."))
    assert fake.texts()[0] == "user input_audio: Again."
    assert [event["item_id"] for event in connection.of("conversation.item.delete")] == [item]


async def test_an_answer_waits_until_what_was_said_has_its_place(fake: FakeOpenAIRealtime) -> None:
    """A commit that is not confirmed yet is waited for: its item may have to go."""
    async with talking(fake, final_ms=50) as talk:
        fake.connections[-1].fault.delays["input_audio_buffer.committed"] = 0.3
        assert await talk.hear() == ""
        await talk.answer(user("Typed."))
    assert fake.texts()[0] == "user input_text: Typed."


async def test_a_memory_that_cannot_be_brought_in_line_is_left(fake: FakeOpenAIRealtime) -> None:
    """Nobody knows what the model would answer to; a new session knows what was said."""
    async with talking(fake) as talk:
        fake.connections[-1].fault.deaf.add("conversation.item.create")
        await talk.answer(user("One."))
        fake.connections[-1].fault.deaf.clear()
        hello = agent("Hello. How can I help you?")
        with pytest.raises(Unavailable, match="previous item"):
            await talk.answer(user("One."), agent("Between."), hello)
        with pytest.raises(Unavailable, match="previous item"):
            await anext(talk.results)


async def test_tools_that_are_refused_fail_the_answer_and_no_other(
    fake: FakeOpenAIRealtime,
) -> None:
    """In the vendor's words; they are told again with the next."""
    async with talking(fake) as talk:
        connection = fake.connections[-1]
        assert connection.session is not None
        connection.session.settings["type"] = "transcription"
        with pytest.raises(Refused, match="is not allowed"):
            await talk.answer(SYSTEM, user("One."))
        connection.session.settings["type"] = "realtime"
        assert await talk.answer(SYSTEM, user("One."))
    assert connection.session.settings["instructions"] == "Be kind."


async def test_a_second_answer_is_never_asked_for_beside_one(fake: FakeOpenAIRealtime) -> None:
    """It waits for the first to end."""
    fake.answers = [Answer("One two three.", pace_s=0.05), Answer("Four.")]
    async with talking(fake) as talk:
        first = asyncio.create_task(talk.answer(user("One.")))
        await fake.connections[-1].until("response.create")
        assert await talk.answer(user("One.")) == "Four."
        assert await first == "One two three."
    assert "error" not in fake.connections[-1].sent


async def test_an_old_session_is_left_when_nobody_waits_for_an_answer(
    fake: FakeOpenAIRealtime,
) -> None:
    """What was heard is answered first, and so is a tool's result."""
    fake.answers = [Answer("", calls=[("look", "{}")]), Answer("Blue.")]
    async with talking(fake) as talk:
        text = await talk.hear()
        talk.conversation.leave_after(0)
        is_old = asyncio.Event()
        asyncio.get_running_loop().call_later(0.02, is_old.set)
        await is_old.wait()
        pieces = await replied(talk.conversation, Prompt((user(text),)))
        [use] = [piece.use for piece in pieces if isinstance(piece, Used)]
        called = Message(role="assistant", tool_uses=(use,))
        result = Message(role="tool", content="blue", call_id=use.call_id)
        assert await talk.answer(user(text), called, result) == "Blue."
        with pytest.raises(Unavailable, match="about to expire"):
            await anext(talk.results)


async def test_an_error_without_a_reason_ends_what_it_can_only_be_about(
    fake: FakeOpenAIRealtime,
) -> None:
    """While nothing is answered that is the conversation."""
    async with talking(fake) as talk:
        await fake.connections[-1].error("insufficient_quota", "You exceeded it.", None)
        with pytest.raises(ProviderError, match="You exceeded it") as raised:
            await anext(talk.results)
        assert type(raised.value) is Refused
