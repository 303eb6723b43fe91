"""How loud PCM is."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon_providers.loudness import loudness
from antiphon_providers.scripted.tones import sine


def test_it_is_the_root_mean_square() -> None:
    """Of a sine its amplitude by the root of two; of full scale itself."""
    pcm = sine(220, 1000, 16_000)
    peak = int(np.abs(np.frombuffer(pcm, "<i2")).max())
    assert loudness(pcm) == pytest.approx(peak / np.sqrt(2), rel=0.01)
    assert loudness(np.full(16_000, -32_768, "<i2").tobytes()) == pytest.approx(32_768)


def test_nothing_and_silence_are_not_loud() -> None:
    """Half a sample is none."""
    assert [loudness(pcm) for pcm in (b"", b"\x7f", bytes(640))] == [0, 0, 0]
    assert loudness(b"\x10\x00\x7f") == 16
