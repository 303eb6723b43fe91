"""Whole calls with a model that hears and speaks: the same protocol, whoever answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_protocol.session_config import SessionConfig
from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import Said, Sound, Spent
from antiphon_providers.scripted import Fault
from antiphon_server.call import records as r
from antiphon_server.call.chronicle import Owner
from antiphon_server.conversation import vocabulary as v
from antiphon_server.dialects.voice_agent import Bound
from server.call.scripted_call import (
    Caller,
    Stages,
    calling,
    llm,
    sample,
    silent,
    stt,
    tts,
    used,
    voiced,
)
from server.call.spoken_twin import SpokenTwin, Step, pcm, spoken
from server.call.twins import RecorderTwin
from virtual_time import in_virtual_time

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."
TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {}}}


def _stages(model: SpokenTwin, **others: object) -> Stages:
    return Stages(s2s=model, **others)  # type: ignore[arg-type]


@in_virtual_time
async def test_a_turn_is_heard_and_answered_by_the_model() -> None:
    """The events of a turn and their order are those of any turn; neither the recogniser, nor
    the language model, nor the voice is asked.
    """
    cascade, spoke = Stages(llm=llm(replies="Here it is.")), SpokenTwin(spoken("Here it is."))
    stages = _stages(spoke)
    kinds = []
    for each in (cascade, stages):
        async with calling(each, system_prompt="p") as caller:
            await caller.say()
            await caller.until(wire.ReplyDone)
            without_audio = [
                kind
                for kind in caller.kinds
                if kind not in ("reply.audio", "transcript.agent.delta")
            ]
            kinds.append(without_audio)
            (said,) = caller.heard(wire.UserTranscript)
            (answer,) = caller.heard(wire.AgentTranscript)
            words = caller.heard(wire.AgentTranscriptDelta)
    assert kinds[0] == kinds[1]
    assert said.text == "hello there"
    assert answer.text == "Here it is." == "".join(word.delta for word in words)
    assert [m.content for m in spoke.prompts[0].messages] == ["p", "hello there"]
    opened = [getattr(stages, stage).desk.opened for stage in ("stt", "llm", "tts")]
    assert opened == [0, 0, 0]
    assert spoke.open_conversations == 0


@in_virtual_time
async def test_the_greeting_is_said_to_the_letter() -> None:
    """By the voice; the model learns of it as of anything that was said."""
    model = SpokenTwin(spoken("Fine."))
    stages = _stages(model)
    async with calling(stages, greeting="Hello, this is Antiphon.") as caller:
        await caller.until(wire.ReplyDone)
        await caller.say()
        await caller.until(wire.ReplyDone)
    assert [said.text for said in caller.heard(wire.AgentTranscript)] == [
        "Hello, this is Antiphon.",
        "Fine.",
    ]
    assert [m.content for m in model.prompts[0].messages if m.role == "assistant"] == [
        "Hello, this is Antiphon."
    ]
    assert list(stages.tts.spoken) == ["Hello, this is Antiphon."]


@in_virtual_time
async def test_the_stages_of_a_turn_add_up() -> None:
    """Endpointing, the model's first audio and overhead are the response; the model is named."""
    model = SpokenTwin([0.45, *spoken("Fine.")], hearing=stt(final_ms=150))
    async with calling(_stages(model), timeline=True, system_prompt="p") as caller:
        await caller.say(900, 2000)
        timed = await caller.until(wire.TurnTimeline)
    told = timed.stages
    path = ("endpointing", "speech_to_speech_first_audio", "server_overhead")
    assert sum(told[name] for name in path) == pytest.approx(told["response"], abs=0.01)
    assert told["speech_to_speech_first_audio"] == pytest.approx(450)
    assert told["speech_to_text"] == pytest.approx(150)
    assert told["server_overhead"] == pytest.approx(0, abs=1)
    assert "language_model_first_token" not in told
    assert timed.providers["speech_to_speech"] == "spoken"
    assert timed.providers["speech_to_text"] == "spoken"


async def _interrupted(caller: Caller) -> wire.ReplyDone:
    await caller.until(wire.ReplyAudio)
    await caller.play(silent(1500))
    await caller.play(voiced(1400))
    return await caller.until(wire.ReplyDone)


@pytest.mark.parametrize("ahead", [True, False])
@in_virtual_time
async def test_an_interruption_cuts_transcript_and_memory_to_what_was_heard(ahead: bool) -> None:
    """Although the whole reply was made, and told to us, long before."""
    hearing = stt(utterances="hello | stop that please")
    model = SpokenTwin(spoken(LONG, ahead=ahead), spoken("Yes."), hearing=hearing)
    async with calling(_stages(model), system_prompt="p") as caller:
        await caller.say()
        done = await _interrupted(caller)
        assert done.status == "interrupted"
        await caller.play(silent(1000))
        await caller.until(wire.ReplyDone)
        cut = caller.heard(wire.AgentTranscript)[0]
        assert cut.interrupted
        assert cut.text
        assert LONG.startswith(cut.text)
        played = caller.when(wire.ReplyDone)[0] - caller.when(wire.ReplyAudio)[0]
        assert len(cut.text) * 0.06 == pytest.approx(played, abs=0.6)
    assert [(m.role, m.content) for m in model.prompts[-1].messages] == [
        ("system", "p"),
        ("user", "hello"),
        ("assistant", cut.text),
        ("user", "stop that please"),
    ]
    assert model.most_running == 1


