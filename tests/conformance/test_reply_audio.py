"""The sound of replies: encodings, pace, volume (§7.3), and replies without sound (§9 row 25)."""

from __future__ import annotations

import array

import pytest

from conformance.dialogue import SPOKEN, ask, scripted
from conformance.model import saying
from conformance.stage import Trace, shows, traced
from conformance.target import Target
from conformance.wire import opened, ready

BYTES_PER_SECOND = {"audio/pcm": 48_000, "audio/pcmu": 8_000, "audio/pcma": 8_000}


async def in_all_encodings(target: Target) -> Trace:
    """The same greeting three times, in each encoding."""
    notes = {}
    for encoding, rate in BYTES_PER_SECOND.items():
        async with opened(target) as call:
            await ready(call, greeting=SPOKEN, output={"format": {"encoding": encoding}})
            await call.next("reply.done")
            notes[encoding] = len(call.audio()) / rate
            chunks = call.seen("reply.audio")
            notes[f"{encoding} chunk"] = max(len(event["data"]) for event in chunks)
            notes[f"{encoding} lasted"] = call.arrival(chunks[-1]) - call.arrival(chunks[0])
            if encoding == "audio/pcm":
                trace = traced(call)
                trace.notes["pcm"] = call.audio()
    trace.notes.update(notes)
    return trace


@shows(in_all_encodings)
def test_a_greeting_lasts_equally_long_in_every_encoding(trace: Trace) -> None:
    """§7.1, §7.3: s16le mono at 24000, G.711 at 8000."""
    seconds = [trace.notes[encoding] for encoding in BYTES_PER_SECOND]
    assert min(seconds) > 0.5
    assert max(seconds) - min(seconds) < 0.25


@shows(in_all_encodings)
def test_pcm_has_whole_samples_and_sounds(trace: Trace) -> None:
    """§7.1: int16 samples; the greeting is no silence."""
    samples = array.array("h", trace.notes["pcm"])
    assert max(map(abs, samples)) > 500


@shows(in_all_encodings)
def test_chunks_are_small(trace: Trace) -> None:
    """§7.3, §1.6: live 10 to 37 ms; at most half a second, far below what clients take."""
    assert trace.notes["audio/pcm chunk"] <= 48_000 * 4 // 3 // 2


@pytest.mark.recommended
@shows(in_all_encodings)
def test_audio_comes_in_real_time(trace: Trace) -> None:
    """§7.3: paced, so that an interruption is exact; a lead is fine. The best of three counts."""
    paces = [trace.notes[f"{one} lasted"] / trace.notes[one] for one in BYTES_PER_SECOND]
    assert max(paces) >= 0.6
    assert min(paces) <= 1.5


async def quiet_and_loud(target: Target) -> Trace:
    """One sentence at full and at a tenth of the volume."""
    notes = {}
    for volume in (100, 10):
        async with opened(target) as call:
            await ready(call, greeting="Hello there.", output={"volume": volume})
            await call.next("reply.done")
            samples = array.array("h", call.audio())
            notes[volume] = sum(map(abs, samples)) / len(samples)
    return traced(call, quiet=notes[10], loud=notes[100])


@pytest.mark.recommended
@shows(quiet_and_loud)
def test_a_lower_volume_is_quieter(trace: Trace) -> None:
    """§3.1: ``output.volume`` 0 to 100."""
    assert trace.notes["quiet"] < trace.notes["loud"] / 2


async def test_nothing_is_sent_between_replies(target: Target) -> None:
    """§7.3: no silence fills the gaps."""
    async with opened(target) as call:
        await ready(call, greeting="Hello.")
        await call.next("reply.done")
        assert await call.quiet(1.0) == []


@pytest.mark.needs("callback-url")
@pytest.mark.recommended
async def test_output_as_text_has_no_sound(target: Target) -> None:
    """§9 row 25: ``output.type`` ``text``: no ``reply.audio``, the rest unchanged."""
    async with scripted(target, saying("Here I am."), output={"type": "text"}) as call:
        assert call.seen("session.ready")[0]["config"]["output"]["type"] == "text"
        await ask(call, "Where are you?")
        await call.next("reply.started")
        assert (await call.next("transcript.agent"))["text"] == "Here I am."
        await call.next("reply.done", status="completed")
        assert call.seen("reply.audio") == []
        assert call.seen("transcript.agent.delta")


@pytest.mark.needs("callback-url")
@pytest.mark.recommended
async def test_input_as_text_is_taken(target: Target) -> None:
    """§9 row 25: ``input.type`` ``text``: the user writes; replies are as ever."""
    async with scripted(target, saying("Here I am."), input={"type": "text"}) as call:
        assert call.seen("session.ready")[0]["config"]["input"]["type"] == "text"
        await ask(call, "Where are you?")
        await call.next("reply.done", status="completed")
        assert call.seen("reply.audio")


@pytest.mark.recommended
@pytest.mark.parametrize("side", ["input", "output"])
async def test_the_modality_is_frozen(target: Target, side: str) -> None:
    """§3.1: ``input.type`` and ``output.type`` cannot change after the first update."""
    async with opened(target) as call:
        await ready(call)
        await call.update(**{side: {"type": "text"}})
        error = await call.error("immutable_field")
        assert error["param"] == f"{side}.type"
