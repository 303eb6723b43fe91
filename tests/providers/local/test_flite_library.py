"""The real synthesiser by its C interface."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from antiphon_providers.contract.text_to_speech import likeness
from antiphon_providers.local import flite_library
from antiphon_providers.local.voice_catalogue import Speaker

TEXT = "My name is Mary and we were away a year ago."


def pcm_of(name: Speaker, pitch: float = 1.0, pace: float = 1.0) -> bytes:
    """All sound of a text."""
    pieces: list[bytes] = []

    def heard(pcm: bytes, _times: object) -> bool:
        pieces.append(pcm)
        return True

    flite_library.speaker(name).speak(TEXT, pitch, pace, heard)
    return b"".join(pieces)


def pitch_hz(pcm: bytes) -> float:
    """The median pitch of voiced sound, by autocorrelation."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float64)
    found = []
    for at in range(0, samples.size - 800, 400):
        part = samples[at : at + 800] - samples[at : at + 800].mean()
        likeness = np.correlate(part, part, "full")[799:]
        lag = int(np.argmax(likeness[40:230])) + 40
        if part.std() > 500 and likeness[lag] > 0.5 * likeness[0]:
            found.append(flite_library.RATE / lag)
    return float(np.median(found))


@pytest.mark.parametrize("name", get_args(Speaker))
def test_every_speaker_speaks(name: Speaker) -> None:
    """Some two to four seconds for a sentence."""
    assert 2 < len(pcm_of(name)) / 2 / flite_library.RATE < 4


def test_pitch_and_pace_are_factors() -> None:
    """A fifth higher is a fifth higher; twice as fast is half as long."""
    plain = pcm_of("slt")
    assert pitch_hz(pcm_of("slt", pitch=1.2)) == pytest.approx(1.2 * pitch_hz(plain), rel=0.05)
    assert len(pcm_of("slt", pace=2)) == pytest.approx(len(plain) / 2, rel=0.05)
    assert likeness(pcm_of("slt"), plain) > 0.95


def test_stops_when_the_listener_has_heard_enough() -> None:
    """No further sound is made."""
    heard: list[bytes] = []

    def enough(pcm: bytes, _times: object) -> bool:
        heard.append(pcm)
        return len(heard) < 3

    flite_library.speaker("slt").speak(TEXT, 1, 1, enough)
    assert len(heard) == 3


def test_tells_when_each_word_sounds() -> None:
    """Times of all tokens are known with the first sound."""
    known = []

    def once(_pcm: bytes, times: flite_library.TokenTimes) -> bool:
        known.extend(times())
        return False

    flite_library.speaker("rms").speak(TEXT, 1, 1, once)
    assert len(known) == len(TEXT.split())
    times = [time for token in known for time in token]
    assert times == sorted(times)


def test_threads_do_not_disturb_each_other() -> None:
    """One speaker speaks for one at a time, three for three, all as if alone (but for the
    breath, which the synthesiser adds at random).
    """
    names: list[Speaker] = ["slt", "rms", "awb"] * 4
    alone = {name: pcm_of(name) for name in get_args(Speaker)}
    with ThreadPoolExecutor(6) as threads:
        for name, pcm in zip(names, threads.map(pcm_of, names), strict=True):
            assert len(pcm) == len(alone[name])
            assert likeness(pcm, alone[name]) > 0.95


def test_says_where_it_looked_when_it_is_missing(tmp_path: Path) -> None:
    """A folder that was named, and has a library that is none, is not passed over."""
    (tmp_path / "libflite.so.1").write_bytes(b"no library")
    code = (
        "from antiphon_providers.local import flite_library\n"
        "from antiphon_providers.errors import NotInstalled\n"
        "try: flite_library.library()\n"
        "except NotInstalled as error: print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"ANTIPHON_FLITE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path / "libflite.so.1") in result.stdout
    assert "ANTIPHON_FLITE_DIR" in result.stdout
