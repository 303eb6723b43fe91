"""A Realtime session that hears and speaks, against a fake that the vendor's SDK proved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_speech import SpeechToSpeechContract, replied, text_of
from antiphon_providers.contract.speech_to_text import feed
from antiphon_providers.errors import ProviderError, TooSlow, Unavailable
from antiphon_providers.interfaces import (
    ConversationOptions,
    HearingOptions,
    Message,
    Prompt,
    Said,
    Sound,
    Spent,
    ToolSpec,
    Used,
    VoiceOptions,
)
from antiphon_providers.observer import Silent
from antiphon_providers.openai_realtime import OpenAIRealtime, OpenAIRealtimeOptions, session_of
from fakes.openai_realtime import KEY, FakeOpenAIRealtime, Fault
from fakes.openai_realtime_response import Answer

SPEECH = human_speech.clip("best").pcm
OPTIONS = ConversationOptions()
HELLO = Prompt((Message(role="user", content="Hello?"),))


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAIRealtime]:
    """The vendor."""
    async with FakeOpenAIRealtime() as vendor:
        yield vendor


def model(fake: FakeOpenAIRealtime, **options: Any) -> OpenAIRealtime:
    """A model at the fake."""
    return OpenAIRealtime(
        OpenAIRealtimeOptions(**{"api_key": KEY, "base_url": fake.url, **options})
    )


async def started(fake: FakeOpenAIRealtime, **options: Any) -> OpenAIRealtime:
    """The same, running."""
    provider = model(fake, **options)
    await provider.start()
    return provider


async def failure(provider: OpenAIRealtime) -> ProviderError:
    """What a conversation of one reply fails with."""
    with pytest.raises(ProviderError) as failed:
        async with provider.open(OPTIONS) as conversation:
            await replied(conversation, HELLO)
    return failed.value


class TestContract(SpeechToSpeechContract):
    """It keeps to what every model that hears and speaks must."""

    @pytest.fixture(autouse=True)
    def _vendor(self, fake: FakeOpenAIRealtime) -> None:
        self.fake = fake

    def make(self) -> OpenAIRealtime:
        """At the fake."""
        return model(self.fake)

    def make_unreachable(self) -> OpenAIRealtime:
        """Where nobody listens."""
        return model(self.fake, base_url="ws://127.0.0.1:9/v1")


async def test_a_session_says_what_the_call_needs(fake: FakeOpenAIRealtime) -> None:
    """The model is in the query; the rest in one update, which turns the vendor's turns off."""
    provider = await started(
        fake,
        voices='{"anna": "coral"}',
        language="fr",
        noise_reduction="near_field",
        extra_session='{"max_output_tokens": 500}',
    )
    hearing = HearingOptions(("Antiphon",), "A call.")
    async with provider.open(ConversationOptions(hearing, VoiceOptions("anna"))):
        pass
    connection = fake.connections[-1]
    assert connection.query == {"model": ["gpt-realtime-2.1"]}
    pcm = {"type": "audio/pcm", "rate": 24000}
    assert [event["session"] for event in connection.events] == [
        {
            "type": "realtime",
            "output_modalities": ["audio"],
            "instructions": "",
            "tools": [],
            "max_output_tokens": 500,
            "audio": {
                "input": {
                    "format": pcm,
                    "noise_reduction": {"type": "near_field"},
                    "transcription": {
                        "model": "gpt-transcribe",
                        "languages": ["fr"],
                        "keywords": ["Antiphon"],
                        "prompt": "A call.",
                    },
                    "turn_detection": None,
                },
                "output": {"format": pcm, "voice": "coral"},
            },
        }
    ]


def test_a_voice_without_a_name_of_the_vendors_is_the_one_for_all() -> None:
    """Known to the settings, or not, or none asked for."""
    mine = OpenAIRealtimeOptions(voice="cedar", voices='{"anna": "coral"}')
    asked = [None, VoiceOptions("anna"), VoiceOptions("james")]
    sessions = [session_of(mine, ConversationOptions(voice=voice)) for voice in asked]
    voices = [session["audio"]["output"]["voice"] for session in sessions]
    assert voices == ["cedar", "coral", "cedar"]


async def test_an_answer_is_words_and_sound_as_they_come(fake: FakeOpenAIRealtime) -> None:
    """And what it cost; the sound ends once, when all of it is there."""
    fake.answers = [Answer("Hello you.", ms_per_word=100)]
    provider = await started(fake)
    async with provider.open(OPTIONS) as conversation:
        pieces = await replied(conversation, HELLO)
    sound = Sound(b"\1\2" * 2400, 0)
    assert pieces == [
        Said("Hello"),
        sound,
        Said(" you."),
        sound,
        Sound(b"", 0, ends=True),
        Spent(20, 10, 5),
    ]


