"""What old or naive clients do that must not break a server (§11.1, §9.1)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from conformance.dialogue import LOOK_UP, ask, scripted
from conformance.model import calling
from conformance.target import Target
from conformance.wire import opened, ready

HARMLESS: dict[str, dict[str, Any]] = {
    "type audio present": {"input": {"type": "audio"}, "output": {"type": "audio"}},
    "sample_rate omitted": {"input": {"format": {"encoding": "audio/pcm"}}},
    "empty tools": {"tools": []},
    "numeric vad_threshold": {"input": {"turn_detection": {"vad_threshold": 0.15}}},
    "min_silence 320": {"input": {"turn_detection": {"min_silence": 320}}},
    "empty greeting": {"greeting": ""},
    "null voice_focus": {"input": {"voice_focus": None}},
    "all of turn_detection": {
        "input": {
            "turn_detection": {
                "vad_threshold": 0.5,
                "min_silence": 1000,
                "max_silence": 3000,
                "interrupt_response": True,
            }
        }
    },
}


@pytest.mark.parametrize("habit", HARMLESS)
async def test_a_habit_of_old_clients_is_harmless(target: Target, habit: str) -> None:
    """§11.1: the first update is accepted."""
    async with opened(target) as call:
        await ready(call, **HARMLESS[habit])


@pytest.mark.recommended
async def test_the_voice_of_old_clients_is_harmless(target: Target) -> None:
    """§11.1: ``ivy``."""
    async with opened(target) as call:
        await ready(call, output={"voice": "ivy"})


async def test_keyterms_right_after_ready_are_harmless(target: Target) -> None:
    """§11.1: a second update at once."""
    async with opened(target) as call:
        await call.update(greeting="")
        await call.update(input={"keyterms": ["Antiphon"]})
        await call.next("session.ready")
        updated = await call.next("session.updated")
        assert updated["config"]["input"]["keyterms"] == ["Antiphon"]


@pytest.mark.recommended
async def test_whole_numbers_with_a_fraction_are_harmless(target: Target) -> None:
    """§3.2: ``json.dumps(0.5 * 1000)`` is ``500.0``, and is milliseconds as well."""
    turns = {"min_silence": 500.0, "max_silence": 1500.0}
    sound = {"encoding": "audio/pcm", "sample_rate": 24_000.0}
    async with opened(target) as call:
        await ready(call, input={"turn_detection": turns, "format": sound})


@pytest.mark.recommended
async def test_base64_with_line_breaks_is_harmless(target: Target) -> None:
    """§2.1: some encoders break lines after 76 characters."""
    async with opened(target) as call:
        await ready(call)
        await call.send("input.audio", audio=base64.encodebytes(b"\0" * 960).decode())
        assert "session.error" not in {event["type"] for event in await call.fence()}


@pytest.mark.needs("callback-url", "model=inline")
@pytest.mark.recommended
@pytest.mark.parametrize("path", ["/v1/realtime", "/v1/voice"])
async def test_former_addresses_also_carry_args(target: Target, path: str) -> None:
    """§9 row 27, §9.1: clients of the first generations read ``tool.call.args`` only."""
    script = target.scripts.add(calling("look_up", {"word": "seven"}))
    async with opened(target, path=path) as call:
        await ready(call, system_prompt=script.mark, tools=[LOOK_UP])
        await ask(call, "Please look up seven.")
        event = await call.next("tool.call")
        assert event["args"] == event["arguments"] == {"word": "seven"}


@pytest.mark.needs("callback-url")
async def test_audio_all_the_time_is_harmless(target: Target) -> None:
    """§11.1: before, between and after everything else."""
    async with scripted(target, calling("look_up", {"word": "seven"}), tools=[LOOK_UP]) as call:
        await call.say(b"\0" * 960)
        await ask(call, "Please look up seven.")
        await call.say(b"\0" * 960)
        event = await call.next("tool.call")
        await call.say(b"\0" * 960)
        await call.send("tool.result", call_id=event["call_id"], result="ok", is_error=False)
        await call.next("transcript.agent")
        assert call.seen("session.error") == []


@pytest.mark.needs("limited-key")
@pytest.mark.recommended
async def test_one_session_too_many_is_told_and_ends(target: Target) -> None:
    """§1.6, §5.1, §9 row 21: ``concurrency_exceeded``, close 1008; the first one goes on."""
    async with (
        opened(target, header=target.limited_key) as one,
        opened(target, header=target.limited_key) as two,
    ):
        await ready(one)
        await two.update()
        assert (await two.error("concurrency_exceeded"))["message"]
        assert await two.closed() == 1008
        await one.fence()
