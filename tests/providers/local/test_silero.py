"""Voice activity by the real network, on human speech."""

import numpy as np
import pytest

from antiphon_providers import registry
from antiphon_providers.contract import human_speech
from antiphon_providers.contract.voice_activity import (
    Listener,
    VoiceActivityContract,
    judged,
    windows,
)
from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.local.silero import Silero, SileroOptions


class TestSilero(VoiceActivityContract):
    """It keeps to the contract."""

    def make(self) -> Silero:
        """As it comes."""
        return Silero()


class TestSileroWithoutGate(VoiceActivityContract):
    """It keeps to the contract without its gate."""

    def make(self) -> Silero:
        """Every window goes to the network."""
        return Silero(SileroOptions(gate=False))


def conversation(snr_db: float | None) -> bytes:
    """All clips with pauses between them, in noise so much softer than the speech."""
    parts = [human_speech.background(2000)]
    for clip in human_speech.clips():
        parts += [clip.pcm, human_speech.background(2000)]
    pcm = b"".join(parts)
    return pcm if snr_db is None else human_speech.noisy(pcm, snr_db)


@pytest.mark.parametrize("snr_db", [None, 20, 5])
async def test_the_gate_delays_no_onset_by_more_than_a_window_and_saves_work(
    snr_db: float | None,
) -> None:
    """On human speech, clean and in noise, decisions at 0.5 are those of the network alone but
    for single windows, and more than a tenth of the work is saved although half is speech.
    """
    pcm = conversation(snr_db)
    plain, gated = Silero(SileroOptions(gate=False)), Silero()
    voices = []
    for activity in (plain, gated):
        await activity.start()
        # One window at a time, as a live caller's audio comes: the gate waits for results.
        listener = Listener()
        stream = activity.open(listener)
        for count, at in enumerate(range(0, len(pcm) - 1023, 1024), 1):
            stream.feed(pcm[at : at + 1024])
            await listener.until(count)
        voices.append(np.array(listener.heard) > 0.5)
        await activity.close()
    expected, got = voices
    onsets = np.flatnonzero(expected[1:] & ~expected[:-1]) + 1
    assert onsets.size > 10
    assert all(got[onset : onset + 2].any() for onset in onsets)
    assert np.mean(expected != got) < 0.02
    assert gated.windows_shut_out > 0.1 * len(expected)
    assert gated.windows_judged + gated.windows_shut_out == len(expected)


async def test_windows_that_wait_are_judged_together() -> None:
    """Eight calls' windows take fewer runs than there are windows."""
    activity = Silero(SileroOptions(gate=False))
    await activity.start()
    pcm = human_speech.clip("best").pcm
    listeners = [Listener() for _ in range(8)]
    streams = [activity.open(listener) for listener in listeners]
    for at in range(0, len(pcm), 1024):
        for stream in streams:
            stream.feed(pcm[at : at + 1024])
    for listener in listeners:
        await listener.until(windows(activity, pcm))
    assert activity.windows_judged == 8 * windows(activity, pcm)
    assert activity.runs < activity.windows_judged / 2
    assert all(listener.heard == listeners[0].heard for listener in listeners)
    await activity.close()


async def test_the_more_calls_there_are_the_more_windows_are_gathered() -> None:
    """A lone caller is not kept waiting, and nobody longer than 10 ms; who left counts no more."""
    activity = Silero()
    await activity.start()
    streams = [activity.open(Listener()) for _ in range(200)]
    assert activity.gathering_s == 0.01
    for stream in streams[1:]:
        stream.close()
        stream.close()
    assert activity.gathering_s < 0.0001
    streams[0].close()
    assert activity.gathering_s == 0
    await activity.close()


async def test_many_windows_in_one_piece_keep_their_order() -> None:
    """A second of audio at once gives what it gives window by window."""
    activity = Silero(SileroOptions(gate=False))
    await activity.start()
    pcm = human_speech.clip("hope").pcm
    assert await judged(activity, pcm, len(pcm)) == await judged(activity, pcm, 1024)
    await activity.close()


async def test_must_be_started() -> None:
    """Before the start and after the end there is no stream."""
    activity = Silero()
    with pytest.raises(Unavailable):
        activity.open(lambda _: None)
    await activity.start()
    await activity.close()
    with pytest.raises(Unavailable):
        activity.open(lambda _: None)


async def test_a_failure_of_the_network_is_told_at_the_next_feed() -> None:
    """Streams do not go silent without a word."""
    activity = Silero(SileroOptions(gate=False))
    await activity.start()
    listener = Listener()
    stream = activity.open(listener)
    activity.worker.failure = RuntimeError("out of memory")
    with pytest.raises(Unavailable, match="out of memory"):
        stream.feed(human_speech.silence(100))
    await activity.close()


def test_refuses_options_that_it_does_not_have() -> None:
    """The registry tells which there are."""
    with pytest.raises(Refused, match="gate"):
        registry.create("voice_activity", "silero", {"threshold": "0.5"})