async def test_tools_are_offered_called_and_answered(fake: FakeOpenAIRealtime) -> None:
    """They are told once; the call and its result stay where they are."""
    fake.answers = [Answer("Wait.", calls=[("look", '{"where": "up"}'), ("wait", "")])]
    provider = await started(fake)
    tools = (ToolSpec("look", "Looks.", {"type": "object"}), ToolSpec("wait"))
    async with provider.open(OPTIONS) as conversation:
        pieces = await replied(conversation, Prompt(HELLO.messages, tools))
        uses = tuple(piece.use for piece in pieces if isinstance(piece, Used))
        assert [(use.name, use.arguments) for use in uses] == [
            ("look", {"where": "up"}),
            ("wait", {}),
        ]
        said = Message(role="assistant", content="Wait.", tool_uses=uses)
        results = [
            Message(role="tool", content="sky", call_id=uses[0].call_id),
            Message(role="tool", content="no", call_id=uses[1].call_id, is_error=True),
        ]
        await replied(conversation, Prompt((*HELLO.messages, said, *results), tools))
    connection = fake.connections[-1]
    assert [event["session"].get("tools") for event in connection.of("session.update")][1:] == [
        [
            {
                "type": "function",
                "name": "look",
                "description": "Looks.",
                "parameters": {"type": "object"},
            },
            {
                "type": "function",
                "name": "wait",
                "description": "",
                "parameters": {"type": "object", "properties": {}},
            },
        ]
    ]
    assert fake.texts() == [
        "user input_text: Hello?",
        "assistant output_audio: Wait.",
        f'call {uses[0].call_id}: look {{"where": "up"}}',
        f"call {uses[1].call_id}: wait ",
        f"result {uses[0].call_id}: sky",
        f"result {uses[1].call_id}: Error: no",
        "assistant output_audio: Hello. How can I help you?",
    ]
    assert connection.of("conversation.item.delete") == []


async def test_an_answer_nobody_waits_for_is_cancelled(fake: FakeOpenAIRealtime) -> None:
    """At once, by its id; the next waits for its end, and gets nothing of it."""
    fake.answers = [Answer("One two three four.", stalls_after=2), Answer("Five.")]
    fake.fault = Fault(delays={"response.done": 0.1})
    provider = await started(fake)
    async with provider.open(OPTIONS) as conversation:
        pieces = conversation.reply(HELLO)
        assert await anext(pieces) == Said("One")
        await pieces.aclose()
        assert text_of(await replied(conversation, HELLO)) == "Five."
    connection = fake.connections[-1]
    assert len(connection.of("response.cancel")) == 1
    assert connection.of("response.cancel")[0]["response_id"].startswith("resp_")
    assert "error" not in connection.sent
    assert fake.texts() == ["user input_text: Hello?", "assistant output_audio: Five."]


async def test_an_answer_is_cancelled_before_it_has_an_id(fake: FakeOpenAIRealtime) -> None:
    """As soon as it has one."""
    fake.answers = [Answer("One two three.", pace_s=0.5), Answer("Four.")]
    provider = await started(fake)
    fake.fault = Fault(delays={"response.created": 0.1})
    async with provider.open(OPTIONS) as conversation:
        reply = asyncio.create_task(replied(conversation, HELLO))
        await fake.connections[-1].until("response.create")
        reply.cancel()
        await asyncio.wait({reply})
        assert text_of(await replied(conversation, HELLO)) == "Four."
    assert len(fake.connections[-1].of("response.cancel")) == 1


async def test_a_cancellation_that_comes_too_late_is_no_failure(fake: FakeOpenAIRealtime) -> None:
    """The vendor says that there was nothing to cancel, and the conversation goes on."""
    fake.answers = [Answer("One."), Answer("Two.")]
    provider = await started(fake)
    fake.fault = Fault(delays={"response.done": 0.1})
    async with provider.open(OPTIONS) as conversation:
        pieces = conversation.reply(HELLO)
        await anext(pieces)
        await fake.connections[-1].until_sent("response.output_item.done")
        await pieces.aclose()
        assert text_of(await replied(conversation, HELLO)) == "Two."


