"""Greetings, ``reply.create``, ``reply.cancel``, ``conversation.message`` (§4.3, §4.9)."""

from __future__ import annotations

import pytest

from conformance.dialogue import LONG, SPOKEN, ask, scripted
from conformance.model import Fails, Says, Script, saying
from conformance.shapes import integer, misfits, nullable, text
from conformance.target import Target
from conformance.wire import Call, opened, ready

STREAMED = ("reply.audio", "transcript.agent.delta")
A_SECOND = 48_000
WHOLE_REPLY = ["reply.started", "transcript.agent", "reply.done"]


async def test_a_greeting_is_a_reply_of_its_own(target: Target) -> None:
    """§4.3, §4.2: ready, started, audio, words, transcript, done; no event of a user."""
    async with opened(target) as call:
        await ready(call, greeting=SPOKEN)
        done = await call.next("reply.done")
        assert call.kinds(*STREAMED) == ["session.updated", "session.ready", *WHOLE_REPLY]
        assert done["status"] == "completed"
        assert call.seen("reply.audio")


@pytest.mark.needs("callback-url")
async def test_a_greeting_is_spoken_verbatim_past_the_model(target: Target) -> None:
    """§3.1: the TTS speaks it as it is; the language model is not asked."""
    script = saying("Something else.")
    async with scripted(target, script, greeting=SPOKEN) as call:
        transcript = await call.next("transcript.agent")
        assert transcript["text"] == SPOKEN
        assert transcript["interrupted"] is False
        assert script.asked == []


@pytest.mark.parametrize("greeting", [{}, {"greeting": ""}], ids=["absent", "empty"])
async def test_without_a_greeting_the_agent_listens_first(
    target: Target, greeting: dict[str, str]
) -> None:
    """§3.1, §4.3, §11.1: absent or the empty text; nothing comes until somebody speaks."""
    async with opened(target) as call:
        await ready(call, **greeting)
        assert await call.quiet() == []


async def test_the_words_of_a_reply_have_times_inside_its_audio(target: Target) -> None:
    """§2.2: ``start_ms`` and ``end_ms`` are offsets from the start of the reply's audio."""
    async with opened(target) as call:
        await ready(call, greeting=SPOKEN)
        await call.next("reply.done")
        words = call.seen("transcript.agent.delta")
        assert len(words) == len(SPOKEN.split())
        length_ms = len(call.audio()) / 48
        for word in words:
            assert word["end_ms"] is None or word["end_ms"] <= length_ms + 250


@pytest.mark.recommended
async def test_each_word_but_the_last_ends_with_a_space(target: Target) -> None:
    """§9 row 14: so that the deltas joined are the transcript."""
    async with opened(target) as call:
        await ready(call, greeting=SPOKEN)
        transcript = await call.next("transcript.agent")
        joined = "".join(delta["delta"] for delta in call.seen("transcript.agent.delta"))
        assert joined == transcript["text"]


@pytest.mark.needs("callback-url")
async def test_reply_create_while_idle_starts_a_reply(target: Target) -> None:
    """§4.9, §4.12: ``reply.started`` at once, before the model has answered; then its words."""
    async with scripted(target, saying("Here I am.", after=1.5)) as call:
        await call.send("reply.create")
        await call.next("reply.started", seconds=1.2)
        assert (await call.next("transcript.agent"))["text"] == "Here I am."
        await call.next("reply.done", status="completed")
        assert call.kinds(*STREAMED)[2:] == WHOLE_REPLY


async def interrupted(call: Call, reply_id: str) -> None:
    """The two events that end a reply that was cut (the third, speech, is not the user's)."""
    cut = await call.next("transcript.agent", "reply.done")
    if cut["type"] == "transcript.agent":
        assert (cut["reply_id"], cut["interrupted"]) == (reply_id, True)
        cut = await call.next("reply.done")
    assert (cut["reply_id"], cut["status"]) == (reply_id, "interrupted")


@pytest.mark.needs("callback-url")
async def test_reply_create_during_the_greeting_replaces_it(target: Target) -> None:
    """§2.1, §4.3: the greeting ends interrupted, then the new reply starts."""
    async with scripted(target, saying("Here I am."), greeting=LONG) as call:
        greeting = await call.next("reply.started")
        await call.next("reply.audio")
        await call.send("reply.create")
        await interrupted(call, greeting["reply_id"])
        await call.next("reply.started")
        assert (await call.next("transcript.agent"))["text"] == "Here I am."
        assert call.seen("input.speech.started") == []


@pytest.mark.needs("callback-url")
@pytest.mark.recommended
async def test_reply_create_during_a_reply_replaces_it(target: Target) -> None:
    """§4.9, §9 row 9: the running reply is interrupted, then the new one starts."""
    script = Script(lambda asked: Says("Shorter." if "second" in str(asked.messages) else LONG))
    async with scripted(target, script) as call:
        await call.send("reply.create", instructions="first")
        first = await call.next("reply.started")
        await call.next("reply.audio")
        await call.send("reply.create", instructions="second")
        await interrupted(call, first["reply_id"])
        await call.next("reply.started")
        assert (await call.next("transcript.agent"))["text"] == "Shorter."