@in_virtual_time
async def test_an_interruption_stops_a_model_that_still_speaks() -> None:
    """Its text ran ahead of its sound; what it would have said is not in the transcript."""
    steps: list[Step] = [Said(LONG), Sound(pcm(2_500), 0), 60.0]
    hearing = stt(utterances="hello | stop that please")
    model = SpokenTwin(steps, spoken("Yes."), hearing=hearing)
    async with calling(_stages(model), system_prompt="p") as caller:
        await caller.say()
        await _interrupted(caller)
        assert model.running == 0
        await caller.play(silent(1000))
        await caller.until(wire.ReplyDone)
        cut = caller.heard(wire.AgentTranscript)[0]
        assert cut.text
        assert len(cut.text) < len(LONG) * 0.7
        assert caller.heard(wire.AgentTranscript)[1].text == "Yes."


@in_virtual_time
async def test_a_tool_is_called_and_its_result_is_spoken_of() -> None:
    """The continuation is the model's, with call and result in its prompt."""
    model = SpokenTwin([*spoken("One moment."), used("call_1")], spoken("It is ten."))
    async with calling(_stages(model), system_prompt="p", tools=[TOOL]) as caller:
        await caller.say()
        call = await caller.until(wire.ToolCall)
        caller.tell(wire.GiveToolResult(call.call_id, '"10:00"'))
        await caller.until(wire.ReplyDone)
        await caller.until(wire.ReplyDone)
        assert [said.text for said in caller.heard(wire.AgentTranscript)] == [
            "One moment.",
            "It is ten.",
        ]
    assert [tool.name for tool in model.prompts[0].tools] == ["look_up"]
    called, answered = model.prompts[1].messages[-2:]
    assert (called.role, called.content) == ("assistant", "One moment.")
    assert called.tool_uses[0].call_id == answered.call_id == call.call_id
    assert (answered.role, answered.content) == ("tool", '"10:00"')


@in_virtual_time
async def test_a_reply_may_be_asked_for_without_a_word() -> None:
    """``reply.create`` and ``conversation.message`` are the model's to answer, too."""
    model = SpokenTwin(spoken("Gladly."))
    async with calling(_stages(model), system_prompt="p") as caller:
        caller.tell(wire.AddMessage("user", "Are you there?"), wire.CreateReply("Be glad."))
        await caller.until(wire.ReplyDone)
        assert caller.heard(wire.AgentTranscript)[0].text == "Gladly."
    assert [m.content for m in model.prompts[0].messages] == ["p", "Are you there?", "Be glad."]


@in_virtual_time
async def test_a_conversation_outlives_the_socket() -> None:
    """Who is back goes on with the same one, which knows what was heard before."""
    model = SpokenTwin(spoken(LONG), spoken("Yes."))
    async with calling(_stages(model), resume_seconds=30, system_prompt="p") as caller:
        caller.tell(wire.CreateReply())
        await caller.until(wire.ReplyAudio)
        await asyncio.sleep(2)
        await caller.drop()
        await asyncio.sleep(10)
        assert model.open_conversations == 1
        caller.come_back()
        await caller.until(wire.ReplyDone)
        cut = caller.heard(wire.AgentTranscript)[0]
        assert LONG.startswith(cut.text)
        await caller.say()
        await caller.until(wire.ReplyDone)
    assert [m.content for m in model.prompts[1].messages] == ["p", cut.text, "hello there"]
    assert len(model.asked) == 1


@in_virtual_time
async def test_a_conversation_that_breaks_off_is_opened_again() -> None:
    """The turn in which it did is the language model's; the next one is the new conversation's."""
    model = SpokenTwin(spoken("First."), spoken("Third."))
    model.hearing.desk.fault = Fault("unavailable", after=4, times=1)
    stages = _stages(model, llm=llm(replies="Second."))
    async with calling(stages, system_prompt="p") as caller:
        for _ in range(3):
            await caller.say(1500, 2000)
            caller.tell(wire.CreateReply())
            await caller.until(wire.ReplyDone)
            await caller.play(silent(3000))
        texts = [said.text for said in caller.heard(wire.AgentTranscript)]
    assert len(model.asked) == 2
    assert "First." in texts
    assert "Third." in texts
    assert caller.heard(wire.SessionError) == []


