"""Whole calls over the application with a model that hears and speaks, chosen by settings."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import PCM
from antiphon_providers.resilience.swapped_conversation import SwappableSpeechToSpeech
from antiphon_providers.scripted import ScriptedSpeechToSpeech
from antiphon_providers.scripted.speech_to_speech import SpeechToSpeechScript
from server.call.scripted_call import silent, voiced
from server.edge.asgi_client import END, Client, VirtualNode, connected, started
from virtual_time import in_virtual_time

FRAME_MS = 20
LONG = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."
TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {}}}


async def _play(client: Client, *parts: bytes) -> None:
    """Microphone audio at its own pace."""
    pcm, step = b"".join(parts), PCM.size(FRAME_MS)
    for at in range(0, len(pcm), step):
        client.tell(codec.encode_input_audio(pcm[at : at + step]))
        await asyncio.sleep(FRAME_MS / 1000)


async def _speaks(client: Client, done: int) -> None:
    """Says something, and hears out so many replies in all."""
    await _play(client, voiced(900), silent(1200))
    await client.until(wire.ReplyDone, done)


def _model(node: VirtualNode) -> ScriptedSpeechToSpeech:
    model: ScriptedSpeechToSpeech = node.pipeline.lineups["s2s"].candidates[0].provider
    return model


def _script(node: VirtualNode, **script: object) -> ScriptedSpeechToSpeech:
    """The node's model is this one from now on."""
    model = ScriptedSpeechToSpeech(SpeechToSpeechScript(**script))  # type: ignore[arg-type]
    node.pipeline.providers["s2s"] = SwappableSpeechToSpeech(model)
    return model


def _said(client: Client) -> list[str]:
    return [said.text for said in client.heard(wire.AgentTranscript)]


@in_virtual_time
async def test_a_whole_call_is_heard_and_answered_by_the_model() -> None:
    """Greeting by the voice, then turns by the model, and its usage in the last word."""
    async with (
        started(S2S="scripted", S2S_REPLIES="Fine.|Also fine.") as node,
        connected(node, "timeline=1") as client,
    ):
        client.update(greeting="Hello.", system_prompt="Be kind.")
        await client.until(wire.ReplyDone)
        await _speaks(client, 2)
        await _speaks(client, 3)
        client.tell(END)
        await client.task
        assert _said(client) == ["Hello.", "Fine.", "Also fine."]
        assert [said.text for said in client.heard(wire.UserTranscript)] == ["hello there"] * 2
        greeted, first, _ = client.heard(wire.TurnTimeline)
        assert "speech_to_speech_first_audio" not in greeted.stages
        assert "speech_to_speech_first_audio" in first.stages
        assert first.providers["speech_to_speech"] == "scripted"
        roles = [(m.role, m.content) for m in _model(node).prompts[-1].messages]
        assert roles == [
            ("system", "Be kind."),
            ("assistant", "Hello."),
            ("user", "hello there"),
            ("assistant", "Fine."),
            ("user", "hello there"),
        ]
        assert (_model(node).desk.active, _model(node).replies.active) == (0, 0)


@in_virtual_time
async def test_a_tool_is_called_and_its_result_answered() -> None:
    """In the middle of speech, as with any model."""
    async with started(S2S="scripted", S2S_TOOL="look_up") as node, connected(node) as client:
        client.update(system_prompt="p", tools=[TOOL])
        await client.until(wire.SessionReady)
        await _play(client, voiced(900), silent(1200))
        call = await client.until(wire.ToolCall)
        client.tell(codec.encode(wire.GiveToolResult(call.call_id, "ten")))
        await client.until(wire.ReplyDone, 2)
        (answered,) = (m for m in _model(node).prompts[-1].messages if m.role == "tool")
        assert (answered.call_id, answered.content) == (call.call_id, "ten")


@in_virtual_time
async def test_who_interrupts_finds_the_transcript_cut_to_what_was_heard() -> None:
    """The model makes sound at once; the pace of hearing decides."""
    async with started() as node:
        model = _script(node, replies=LONG, utterances="hello | stop that please | go on")
        async with connected(node) as client:
            client.update(system_prompt="p")
            await client.until(wire.SessionReady)
            await _play(client, voiced(900), silent(2000), voiced(1400), silent(1000))
            cut = await client.until(wire.AgentTranscript)
            assert cut.interrupted
            assert cut.text
            assert LONG.startswith(cut.text)
            assert len(cut.text) < len(LONG)
            heard = (m.content for m in model.prompts[-1].messages if m.role == "assistant")
            assert list(heard) == [cut.text]