@pytest.mark.recommended
async def test_reply_cancel_ends_the_reply_as_interrupted(target: Target) -> None:
    """§4.9, §9 row 8: like an interruption, without ``input.speech.started``."""
    async with opened(target) as call:
        await ready(call, greeting=LONG)
        reply = await call.next("reply.started")
        await call.until(lambda _: len(call.audio()) > A_SECOND, "second of audio")
        await call.send("reply.cancel", reply_id=reply["reply_id"])
        await interrupted(call, reply["reply_id"])
        assert await call.quiet() == []
        (transcript,) = call.seen("transcript.agent")
        assert LONG.startswith(transcript["text"].rstrip(" ,."))
        assert transcript["text"] != LONG


@pytest.mark.recommended
async def test_cancelling_an_unknown_or_finished_reply_is_ignored(target: Target) -> None:
    """§4.9: no event, and the reply that runs goes on."""
    async with opened(target) as call:
        await ready(call, greeting="Hello.")
        await call.send("reply.cancel", reply_id="resp_" + "0" * 32)
        done = await call.next("reply.done", status="completed")
        await call.send("reply.cancel", reply_id=done["reply_id"])
        assert await call.quiet() == []


@pytest.mark.needs("callback-url")
async def test_instructions_steer_one_reply_only(target: Target) -> None:
    """§2.1, §3.5, §4.9: they reach the model as a system message and are gone with the next."""
    script = target.scripts.add(saying("Yes."))
    async with scripted(target, script) as call:
        for instructions in ("Mention the harbour.", None):
            await call.send("reply.create", instructions=instructions)
            await call.next("reply.done")
    with_them = [asked for asked in script.asked if "harbour" in str(asked.said_by("system"))]
    assert with_them == script.asked[: len(with_them)]
    assert with_them
    assert len(with_them) < len(script.asked)


@pytest.mark.needs("callback-url")
@pytest.mark.recommended
@pytest.mark.parametrize("role", ["user", "system"])
async def test_the_model_sees_conversation_messages(target: Target, role: str) -> None:
    """§4.9, §9 row 7: they are in the history, in their role, and stay there."""
    script = target.scripts.add(saying("Yes."))
    async with scripted(target, script) as call:
        await call.send("conversation.message", role=role, content="My name is Ada.")
        for _ in range(2):
            await call.send("reply.create")
            await call.next("reply.done")
    assert all("My name is Ada." in " ".join(asked.said_by(role)) for asked in script.asked)


@pytest.mark.needs("callback-url")
async def test_the_history_has_the_greeting_and_the_answers(target: Target) -> None:
    """§3.5: the greeting is an assistant message, and so is each reply; the user's are theirs."""
    script = target.scripts.add(saying("I am fine."))
    async with scripted(target, script, greeting="Hello.") as call:
        await call.next("reply.done")
        for words in ("How are you?", "And now?"):
            await ask(call, words)
            await call.next("reply.done")
    last = script.asked[-1]
    assert last.said_by("assistant")[:2] == ["Hello.", "I am fine."]
    assert [words for words in last.said_by("user") if words] == ["How are you?", "And now?"]


@pytest.mark.needs("callback-url")
async def test_a_new_prompt_holds_from_the_next_turn(target: Target) -> None:
    """§3.1, §4.10: ``system_prompt`` may change at any time and is used at once."""
    script = target.scripts.add(saying("Yes."))
    async with scripted(target, script) as call:
        await call.update(system_prompt=f"Speak like a sailor. {script.mark}")
        await call.next("session.updated")
        await call.send("reply.create")
        await call.next("reply.done")
    assert "Speak like a sailor." in script.asked[-1].said_by("system")[0]


@pytest.mark.needs("callback-url")
async def test_a_failing_model_is_told_and_the_session_goes_on(target: Target) -> None:
    """§2.2, §4.12, §5.3: ``reply.error`` inside the reply, ``reply.done`` completed; not fatal."""
    script = Script(lambda asked: Fails(500) if "fail" in str(asked.messages) else Says("Yes."))
    async with scripted(target, script) as call:
        await call.send("reply.create", instructions="fail")
        started = await call.next("reply.started")
        error = await call.next("reply.error", seconds=25)
        assert error["reply_id"] == started["reply_id"]
        optional = {"status_code": nullable(integer), "provider_code": nullable(text)}
        assert misfits({**dict.fromkeys(optional), **error}, optional) == []
        await call.next("reply.done", status="completed")
        await call.send("reply.create")
        assert (await call.next("transcript.agent"))["text"] == "Yes."


@pytest.mark.needs("callback-url")
async def test_the_model_is_asked_for_a_stream(target: Target) -> None:
    """§3.5: ``stream``, ``include_usage``, ``tool_choice`` auto with tools; first the prompt."""
    script = target.scripts.add(saying("Yes."))
    tools = [{"type": "function", "name": "f", "description": "d", "parameters": {}}]
    async with scripted(target, script, system_prompt="You sell ships.", tools=tools) as call:
        await call.send("reply.create")
        await call.next("reply.done")
    asked = script.asked[0]
    assert asked.body["stream"] is True
    assert asked.body["stream_options"]["include_usage"] is True
    assert asked.body.get("tool_choice", "auto") == "auto"
    assert [tool["function"]["name"] for tool in asked.body["tools"]] == ["f"]
    assert asked.messages[0]["role"] == "system"
    assert asked.said_by("system")[0].startswith("You sell ships.")
