"""Somebody calls the embedded agent and is understood, answered, and may interrupt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import pytest

import antiphon as sdk
from antiphon.caller import Caller, Turn
from antiphon.ear import HeardReply
from antiphon.wav import resample
from antiphon_loadtest.words import error_rate, words_of
from antiphon_protocol.session_config import EncodingName
from antiphon_providers.contract.human_speech import clip
from antiphon_providers.interfaces import HEARING_RATE
from antiphon_providers.local.moonshine_library import Recogniser
from end_to_end.product import to_say
from hostile.serving import Server

GIST = 0.5
"""Word error rate of a small recogniser with a synthetic voice at 8 kHz; noise gives 1."""

PROMPT = "You are on the telephone. Answer in one short sentence."
LONG_GREETING = (
    "Hello, and thank you for calling. Before we begin, let me tell you at some length what I "
    "can do for you today. I can look up an order, change the address it goes to, tell you "
    "when it will arrive, and cancel it if you have changed your mind."
)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    """A second pair of ears, in this process, for what the agent says."""
    return Recogniser("test")


@asynccontextmanager
async def calling(
    server: Server, events: list[sdk.Event] | None = None, **settings: object
) -> AsyncIterator[Caller]:
    """Somebody on the line, who keeps what they hear; and every event, where a list is given."""
    witness = None if events is None else events.append
    async with (
        sdk.connect(server.ws, **{"system_prompt": PROMPT, **settings}) as call,  # type: ignore[arg-type]
        Caller(call, witness=witness, keeps_sound=True) as caller,
    ):
        yield caller


def heard_again(recogniser: Recogniser, reply: HeardReply, rate: int) -> str:
    """What somebody else understands of a reply's sound."""
    return recogniser.words(resample(bytes(reply.pcm), rate, HEARING_RATE, "reply"))


def answer_of(turn: Turn) -> HeardReply:
    """The reply, which must be there."""
    assert turn.answer is not None
    return turn.answer


ENCODINGS: tuple[tuple[EncodingName, EncodingName], ...] = (
    ("audio/pcm", "audio/pcmu"),
    ("audio/pcmu", "audio/pcma"),
    ("audio/pcma", "audio/pcm"),
)


async def test_speech_is_understood_and_the_answer_can_be_understood(
    server: Server, recogniser: Recogniser
) -> None:
    """Each encoding in each direction, three calls at once: the caller's words arrive, and the
    answer's sound, when recognised again, has the words of its transcript.
    """
    speech = to_say(clip("wisdom"))

    async def ask(to_server: EncodingName, from_server: EncodingName) -> tuple[Turn, int]:
        async with calling(server, input_encoding=to_server, output_encoding=from_server) as caller:
            return await caller.converse(speech), caller.ear.encoding.rate

    answers = await asyncio.gather(*(ask(*pair) for pair in ENCODINGS))
    assert [rate for _, rate in answers] == [8000, 8000, 24_000]
    for encodings, (turn, rate) in zip(ENCODINGS, answers, strict=True):
        reply = answer_of(turn)
        assert error_rate(speech.text or "", turn.transcript) <= 0.15, encodings
        assert reply.text
        assert not reply.interrupted
        understood = heard_again(recogniser, reply, rate)
        assert error_rate(reply.text, understood) <= GIST, (encodings, reply.text, understood)


async def test_speaking_over_the_agent_stops_it_and_the_call_goes_on(server: Server) -> None:
    """No sound of a reply comes after its end, its transcript is cut to what was heard, and the
    interruption is answered.
    """
    events: list[sdk.Event] = []
    speech = to_say(clip("everything"))
    async with calling(server, events, greeting=LONG_GREETING) as caller:
        await caller.wait_for(
            lambda: sum(isinstance(event, sdk.ReplyAudio) for event in events) > 100, 10, "silence"
        )
        turn = await caller.converse(speech)
        greeting = caller.ear.replies[0]
    assert greeting.interrupted
    assert all(reply.late_pieces == 0 for reply in caller.ear.replies)
    said = next(event for event in events if isinstance(event, sdk.AgentTranscript))
    assert said.interrupted
    whole = words_of(LONG_GREETING)
    assert words_of(said.text) == whole[: len(words_of(said.text))]
    assert 0 < len(words_of(said.text)) < len(whole)
    assert error_rate(speech.text or "", turn.transcript) <= 0.2, turn.transcript
    assert not answer_of(turn).interrupted
    assert answer_of(turn).text


def order_of(events: list[sdk.Event]) -> list[str]:
    """The kinds of events in order, each run of one kind told once."""
    kinds: list[str] = []
    for event in events:
        if not kinds or kinds[-1] != type(event).__name__:
            kinds.append(type(event).__name__)
    return kinds


async def test_a_tool_is_called_by_voice_and_its_result_is_spoken(
    server: Server, recogniser: Recogniser
) -> None:
    """The words fill the argument, the function runs here, and what it returns is heard."""
    called: list[str] = []

    def note_season(
        kind: Annotated[Literal["light", "darkness"], "The kind of the season."],
    ) -> str:
        """Notes which season it was."""
        called.append(kind)
        return "The lamp is on in the kitchen."

    events: list[sdk.Event] = []
    async with calling(server, events, tools=[note_season]) as caller:
        turn = await caller.converse(to_say(clip("darkness")))
        rate = caller.ear.encoding.rate
    assert called == ["darkness"]
    assert turn.reply_text == "The lamp is on in the kitchen."
    understood = heard_again(recogniser, answer_of(turn), rate)
    assert error_rate(turn.reply_text, understood) <= 0.3, understood
    kinds = order_of(events)
    after = kinds[kinds.index("ToolCall") :]
    assert after[:3] == ["ToolCall", "ReplyDone", "ReplyStarted"]
    assert kinds.count("ReplyStarted") == kinds.count("ReplyDone") == 2
