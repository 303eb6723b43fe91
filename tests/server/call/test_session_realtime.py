"""Whole calls by OpenAI's Realtime API, in real time on a stand-in of this machine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from antiphon_protocol import voice_agent as wire
from antiphon_providers.openai_realtime import OpenAIRealtime, OpenAIRealtimeOptions
from fakes.openai_realtime import KEY, FakeOpenAIRealtime, Fault
from fakes.openai_realtime_response import Answer
from server.call.scripted_call import Caller, Stages, calling, llm, silent, stt, voiced

LONG = "One two three four five six seven eight nine ten eleven twelve."
TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {}}}


class Line:
    """A call, and the vendor that serves it."""

    def __init__(self, caller: Caller, vendor: FakeOpenAIRealtime) -> None:
        self.caller = caller
        self.vendor = vendor

    async def turn(self) -> None:
        """The caller says something, and hears the answer out."""
        await self.caller.say(500, 800)
        await self.caller.until(wire.ReplyDone)

    @property
    def said(self) -> list[str]:
        """What was heard of the agent."""
        return [said.text for said in self.caller.heard(wire.AgentTranscript)]

    @property
    def heard(self) -> list[str]:
        """What was understood of the caller."""
        return [said.text for said in self.caller.heard(wire.UserTranscript)]


@asynccontextmanager
async def talking(
    *answers: Answer, key: str = KEY, faults: tuple[Fault, ...] = (), **session: Any
) -> AsyncIterator[Line]:
    """A call whose model gives these answers; ``faults`` are those of its conversations."""
    async with FakeOpenAIRealtime() as vendor:
        vendor.answers = list(answers)
        model = OpenAIRealtime(OpenAIRealtimeOptions(base_url=vendor.url, api_key=KEY))
        await model.start()
        vendor.key = key
        vendor.faults = list(faults)
        stages = Stages(s2s=model, llm=llm(replies="By another."), stt=stt(utterances="spare"))
        try:
            async with calling(stages, **{"system_prompt": "Be kind.", **session}) as caller:
                yield Line(caller, vendor)
        finally:
            await model.close()


async def test_a_call_is_heard_and_answered() -> None:
    """Greeting by the voice, turns by the vendor, whose memory is that of the call."""
    answers = (Answer("Fine, thank you."), Answer("See you."))
    async with talking(*answers, greeting="Hello.") as line:
        await line.caller.until(wire.ReplyDone)
        await line.turn()
        await line.turn()
        assert line.heard == ["Hello there.", "How are you?"]
        assert line.said == ["Hello.", "Fine, thank you.", "See you."]
        told = "".join(delta.delta for delta in line.caller.heard(wire.AgentTranscriptDelta))
        assert told == "Hello.Fine, thank you.See you."
        roles = [text.split()[0] for text in line.vendor.texts()]
        assert roles == ["assistant", "user", "assistant", "user", "assistant"]
        # The session that was tried at the start, and the call's.
        assert len(line.vendor.connections) == 2


async def test_a_tool_is_called_and_its_result_spoken_of() -> None:
    """By the vendor's ids, which the client sees as any other."""
    calls = [("look_up", json.dumps({}))]
    async with talking(Answer("", calls), Answer("It is ten."), tools=[TOOL]) as line:
        await line.caller.say(500, 800)
        call = await line.caller.until(wire.ToolCall)
        line.caller.tell(wire.GiveToolResult(call.call_id, "ten"))
        await line.caller.until(wire.AgentTranscript)
        assert line.said == ["It is ten."]
        assert any(text.startswith("result") and "ten" in text for text in line.vendor.texts())


async def test_an_interruption_cuts_transcript_and_the_vendors_memory() -> None:
    """All of the sound was made at once; what the vendor remembers is what was heard."""
    async with talking(Answer(LONG, ms_per_word=400), Answer("Yes.")) as line:
        await line.caller.say(500, 800)
        await line.caller.until(wire.ReplyAudio)
        await line.caller.play(silent(900) + voiced(1200))
        done = await line.caller.until(wire.ReplyDone)
        assert done.status == "interrupted"
        await line.caller.play(silent(800))
        await line.caller.until(wire.ReplyDone)
        cut, answer = line.said
        assert cut
        assert LONG.startswith(cut)
        assert len(cut) < len(LONG)
        assert answer == "Yes."
        remembered = " ".join(line.vendor.texts())
        assert "twelve" not in remembered
        assert line.vendor.connections[-1].session is not None


async def test_a_conversation_that_breaks_off_is_begun_anew_with_what_was_said() -> None:
    """The vendor that has forgotten everything is told it before it answers."""
    async with talking(Answer("First."), Answer("Second.")) as line:
        await line.turn()
        line.vendor.connections[-1].connection.transport.abort()
        await line.vendor.until_opened(3)
        await line.turn()
        assert line.said == ["First.", "Second."]
        texts = line.vendor.texts()
        assert [text.split()[0] for text in texts] == ["user", "assistant", "user", "assistant"]
        assert "Hello there." in texts[0]
        assert "First." in texts[1]


async def test_a_reply_that_is_cut_before_its_sound_is_another_models() -> None:
    """The connection breaks in place of the first sound; the caller hears an answer."""
    broken = Fault(cut={"response.output_audio.delta": 1})
    async with talking(Answer("Never heard."), faults=(broken,)) as line:
        await line.turn()
        assert line.said == ["By another."]
        assert line.caller.heard(wire.ReplyError) == []


async def test_a_reply_that_is_cut_while_it_is_heard_says_so() -> None:
    """``reply.error``; the next turn is the vendor's again."""
    broken = Fault(cut={"response.output_audio.delta": 4})
    async with talking(
        Answer(LONG, ms_per_word=400, pace_s=0.3), Answer("Again."), faults=(broken,)
    ) as line:
        await line.caller.say(500, 800)
        error = await line.caller.until(wire.ReplyError)
        assert error.code == "s2s_provider_error"
        await line.caller.until(wire.ReplyDone)
        await line.vendor.until_opened(3)
        await line.turn()
        assert line.said[-1] == "Again."


async def test_a_key_that_is_refused_leaves_the_call_to_the_others() -> None:
    """It was taken back while the server ran."""
    async with talking(key="another") as line:
        await line.turn()
        assert line.heard == ["spare"]
        assert line.said == ["By another."]
        assert line.caller.heard(wire.SessionError) == []
