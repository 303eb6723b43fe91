"""How much microphone audio may come."""

from antiphon_server.call.pace import BURST_SECONDS, SUSTAINED, TELL_SECONDS, AudioAllowance


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
