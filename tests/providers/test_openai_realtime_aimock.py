"""Both Realtime adapters against aimock, a server that nobody here wrote.

Its answers are in text alone, and it transcribes only in sessions that do nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aimock import KEY, aimock, fixture
from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_speech import replied, text_of
from antiphon_providers.contract.speech_to_text import heard
from antiphon_providers.errors import ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import (
    ConversationOptions,
    HearingOptions,
    Message,
    Prompt,
    Recognised,
    Spent,
    SpokenConversation,
    ToolSpec,
    Used,
)
from antiphon_providers.openai_realtime import OpenAIRealtime, OpenAIRealtimeOptions
from antiphon_providers.openai_realtime_transcription import (
    OpenAIRealtimeHearing,
    OpenAIRealtimeHearingOptions,
)

HELLO = "Hello! How can I help you today?"
WEATHER = {"name": "get_weather", "arguments": {"city": "Zürich", "days": 2}}
TOOLS = (ToolSpec("get_weather", "Weather."),)
SPEECH = human_speech.clip("best").pcm
AUDIO = "[audio input]"
"""What it takes any speech for."""


def user(text: str) -> Message:
    """The user said this."""
    return Message(role="user", content=text)


@asynccontextmanager
async def talking(url: str, **options: Any) -> AsyncIterator[SpokenConversation]:
    """A conversation with the server."""
    given = {"base_url": f"{url}/v1", "api_key": KEY, **options}
    provider = OpenAIRealtime(OpenAIRealtimeOptions(**given))
    await provider.start()
    async with provider.open(ConversationOptions()) as conversation:
        yield conversation
    await provider.close()


@asynccontextmanager
async def hearing(url: str, **options: Any) -> AsyncIterator[OpenAIRealtimeHearing]:
    """A recogniser at the server."""
    given = {"base_url": f"{url}/v1", "api_key": KEY, **options}
    provider = OpenAIRealtimeHearing(OpenAIRealtimeHearingOptions(**given))
    await provider.start()
    yield provider
    await provider.close()


async def test_a_conversation_is_answered_turn_after_turn(tmp_path: Path) -> None:
    """In several pieces, with what it cost, though there is no sound."""
    usage = {"prompt_tokens": 11, "completion_tokens": 9, "total_tokens": 20}
    async with (
        aimock(
            tmp_path,
            fixture("hello", {"content": HELLO, "usage": usage}),
            fixture("again", {"content": "Of course."}),
        ) as url,
        talking(url) as conversation,
    ):
        system = Message(role="system", content="Be kind.")
        pieces = await replied(conversation, Prompt((system, user("hello"))))
        assert text_of(pieces) == HELLO
        assert len(pieces) > 2
        assert isinstance(pieces[-1], Spent)
        answered = Message(role="assistant", content=HELLO)
        more = Prompt((system, user("hello"), answered, user("again")))
        assert text_of(await replied(conversation, more)) == "Of course."


async def test_a_tool_is_called_and_its_result_is_answered(tmp_path: Path) -> None:
    """The server finds the result by its call's id."""
    async with (
        aimock(
            tmp_path,
            {"match": {"hasToolResult": True}, "response": {"content": "It rains."}},
            fixture("weather", {"toolCalls": [WEATHER]}),
        ) as url,
        talking(url) as conversation,
    ):
        asked = user("weather?")
        pieces = await replied(conversation, Prompt((asked,), TOOLS))
        uses = tuple(piece.use for piece in pieces if isinstance(piece, Used))
        assert [(use.name, use.arguments) for use in uses] == [
            ("get_weather", WEATHER["arguments"])
        ]
        told = (
            asked,
            Message(role="assistant", tool_uses=uses),
            Message(role="tool", content="rain", call_id=uses[0].call_id),
        )
        assert text_of(await replied(conversation, Prompt(told, TOOLS))) == "It rains."


async def test_words_come_for_what_was_said(tmp_path: Path) -> None:
    """As they are found, and whole."""
    async with (
        aimock(tmp_path, fixture(AUDIO, {"transcription": {"text": HELLO}})) as url,
        hearing(url) as recogniser,
    ):
        results = await heard(recogniser, SPEECH, HearingOptions())
        assert len(results) > 1
        assert results[-1] == Recognised(HELLO, flushed=True)
        assert (await heard(recogniser, human_speech.silence(500)))[-1].text == ""


async def test_a_transcription_that_fails_is_told_in_its_words(tmp_path: Path) -> None:
    """Another may be asked."""
    error = {"message": "Rate limited", "type": "rate_limit_error", "code": "rate_limit_exceeded"}
    async with (
        aimock(tmp_path, fixture(AUDIO, {"error": error, "status": 429})) as url,
        hearing(url) as recogniser,
    ):
        with pytest.raises(Unavailable, match="Rate limited"):
            await heard(recogniser, SPEECH)


async def test_a_wrong_key_and_model_are_refused_at_start(tmp_path: Path) -> None:
    """In the server's words, where it has some."""
    async with aimock(tmp_path, fixture("hello", {"content": HELLO})) as url:
        with pytest.raises(ProviderError) as key:
            async with talking(url, api_key="wrong"):
                pass
        assert isinstance(key.value, Refused)
        with pytest.raises(Refused, match="does not support session type transcription"):
            async with hearing(url, model="gpt-5"):
                pass


async def test_what_nobody_answers_fails(tmp_path: Path) -> None:
    """The response fails, and the conversation goes on."""
    async with (
        aimock(tmp_path, fixture("hello", {"content": HELLO})) as url,
        talking(url) as conversation,
    ):
        with pytest.raises(ProviderError) as failed:
            await replied(conversation, Prompt((user("nothing that is known"),)))
        assert failed.value.provider == "openai-realtime"
