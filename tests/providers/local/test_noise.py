"""Voice focus takes steady noise out and leaves speech."""

import numpy as np

from antiphon_providers.contract import human_speech
from antiphon_providers.local.noise import VoiceFocus


def level(pcm: bytes) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.frombuffer(pcm, np.int16).astype(np.float64) ** 2)))


def test_steady_noise_gets_softer() -> None:
    """By a good 6 dB, once it is known."""
    noise = np.random.default_rng(1).standard_normal(3 * human_speech.RATE) * 500
    cleaned = VoiceFocus().clean(noise.astype(np.int16).tobytes())
    assert level(cleaned[human_speech.RATE * 4 :]) < 0.5 * level(noise.astype(np.int16).tobytes())


def test_speech_stays_as_loud_as_it_was() -> None:
    """To within 3 dB."""
    pcm = human_speech.clip("everything").pcm
    assert 0.7 < level(VoiceFocus().clean(pcm)) / level(pcm) < 1.4


def test_audio_comes_back_frame_by_frame_however_it_is_cut() -> None:
    """All but the last, unfilled 10 ms, and the same bytes for any pieces."""
    pcm = human_speech.clip("best").pcm
    whole = VoiceFocus().clean(pcm)
    assert len(whole) == len(pcm) // 320 * 320
    focus = VoiceFocus()
    pieces = b"".join(focus.clean(pcm[at : at + 333]) for at in range(0, len(pcm), 333))
    assert pieces == whole
    assert focus.clean(b"") == b""


def test_callers_do_not_share_anything() -> None:
    """Each has a suppressor of its own."""
    pcm = human_speech.clip("best").pcm
    first, second = VoiceFocus(), VoiceFocus()
    first.clean(human_speech.noisy(pcm, 0))
    assert second.clean(pcm) == VoiceFocus().clean(pcm)
