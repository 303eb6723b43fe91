"""Microphone audio into events: onset, pause, hysteresis, bytes of any cut."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon_protocol.audio import PCM, PCMA, PCMU, Encoding
from antiphon_server.call.ears import (
    ONSET_MS,
    HearingManners,
)
from antiphon_server.call.sound import encode
from antiphon_server.conversation.vocabulary import (
    VoiceStarted,
    VoiceStopped,
)
from server.call.microphone import listening
from server.call.scripted_call import (
    Stages,
    silent,
    vad,
    voiced,
)
from virtual_time import in_virtual_time


@in_virtual_time
async def test_a_voice_counts_after_its_onset_and_stops_after_its_pause() -> None:
    """About 96 ms after it begins and about 200 ms after it ends, once each."""
    async with listening() as microphone:
        await microphone.hears(silent(500), voiced(1000), silent(1000))
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted", "VoiceStopped"]
        (started,), (stopped,) = microphone.when(VoiceStarted), microphone.when(VoiceStopped)
        assert started == pytest.approx(0.5 + ONSET_MS / 1000, abs=0.06)
        assert stopped == pytest.approx(1.5 + 0.2, abs=0.06)


@in_virtual_time
async def test_a_knock_is_no_voice() -> None:
    """Less than three loud windows in a row, however often, are not noticed."""
    async with listening() as microphone:
        for _ in range(20):
            await microphone.hears(voiced(30), silent(150))
        assert microphone.events == []


@in_virtual_time
async def test_a_short_gap_is_no_pause() -> None:
    """Silence below ``pause_ms`` leaves the voice on; the pause may be changed in mid-call."""
    async with listening() as microphone:
        await microphone.hears(voiced(300), silent(140), voiced(300))
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted"]
        microphone.ears.change(HearingManners(PCM, pause_ms=96))
        await microphone.hears(silent(200))
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted", "VoiceStopped"]


@in_virtual_time
async def test_a_voice_that_counts_survives_doubtful_windows() -> None:
    """Windows just below the threshold end no voice, and begin none."""
    doubtful = Stages(vad=vad(voice=0.9, silence=0.4))
    async with listening(doubtful, HearingManners(PCM, threshold=0.5)) as microphone:
        await microphone.hears(silent(500))
        assert microphone.events == []
        await microphone.hears(voiced(300), silent(1000))
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted"]


@in_virtual_time
async def test_the_threshold_is_the_clients() -> None:
    """What counts as voice at 0.5 does not at 0.95."""
    stages = Stages(vad=vad(voice=0.9))
    async with listening(stages, HearingManners(PCM, threshold=0.95)) as microphone:
        await microphone.hears(voiced(1000))
        assert microphone.events == []
        microphone.ears.change(HearingManners(PCM, threshold=0.5))
        await microphone.hears(voiced(300))
        assert microphone.kinds(VoiceStarted) == ["VoiceStarted"]


@in_virtual_time
async def test_the_timeline_gets_the_last_voiced_window() -> None:
    """Endpointing is measured from the end of speech, not from when that was known."""
    async with listening() as microphone:
        await microphone.hears(voiced(1000), silent(500))
        ended = microphone.timeline.hearing.speech_ended
        assert ended == pytest.approx(1.0, abs=0.045)
        assert microphone.timeline.hearing.paused == microphone.when(VoiceStopped)[0]


@pytest.mark.parametrize("cut", [1, 3, 7, 256, 4801, 100_001])
@in_virtual_time
async def test_audio_may_be_cut_anywhere(cut: int) -> None:
    """Even in the middle of a sample: the same audio is the same events and the same words."""
    async with listening() as microphone:
        pcm = silent(300) + voiced(900) + silent(600)
        for at in range(0, len(pcm), cut):
            microphone.ears.hear(pcm[at : at + cut])
        await microphone.settle()
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted", "VoiceStopped"]
        assert microphone.ears.received_seconds == pytest.approx(1.8)


@pytest.mark.parametrize("encoding", [PCMU, PCMA])
@in_virtual_time
async def test_g711_is_heard(encoding: Encoding) -> None:
    """At 8 kHz, an eighth of the bytes: the same events."""
    async with listening(manners=HearingManners(encoding)) as microphone:
        eight = np.frombuffer(voiced(900, encoding) + bytes(8000 * 2), np.int16)
        raw = encode(eight, encoding)
        for at in range(0, len(raw), 160):
            microphone.ears.hear(raw[at : at + 160])
        await microphone.settle()
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted", "VoiceStopped"]
        assert microphone.ears.received_seconds == pytest.approx(1.9)


@in_virtual_time
async def test_noise_suppression_comes_before_everything() -> None:
    """What it takes away is heard by nobody; it may give back other lengths than it got."""
    muted = HearingManners(PCM, clean=lambda pcm: bytes(len(pcm)))
    held = bytearray()

    def late(pcm: bytes) -> bytes:
        held.extend(pcm)
        given = bytes(held[: len(held) // 320 * 320])
        del held[: len(given)]
        return given

    async with listening(manners=muted) as microphone:
        await microphone.hears(voiced(500))
        assert microphone.events == []
        microphone.ears.change(HearingManners(PCM, clean=late))
        await microphone.hears(voiced(500), silent(500))
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted", "VoiceStopped"]
