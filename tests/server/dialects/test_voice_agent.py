"""The wire of ``/v1/ws``: every client message in every phase, and the shapes of what is sent."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import AtCapacity, Unauthorized
from antiphon_server.dialects import voice_agent
from server.call.scripted_call import Caller, Stages, calling, llm, sample, silent, voiced
from virtual_time import in_virtual_time

TOOL = {"type": "function", "name": "look_up", "parameters": {}}
AUDIO = codec.encode_input_audio(silent(20))

MESSAGES = {
    "session.update": '{"type":"session.update","session":{"system_prompt":"q"}}',
    "session.resume": '{"type":"session.resume","session_id":"sess_1"}',
    "session.end": '{"type":"session.end"}',
    "input.audio": AUDIO,
    "tool.result": '{"type":"tool.result","call_id":"call_9","result":"x"}',
    "reply.create": '{"type":"reply.create"}',
    "reply.cancel": '{"type":"reply.cancel","reply_id":"resp_9"}',
    "conversation.message": '{"type":"conversation.message","role":"user","content":"x"}',
}


def _errors(caller: Caller) -> list[tuple[str, str]]:
    return [(error.code, error.message) for error in caller.heard(wire.SessionError)]


def test_every_client_message_is_tried_here() -> None:
    """A message that is added to the protocol is added to this table."""
    assert set(MESSAGES) == set(codec.CLIENT_TYPES)


# --- before the first update ---------------------------------------------------------------


@in_virtual_time
async def test_the_server_is_silent_until_it_is_spoken_to() -> None:
    """Section 1.3: good credentials are answered by nothing."""
    async with calling() as caller:
        await asyncio.sleep(30)
        assert caller.line.received == []


@pytest.mark.parametrize("kind", sorted(MESSAGES))
@in_virtual_time
async def test_each_message_before_the_first_update(kind: str) -> None:
    """Audio is discarded, an update opens, an end ends, a resume is given back; the rest
    is refused and the socket stays open (sections 2.1 and 4.1).
    """
    async with calling() as caller:
        caller.line.coming.put_nowait(MESSAGES[kind])
        await asyncio.sleep(1)
        if kind == "input.audio":
            assert caller.line.received == []
        elif kind == "session.update":
            assert caller.kinds == ["session.updated", "session.ready"]
        elif kind == "session.end":
            assert await caller.ended() == 1000
            assert caller.kinds == ["session.ended"]
        elif kind == "session.resume":
            # It is about another session, which is for the server around this one to find.
            (asked,) = caller.resumes
            assert asked.session_id
            assert caller.line.received == []
        else:
            message = f"'{kind}' is not accepted before the first session.update"
            assert _errors(caller) == [("invalid_format", message)]
            caller.update(system_prompt="p")
            await caller.until(wire.SessionReady)


@pytest.mark.parametrize(
    ("frame", "code", "message"),
    [
        ("not JSON", "invalid_format", "Invalid JSON format."),
        ('{"type":"nonsense"}', "invalid_format", "Unknown message type: nonsense"),
        (
            '{"type":"session.update","session":{"greeting":null}}',
            "invalid_format",
            "Invalid message format for type 'session.update'",
        ),
        (
            '{"type":"session.update","session":{"language":"en"}}',
            "invalid_format",
            "Invalid message format for type 'session.update'",
        ),
        (
            '{"type":"tool.result","call_id":"c"}',
            "invalid_format",
            "Invalid message format for type 'tool.result'",
        ),
        ('{"type":"input.audio","audio":"%%%"}', "invalid_audio", "Invalid audio data"),
        (b"RIFF", "invalid_audio", "Invalid audio data"),
    ],
)
@in_virtual_time
async def test_a_bad_frame_is_told_and_the_socket_stays_open(
    frame: str | bytes, code: str, message: str
) -> None:
    """Before the first update and after it: the words of section 2.1, and life goes on."""
    async with calling() as caller:
        caller.line.coming.put_nowait(frame)
        caller.update(system_prompt="p")
        await caller.until(wire.SessionReady)
        caller.line.coming.put_nowait(frame)
        caller.update(system_prompt="q")
        await caller.until(wire.SessionUpdated)
        assert _errors(caller) == [(code, message)] * 2
        assert caller.heard(wire.SessionError)[0].session_id == caller.session.session_id


@in_virtual_time
async def test_a_bad_value_in_the_first_update_is_fatal() -> None:
    """The error with its param, then 1008; a good update behind it starts nothing."""
    async with calling() as caller:
        caller.update(output={"voice": "nobody"})
        caller.update(output={"voice": "alba"})
        assert await caller.ended() == 1008
        assert caller.kinds == ["session.error"]
        (error,) = caller.heard(wire.SessionError)
        assert (error.code, error.param) == ("invalid_value", "output.voice")


@in_virtual_time
async def test_an_update_without_a_session_is_all_defaults() -> None:
    """Absent, null, or under another name (section 2.1)."""
    for frame in (
        '{"type":"session.update"}',
        '{"type":"session.update","session":null}',
        '{"type":"session.update","config":{"system_prompt":"ignored"}}',
    ):
        async with calling() as caller:
            caller.line.coming.put_nowait(frame)
            ready = await caller.until(wire.SessionReady)
            assert ready.config.system_prompt == ""


# --- while it is open ----------------------------------------------------------------------


async def _quiet(_caller: Caller) -> None:
    await asyncio.sleep(0.1)


async def _listening(caller: Caller) -> None:
    await caller.play(voiced(300))


async def _replying(caller: Caller) -> None:
    caller.tell(wire.CreateReply())
    await caller.until(wire.ReplyAudio)


@pytest.mark.parametrize("phase", [_quiet, _listening, _replying])
@pytest.mark.parametrize("kind", sorted(MESSAGES))
@in_virtual_time
async def test_each_message_in_each_phase_is_taken(
    kind: str, phase: Callable[[Caller], object]
) -> None:
    """None but a resume is an error; afterwards the session answers, unless it was ended."""
    async with calling(Stages(llm=llm(replies="One two three four five.")), tools=[]) as caller:
        await phase(caller)  # type: ignore[misc]
        caller.line.coming.put_nowait(MESSAGES[kind])
        if kind == "session.end":
            assert await caller.ended() == 1000
            return
        caller.update(system_prompt="still here")
        while (await caller.until(wire.SessionUpdated)).config.system_prompt != "still here":
            pass
        message = "'session.resume' is accepted as a socket's first message only"
        resumed = [("invalid_format", message)]
        assert _errors(caller) == (resumed if kind == "session.resume" else [])


@in_virtual_time
async def test_a_refused_update_is_one_error_and_changes_nothing() -> None:
    """No ``session.updated``; the next echo shows the old values (section 4.10)."""
    async with calling(system_prompt="p", greeting="Hi.") as caller:
        for session in (
            {"greeting": "Other."},
            {"output": {"voice": "nobody"}},
            {"input": {"format": {"encoding": "audio/pcm", "sample_rate": 16_000}}},
            {"system_prompt": "q", "output": {"volume": 900}},
            {"agent_id": "agent_1"},
        ):
            caller.update(**session)
        caller.update()
        await caller.until(wire.SessionUpdated)
        config = caller.heard(wire.SessionUpdated)[-1].config
        assert (config.system_prompt, config.greeting, config.output.volume) == ("p", "Hi.", None)
        assert [code for code, _ in _errors(caller)] == [
            "immutable_field",
            "immutable_field",
            "immutable_field",
            "invalid_value",
            "agent_id_not_first",
        ]
        assert len(caller.heard(wire.SessionUpdated)) == 2


@in_virtual_time
async def test_half_a_sample_is_kept_for_the_next_frame() -> None:
    """An odd number of bytes is no error (section 7.2)."""
    async with calling(system_prompt="p") as caller:
        pcm = voiced(900) + silent(600)
        for at in range(0, len(pcm), 999):
            caller.line.coming.put_nowait(codec.encode_input_audio(pcm[at : at + 999]))
        await caller.until(wire.UserTranscript)
        assert _errors(caller) == []


# --- shapes --------------------------------------------------------------------------------


@in_virtual_time
async def test_ids_have_the_shapes_of_the_hosted_service() -> None:
    """Section 2: ``sess_``, ``resp_`` and ``msg_`` with 32 hexadecimal digits; each new thing
    has a new one, and what belongs together shares it.
    """
    async with calling(greeting="Hi there.", system_prompt="p") as caller:
        for _ in range(2):
            await caller.say()
            await caller.until(wire.ReplyDone)
        await caller.until(wire.ReplyDone)
        (ready,) = caller.heard(wire.SessionReady)
        assert re.fullmatch(r"sess_[0-9a-f]{32}", ready.session_id)
        assert ready.config.id == ready.session_id
        assert len(ready.resume_token) >= 32
        started = caller.heard(wire.ReplyStarted)
        assert len({reply.reply_id for reply in started}) == 3
        for reply in started:
            assert re.fullmatch(r"resp_[0-9a-f]{32}", reply.reply_id)
            assert re.fullmatch(r"msg_[0-9a-f]{32}", reply.item_id)
        items = {reply.reply_id: reply.item_id for reply in started}
        for said in caller.heard(wire.AgentTranscript):
            assert said.item_id == items[said.reply_id]
        for word in caller.heard(wire.AgentTranscriptDelta):
            assert word.item_id == items[word.reply_id]
        turns = [turn.item_id for turn in caller.heard(wire.UserTranscript)]
        assert len({*turns, *items.values()}) == 5


@in_virtual_time
async def test_words_have_a_trailing_space_but_for_the_last() -> None:
    """Section 9, row 14: joined without separator they are the transcript; their times rise."""
    async with calling(greeting="One two three. Four five six. Seven.") as caller:
        await caller.until(wire.ReplyDone)
        words = caller.heard(wire.AgentTranscriptDelta)
        assert "".join(word.delta for word in words) == "One two three. Four five six. Seven."
        assert all(word.delta.endswith(" ") for word in words[:-1])
        starts = [word.start_ms or 0 for word in words]
        assert starts == sorted(starts)
        assert all((word.end_ms or 0) >= (word.start_ms or 0) for word in words)


@in_virtual_time
async def test_timestamps_never_run_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unix seconds as floats, even when the wall clock is set back in mid-call."""
    now = [1_800_000_000.0]

    def wall() -> float:
        now[0] += 0.001
        return now[0]

    monkeypatch.setattr(time, "time", wall)
    async with calling(greeting="One two three four.") as caller:
        await caller.until(wire.ReplyAudio)
        now[0] -= 3600
        await caller.until(wire.ReplyDone)
        stamps = [message.timestamp for _, message in caller.line.received]
        assert stamps == sorted(stamps)
        assert stamps[0] == pytest.approx(1_800_000_000, abs=1)
        (ready,) = caller.heard(wire.SessionReady)
        assert ready.expires_at == pytest.approx(1_800_000_000 + 10_800, abs=2)


def test_a_refusal_at_the_door_names_nothing() -> None:
    """Section 1.3: param and session id are null; it is counted by its code."""
    for error in (Unauthorized(), AtCapacity()):
        before = sample("antiphon_sessions_refused_total", code=error.code)
        told = codec.decode_server(voice_agent.unauthorized(error))
        assert isinstance(told, wire.SessionError)
        assert (told.code, told.message) == (error.code, error.message)
        assert told.param is None
        assert told.session_id is None
        assert told.timestamp == pytest.approx(time.time(), abs=5)
        assert sample("antiphon_sessions_refused_total", code=error.code) == before + 1


def test_session_ids_are_not_to_be_guessed() -> None:
    """128 bits from the system's generator, each its own."""
    assert len({voice_agent.session_id() for _ in range(1000)}) == 1000
