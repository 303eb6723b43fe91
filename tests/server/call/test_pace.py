"""How much audio may come, and how many messages."""

import pytest

from antiphon_server.call.pace import (
    BURST_SECONDS,
    SUSTAINED,
    TELL_SECONDS,
    AudioAllowance,
    MessageAllowance,
)


def test_a_burst_is_admitted_and_no_more() -> None:
    """Ten seconds at once, then nothing until time passes."""
    allowance = AudioAllowance(100.0)
    assert allowance.admits(BURST_SECONDS, 100.0)
    assert not allowance.admits(0.02, 100.0)


def test_real_time_is_admitted_for_ever() -> None:
    """Also after a burst: real time is half of what may be sustained."""
    allowance = AudioAllowance(0.0)
    assert allowance.admits(BURST_SECONDS, 0.0)
    assert all(allowance.admits(0.02, 0.02 * frame) for frame in range(1, 50_000))


def test_in_the_long_run_twice_real_time_is_admitted() -> None:
    """Of audio at four times real time, half is dropped once the burst is used up."""
    allowance = AudioAllowance(0.0)
    frames = 30_000
    admitted = sum(allowance.admits(0.02, 0.005 * frame) for frame in range(frames))
    seconds = 0.005 * frames
    assert abs(admitted * 0.02 - (BURST_SECONDS + SUSTAINED * seconds)) < 0.1


def test_what_is_refused_costs_nothing() -> None:
    """A frame too large for the allowance does not use it up."""
    allowance = AudioAllowance(0.0)
    assert not allowance.admits(BURST_SECONDS + 1, 0.0)
    assert allowance.admits(BURST_SECONDS, 0.0)


def test_silence_saves_up_no_more_than_a_burst() -> None:
    """An hour of silence is followed by ten seconds at once, not by an hour."""
    allowance = AudioAllowance(0.0)
    assert not allowance.admits(BURST_SECONDS + 0.01, 3600.0)
    assert allowance.admits(BURST_SECONDS, 3600.0)


def test_a_client_is_told_at_most_every_five_seconds() -> None:
    """The first time at once, then not before ``TELL_SECONDS`` have passed."""
    allowance = AudioAllowance(0.0)
    told = [now for now in range(21) if allowance.should_tell(float(now))]
    assert told == [0, TELL_SECONDS, 2 * TELL_SECONDS, 3 * TELL_SECONDS, 4 * TELL_SECONDS]


def test_nobody_who_speaks_waits() -> None:
    """Not with the shortest frames there are, and not with the longest, at three times real time
    for as long as the hosted service was seen to take it (protocol section 7.2).
    """
    for frame_ms in (5.3, 20.0, 100.0):
        allowance = MessageAllowance(0.0)
        size, frames = round(64 * frame_ms) + 50, round(7_300 * 3 / frame_ms)
        waits = [allowance.wait(size, n * frame_ms / 3_000) for n in range(frames)]
        assert max(waits) == 0


def test_whoever_sends_without_end_is_read_at_a_pace() -> None:
    """Five hundred messages a second, or a megabyte, once the burst is used up."""
    for size, seconds in ((0, 100_000 * 0.002), (998_000, 100_000.0)):
        allowance, now = MessageAllowance(0.0), 0.0
        for _ in range(100_000):
            now += allowance.wait(size, now)
        assert abs(now - (seconds - 4)) < 0.1


def test_a_pause_saves_up_no_more_than_a_burst_of_messages() -> None:
    """After an hour of silence as after none."""
    allowance = MessageAllowance(0.0)
    waits = [allowance.wait(0, 3_600.0) for _ in range(3_000)]
    assert sum(wait == 0 for wait in waits) == 2_000


def test_whoever_owes_time_is_known() -> None:
    """Not before the burst is used up; and no longer than it takes to make up for it."""
    allowance = MessageAllowance(0.0)
    for _ in range(2_000):
        assert not allowance.is_spent(0.0)
        allowance.wait(0, 0.0)
    assert allowance.wait(0, 0.0) == pytest.approx(0.002)
    assert allowance.is_spent(0.001)
    assert not allowance.is_spent(0.0021)