@in_virtual_time
async def test_a_reply_that_fails_unheard_is_the_language_models() -> None:
    """The client sees a turn like any other; both usages are counted where they belong."""
    steps: list[Step] = [Spent(7, 2, 3), Unavailable("reset", provider="spoken")]
    used_by = {"stage": "speech_to_speech", "provider": "spoken"}
    before = {
        unit: sample("antiphon_provider_usage_total", **used_by, unit=unit)
        for unit in ("prompt_tokens", "cached_tokens", "completion_tokens")
    }
    recorder = RecorderTwin()
    stages = _stages(SpokenTwin(steps), llm=llm(replies="By another."), recorder=recorder)
    async with calling(stages, system_prompt="p") as caller:
        await caller.say()
        await caller.until(wire.ReplyDone)
        assert caller.heard(wire.AgentTranscript)[0].text == "By another."
        assert caller.heard(wire.ReplyError) == []
    for unit, more in {"prompt_tokens": 4, "cached_tokens": 3, "completion_tokens": 2}.items():
        now = sample("antiphon_provider_usage_total", **used_by, unit=unit)
        assert now == before[unit] + more
    total = sum(record.prompt_tokens for record in recorder.of(r.Used))
    assert total >= 7


@in_virtual_time
async def test_a_reply_that_breaks_off_while_heard_says_so() -> None:
    """``reply.error``, and the next turn is answered."""
    steps: list[Step] = [
        Said(LONG),
        Sound(pcm(1_000), 0),
        0.8,
        Unavailable("reset", provider="spoken"),
    ]
    model = SpokenTwin(steps, spoken("Fine."))
    async with calling(_stages(model), system_prompt="p") as caller:
        await caller.say()
        error = await caller.until(wire.ReplyError)
        assert (error.code, error.message) == ("s2s_provider_error", "reset")
        await caller.until(wire.ReplyDone)
        await caller.say()
        await caller.until(wire.ReplyDone)
        first, second = caller.heard(wire.AgentTranscript)
        assert LONG.startswith(first.text)
        assert second.text == "Fine."


@in_virtual_time
async def test_a_model_that_cannot_be_reached_leaves_the_call_to_the_others() -> None:
    """Recogniser, language model and voice hear and answer it, from the start."""
    model = SpokenTwin()
    model.refuses = Unavailable("away")
    stages = _stages(model, stt=stt(utterances="by the spare"))
    async with calling(stages, system_prompt="p") as caller:
        await caller.say()
        await caller.until(wire.ReplyDone)
        assert caller.heard(wire.UserTranscript)[0].text == "by the spare"
        assert caller.heard(wire.AgentTranscript)[0].text == "You said: by the spare"
        assert caller.heard(wire.SessionError) == []


@pytest.mark.parametrize(
    "session",
    [{"input": {"type": "text"}}, {"output": {"type": "text"}}],
    ids=["text-in", "text-out"],
)
@in_virtual_time
async def test_a_session_in_text_is_the_cascades(session: dict[str, Any]) -> None:
    """Whichever way: there is no speech to answer, or none to answer in."""
    model = SpokenTwin()
    async with calling(_stages(model), system_prompt="p", **session) as caller:
        caller.tell(wire.AddMessage("user", "hello there"), wire.CreateReply())
        await caller.until(wire.ReplyDone)
        assert caller.heard(wire.AgentTranscript)[0].text == "You said: hello there"
    assert model.asked == []


@in_virtual_time
async def test_an_agent_with_a_language_model_of_its_own_is_answered_by_it() -> None:
    """It was chosen for its words."""
    model = SpokenTwin()
    async with calling(_stages(model)) as caller:
        await caller.bind(Bound(SessionConfig(""), {}, llm(replies="My own words.")))
        await caller.say()
        await caller.until(wire.ReplyDone)
        assert caller.heard(wire.AgentTranscript)[0].text == "My own words."
    assert model.asked == []


@in_virtual_time
async def test_the_voice_of_the_session_is_the_models() -> None:
    """It is told at each opening what the session has set."""
    model = SpokenTwin(spoken("Fine."))
    async with calling(
        _stages(model, tts=tts()), system_prompt="p", output={"voice": "eleanor"}
    ) as caller:
        await caller.say()
        await caller.until(wire.ReplyDone)
    (asked,) = model.asked
    assert asked.voice is not None
    assert asked.voice.voice == caller.session.settings.voice.voice


@in_virtual_time
async def test_a_call_may_have_services_of_its_own() -> None:
    """Given with its first update: the node's are not asked, and those are named."""
    model = SpokenTwin(spoken("Mine."))
    recorder = RecorderTwin()
    nodes, own = Stages(recorder=recorder), _stages(model, recorder=recorder)
    async with calling(nodes) as caller:
        await asyncio.sleep(0)
        settings = caller.session.settings
        caller.session.open(settings, Owner("account", "key", None, None), {}, own.services())
        caller.session.notice(v.ReplyRequested(None))
        await caller.until(wire.AgentTranscript)
        assert caller.heard(wire.AgentTranscript)[0].text == "Mine."
        assert caller.session.timeline.providers["speech_to_speech"] == "spoken"
    opened = [getattr(nodes, stage).desk.opened for stage in ("vad", "stt", "llm", "tts")]
    assert opened == [0, 0, 0, 0]
