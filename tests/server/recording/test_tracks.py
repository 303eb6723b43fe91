"""Where audio lies: no hole where there is none, silence where there is one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_protocol.audio import PCM, PCMU
from antiphon_server.call.sound import Samples, encode
from antiphon_server.recording.tracks import AgentTrack, Strip, UserTrack

MS = 24
"""Samples of PCM in a millisecond."""


def _count(size: int, first: int = 1) -> Samples:
    """Loud samples, each different from its neighbours."""
    return (np.arange(first, first + size) % 20_000 + 1_000).astype(np.int16)


def _pcm(samples: Samples) -> bytes:
    return encode(samples, PCM)


def _taken(track: UserTrack | AgentTrack) -> Samples:
    return track.strip.take(track.strip.end)


# --- a strip -------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "pad", "cut", "take"]), st.integers(0, 60)), max_size=40
    )
)
def test_a_strip_is_what_was_put_padded_and_cut(steps: list[tuple[str, int]]) -> None:
    """Whatever is done in whatever order, it equals a plain list that the same was done to."""
    strip, plain, taken, begin = Strip(), [], [], 0
    for number, (what, size) in enumerate(steps, 1):
        if what == "put":
            strip.put(np.full(size, number, np.int16))
            plain += [number] * size
        elif what == "pad":
            strip.pad(strip.end + size - 30)
            plain += [0] * (size - 30)
        elif what == "cut":
            strip.cut(strip.begin + size - 30)
            del plain[max(0, size - 30) :]
        else:
            got = strip.take(strip.begin + size)
            taken += got.tolist()
            plain += [0] * (size - len(plain))
            begin += size
            assert got.tolist() == plain[:size]
            del plain[:size]
        assert (strip.begin, strip.end) == (begin, begin + len(plain))
    assert strip.take(strip.end).tolist() == plain


# --- the agent -----------------------------------------------------------------------------


def test_the_agent_is_where_it_is_played() -> None:
    """Silence before it and between replies, to the sample; frames that touch stay whole."""
    track = AgentTrack(PCM)
    said = _count(4_000)
    for start in range(0, 4_000, 960):
        # Times that are sums of floats are off by a sample or two.
        track.add(_pcm(said[start : start + 960]), 24_000 + start + (start % 3) - 1)
    track.add(_pcm(said[:960]), 36_000)
    got = _taken(track)
    assert not got[:23_999].any()
    assert np.array_equal(got[23_999 : 23_999 + 4_000], said)
    assert not got[28_000:36_000].any()
    assert np.array_equal(got[36_000:], said[:960])


def test_what_the_agent_did_not_come_to_say_is_not_there() -> None:
    """An empty piece silences it from then on; a new reply replaces what was to come."""
    track = AgentTrack(PCM)
    track.add(_pcm(_count(24_000)), 0)
    track.add(b"", 12_000)
    assert track.strip.end == 12_000
    track.add(_pcm(_count(6_000, 5)), 6_000)
    got = _taken(track)
    assert np.array_equal(got, np.concatenate((_count(6_000), _count(6_000, 5))))


def test_what_was_taken_is_not_replaced() -> None:
    """Audio for a time that is written already follows at once."""
    track = AgentTrack(PCM)
    track.strip.take(24_000)
    track.add(_pcm(_count(960)), 100)
    assert np.array_equal(_taken(track), _count(960))


# --- the user ------------------------------------------------------------------------------


@given(
    sizes=st.lists(st.integers(1, 4_801), min_size=5, max_size=60),
    jitter=st.lists(st.integers(0, 199 * MS), min_size=60, max_size=60),
)
def test_jitter_tears_no_stream(sizes: list[int], jitter: list[int]) -> None:
    """However a stream is cut into pieces of bytes, and however late each comes within 200 ms:
    all of it is there, in order, and nothing in between.
    """
    samples = _count(sum(sizes))
    raw = _pcm(samples)[: sum(sizes)]
    track = UserTrack(PCM)
    at = 0
    for size, late in zip(sizes, jitter, strict=False):
        # The first is on time; the others come up to 200 ms later than it.
        track.add(raw[at : at + size], at // 2 + (late if at else 0))
        at += size
    assert np.array_equal(_taken(track), samples[: len(raw) // 2])


def test_a_pause_is_silence_of_its_length() -> None:
    """Audio after it lies where it arrived."""
    track = UserTrack(PCM)
    track.add(_pcm(_count(2_400)), 1_000 * MS)
    track.add(_pcm(_count(2_400)), 2_500 * MS)
    got = _taken(track)
    assert np.flatnonzero(got)[[0, 2_399, 2_400, -1]].tolist() == [
        24_000,
        26_399,
        60_000,
        62_399,
    ]


def test_a_file_that_is_sent_at_once_stays_whole() -> None:
    """What comes early waits its turn: ten seconds that came in a moment take ten seconds."""
    track = UserTrack(PCM)
    speech = _count(240_000)
    speech[60_000:120_000] = 0
    for start in range(0, 240_000, 2_400):
        track.add(_pcm(speech[start : start + 2_400]), start // 100)
    assert np.array_equal(_taken(track), speech)


def test_silence_that_was_written_meanwhile_is_not_repeated() -> None:
    """The writer goes on while nothing comes; then the stream goes on where it arrives."""
    track = UserTrack(PCM)
    track.add(_pcm(_count(2_400)), 0)
    track.strip.take(48_000)
    track.add(_pcm(_count(2_400)), 50_400)
    assert track.strip.end == 52_800


def _stream(track: UserTrack, speech: Samples, arrival: dict[int, int]) -> None:
    """Pieces of 50 ms in real time; from a piece on, each arrives so many ms later."""
    late = 0
    for number, start in enumerate(range(0, speech.size, 1_200)):
        late = arrival.get(number, late)
        track.add(_pcm(speech[start : start + 1_200]), start + late * MS)


def test_a_stall_is_made_good_while_nobody_speaks() -> None:
    """The network stood still for 2 s, then brought all that was said in them: the stream is
    late until the user pauses, and on time again after that.
    """
    speech = _count(30 * 24_000)
    speech[10 * 24_000 : 15 * 24_000] = 100
    track = UserTrack(PCM)
    stalled = {40 + number: 2_000 - 50 * number for number in range(40)} | {80: 0}
    _stream(track, speech, stalled)
    got = _taken(track)
    assert abs(got.size - speech.size) <= 40 * MS
    last = slice(-14 * 24_000, None)
    assert np.array_equal(got[last], speech[last])
    # Every word is there: only the pause became shorter.
    loud = got[got > 330]
    assert np.array_equal(loud, speech[speech > 330])


@pytest.mark.parametrize("ppm", [400, -400])
def test_the_drift_of_a_clock_is_made_good_while_nobody_speaks(ppm: int) -> None:
    """After ten minutes at 400 ppm a stream would be 240 ms off; it is 50 ms off at most."""
    track = UserTrack(PCM)
    speech = np.full(1_200, 100, np.int16)
    astray = []
    for number in range(12_000):
        at = round(number * 1_200 * (1 + ppm / 1e6))
        astray.append(track.strip.end - at)
        track.add(_pcm(speech), at)
    assert max(map(abs, astray)) <= 50 * MS


def test_speech_is_never_cut_into_to_make_good_for_lateness() -> None:
    """As long as somebody speaks a stream stays as it is, however late."""
    speech = _count(20 * 24_000)
    track = UserTrack(PCM)
    _stream(track, speech, {40 + number: 2_000 - 50 * number for number in range(40)} | {80: 0})
    got = _taken(track)
    assert np.array_equal(got[got != 0], speech)


def test_g711_is_decoded_at_its_own_rate() -> None:
    """Positions count its 8,000 samples a second."""
    track = UserTrack(PCMU)
    samples = np.full(800, 8_031, np.int16)
    track.add(encode(samples, PCMU), 8_000)
    got = _taken(track)
    assert got.size == 8_800
    assert np.abs(got[8_000:] - 8_031).max() <= 128