@in_virtual_time
async def test_a_session_that_is_resumed_goes_on_with_its_conversation() -> None:
    """A socket is not a session, and no conversation either."""
    async with started(S2S="scripted", RESUME_SECONDS="30") as node:
        async with connected(node) as client:
            client.update(system_prompt="p")
            ready = await client.until(wire.SessionReady)
            await _speaks(client, 1)
        await asyncio.sleep(10)
        async with connected(node, f"token={ready.resume_token}") as client:
            client.resume(ready.session_id)
            await client.until(wire.SessionReady)
            await _speaks(client, 1)
            assert len(_model(node).asked) == 1
            assert [m.role for m in _model(node).prompts[-1].messages] == [
                "system",
                "user",
                "assistant",
                "user",
            ]


@pytest.mark.parametrize("fault", ["unavailable at open", "malformed", "empty", "stall", "refused"])
@in_virtual_time
async def test_a_reply_that_fails_before_it_is_heard_is_the_language_models(fault: str) -> None:
    """In every turn anew; the client sees nothing but a reply, within the model's patience."""
    async with started(LLM_REPLIES="By another.", S2S="scripted", S2S_FAULT=fault) as node:
        async with connected(node) as client:
            client.update(system_prompt="p")
            await client.until(wire.SessionReady)
            for turn in (1, 2):
                await _speaks(client, turn)
            assert _said(client) == ["By another."] * 2
            assert client.heard(wire.ReplyError) == []
        assert len(_model(node).prompts) <= 2


@pytest.mark.parametrize("fault", ["unavailable after 9 times 1", "stall after 9 times 1"])
@in_virtual_time
async def test_a_reply_that_fails_while_it_is_heard_is_apologised_for(fault: str) -> None:
    """``reply.error``, the apology, and the next turn is the model's again."""
    variables = {"S2S": "scripted", "S2S_REPLIES": f"{LONG}|Fine.", "S2S_FAULT": fault}
    async with (
        started(**variables, APOLOGY="I am sorry.") as node,
        connected(node) as client,
    ):
        client.update(system_prompt="p")
        await client.until(wire.SessionReady)
        await _play(client, voiced(900), silent(1000))
        error = await client.until(wire.ReplyError)
        assert error.code == "s2s_provider_error"
        await client.until(wire.ReplyDone)
        await _speaks(client, 2)
        first, second = _said(client)
        assert first.endswith("I am sorry.")
        assert LONG.startswith(first.removesuffix(" I am sorry."))
        assert second == "Fine."


@in_virtual_time
async def test_a_conversation_that_breaks_off_costs_no_call() -> None:
    """Again and again: after the third time the recogniser and the language model serve it."""
    async with started(STT_UTTERANCES="by the spare", LLM_REPLIES="By another.") as node:
        model = _script(node, hearing_fault="unavailable after 1")
        async with connected(node) as client:
            client.update(system_prompt="p")
            await client.until(wire.SessionReady)
            for _ in range(8):
                await _play(client, voiced(900), silent(3000))
            assert model.desk.opened == 3
            assert client.heard(wire.SessionError) == []
            assert client.heard(wire.UserTranscript)[-1].text == "by the spare"
            assert _said(client)[-1] == "By another."


@in_virtual_time
async def test_text_is_answered_by_the_cascade() -> None:
    """In and out: no conversation is opened for it."""
    async with started(S2S="scripted", LLM_REPLIES="In writing.") as node:
        for session in ({"input": {"type": "text"}}, {"output": {"type": "text"}}):
            async with connected(node) as client:
                client.update(system_prompt="p", **session)
                await client.until(wire.SessionReady)
                client.tell(codec.encode(wire.AddMessage("user", "hello")))
                client.tell(codec.encode(wire.CreateReply()))
                await client.until(wire.ReplyDone)
                assert _said(client) == ["In writing."]
        assert _model(node).desk.opened == 0


@in_virtual_time
async def test_many_calls_share_a_model_and_no_conversation() -> None:
    """Each is answered with its own words."""
    async with started(S2S="scripted") as node:

        async def call(number: int) -> None:
            async with connected(node) as client:
                client.update(system_prompt=f"prompt {number}")
                await client.until(wire.SessionReady)
                await asyncio.sleep(number / 10)
                await _speaks(client, 1)

        await asyncio.gather(*(call(number) for number in range(8)))
        prompts = {prompt.messages[0].content for prompt in _model(node).prompts}
        assert prompts == {f"prompt {number}" for number in range(8)}
        assert _model(node).desk.active == 0


@in_virtual_time
async def test_without_the_setting_nothing_changes() -> None:
    """There is no such model unless it is named."""
    async with started() as node, connected(node, "timeline=1") as client:
        client.update(system_prompt="p")
        await client.until(wire.SessionReady)
        await _speaks(client, 1)
        (timed,) = client.heard(wire.TurnTimeline)
        assert "speech_to_speech" not in timed.providers
        assert "language_model_first_token" in timed.stages
        assert "s2s" not in node.pipeline.providers
