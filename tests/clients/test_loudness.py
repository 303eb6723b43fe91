"""Where there is voice, by energy."""

from antiphon.loudness import Loudness
from clients.fake_agent import silence, tone

RATE = 24_000


def test_voice_is_found_between_silences() -> None:
    """To the window of 10 ms."""
    loudness = Loudness(silence(300) + tone(500) + silence(200), RATE)
    assert (loudness.starts_ms, loudness.ends_ms) == (300, 800)


def test_silence_has_no_voice() -> None:
    """Nor has nothing, nor a noise floor."""
    for pcm in (b"", silence(500), tone(500, loudness=15)):
        assert Loudness(pcm, RATE).voice == []
        assert Loudness(pcm, RATE).ends_ms is None


def test_a_click_is_not_voice() -> None:
    """Ten milliseconds after the speech do not move its end."""
    loudness = Loudness(tone(500) + silence(200) + tone(10) + silence(200), RATE)
    assert loudness.ends_ms == 500


def test_noise_after_the_speech_is_not_voice() -> None:
    """What is 40 dB below the speech is the room."""
    loudness = Loudness(tone(1000) + tone(1000, loudness=80), RATE)
    assert loudness.ends_ms == 1000


def test_phrases_are_parted_by_long_pauses_only() -> None:
    """A pause within a phrase does not cut it."""
    pcm = tone(300) + silence(100) + tone(300) + silence(400) + tone(200)
    assert Loudness(pcm, RATE).phrases(250) == [(0, 700), (1100, 1300)]


def test_a_torn_sample_at_the_end_is_ignored() -> None:
    """An odd number of bytes does no harm."""
    assert Loudness(tone(100) + b"\x01", RATE).ends_ms == 100