async def test_an_answer_that_never_ends_takes_the_conversation_with_it(
    fake: FakeOpenAIRealtime,
) -> None:
    """A session that does not cancel is of no use; a new one is."""
    fake.answers = [Answer("One two.", stalls_after=1)]
    provider = await started(fake, cancel_ms=200)
    fake.fault = Fault(deaf={"response.cancel"})
    async with provider.open(OPTIONS) as conversation:
        pieces = conversation.reply(HELLO)
        await anext(pieces)
        await pieces.aclose()
        with pytest.raises(TooSlow, match="no further answer within 200 ms"):
            await replied(conversation, HELLO)
        with pytest.raises(TooSlow):
            await anext(aiter(conversation))
    async with provider.open(OPTIONS) as conversation:
        assert text_of(await replied(conversation, HELLO))


async def test_an_answer_that_was_cut_for_its_length_is_one(fake: FakeOpenAIRealtime) -> None:
    """It is what it is; so is one in text, of which there is no sound."""
    details = {"type": "incomplete", "reason": "max_output_tokens"}
    fake.answers = [
        Answer("One.", status="incomplete", details=details),
        Answer("A.", in_text=True),
    ]
    provider = await started(fake)
    async with provider.open(OPTIONS) as conversation:
        assert text_of(await replied(conversation, HELLO)) == "One."
        pieces = await replied(conversation, HELLO)
    assert pieces == [Said("A."), Spent(20, 10, 5)]


async def test_a_lost_connection_ends_the_iteration_and_the_next_remembers(
    fake: FakeOpenAIRealtime,
) -> None:
    """A conversation that is opened again is told in words what was said."""
    provider = await started(fake)
    async with provider.open(OPTIONS) as conversation:
        await replied(conversation, HELLO)
        fake.connections[-1].connection.transport.abort()
        with pytest.raises(Unavailable):
            await anext(aiter(conversation))
        with pytest.raises(Unavailable):
            await replied(conversation, HELLO)
    told = (
        *HELLO.messages,
        Message(role="assistant", content="Hello. How can I help you?"),
        Message(role="user", content="Tell me a story."),
    )
    async with provider.open(OPTIONS) as conversation:
        await replied(conversation, Prompt(told))
    assert fake.texts()[:3] == [
        "user input_text: Hello?",
        "assistant output_text: Hello. How can I help you?",
        "user input_text: Tell me a story.",
    ]


async def test_a_session_is_left_before_it_expires(fake: FakeOpenAIRealtime) -> None:
    """While nobody speaks."""
    fake.lasts_s = 2.0
    provider = await started(fake)
    async with provider.open(OPTIONS) as conversation:
        with pytest.raises(Unavailable, match="about to expire") as quiet:
            await anext(aiter(conversation))
    assert quiet.value.provider_code == "session_expired"


async def test_a_transcription_that_fails_has_no_words(fake: FakeOpenAIRealtime) -> None:
    """The model heard what was said, but nobody knows what; the conversation goes on."""
    fake.transcripts = [None, "Hello?"]
    provider = await started(fake)
    async with provider.open(OPTIONS) as conversation:
        results = aiter(conversation)
        texts = []
        for _ in range(2):
            await feed(conversation, SPEECH)
            conversation.flush()
            result = await anext(results)
            while not result.flushed:
                result = await anext(results)
            texts.append(result.text)
        await replied(conversation, HELLO)
    assert texts == ["", "Hello?"]
    assert fake.texts()[0] == "user input_audio: Hello?"


def test_options_are_checked_and_show_no_key() -> None:
    """As text comes from settings."""
    options = OpenAIRealtimeOptions(api_key="a-secret")
    assert "a-secret" not in repr(options)
    assert "a-secret" not in str(options.__rich_repr__())
    wrong: list[dict[str, Any]] = [
        {"base_url": "nothing"},
        {"api_key": "two\nlines"},
        {"voices": "["},
        {"voices": '{"anna": 1}'},
        {"extra_session": "7"},
    ]
    for each in wrong:
        with pytest.raises(ValueError, match=r"base_url|api_key|JSON|voices"):
            OpenAIRealtimeOptions(**each)


async def test_connections_are_observed(fake: FakeOpenAIRealtime) -> None:
    """Each tells how long it took; none is made before the start or after the end."""
    told: list[str] = []

    class Watching(Silent):
        def connected(self, provider: str, seconds: float) -> None:
            assert seconds >= 0
            told.append(provider)

    provider = model(fake)
    provider.observer = Watching()
    assert isinstance(await failure(provider), Unavailable)
    await provider.start()
    assert told == ["openai-realtime"]
    await provider.close()
    assert isinstance(await failure(provider), Unavailable)
