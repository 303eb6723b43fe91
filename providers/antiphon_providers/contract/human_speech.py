"""Human speech for the contracts, cut from a recording that comes with an installed package.

``moonshine-voice`` carries a reading of the opening of Charles Dickens, "A Tale of Two Cities"
(1859, public domain). The recording itself is not copied: it is cut here, when a test runs.
"""

from __future__ import annotations

import re
import wave
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from antiphon_providers.errors import NotInstalled

RATE = 16_000


class Clip(NamedTuple):
    """Somebody says ``text``; ``pcm`` is int16 mono at 16 kHz, with a little quiet around."""

    name: str
    pcm: bytes
    text: str

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / 2 / RATE


_CLIPS = {
    "best": (0.88, 2.88, "It was the best of times,"),
    "worst": (2.88, 4.78, "it was the worst of times,"),
    "wisdom": (4.78, 6.42, "it was the age of wisdom,"),
    "foolishness": (6.42, 8.42, "it was the age of foolishness,"),
    "belief": (8.42, 10.52, "it was the epoch of belief,"),
    "incredulity": (10.52, 13.08, "it was the epoch of incredulity,"),
    "light": (13.08, 14.86, "it was the season of light,"),
    "darkness": (14.86, 17.10, "it was the season of darkness,"),
    "hope": (17.10, 18.85, "it was the spring of hope,"),
    "despair": (18.85, 20.84, "it was the winter of despair,"),
    "everything": (20.84, 24.30, "we had everything before us, we had nothing before us,"),
    "heaven": (24.30, 26.26, "we were all going direct to heaven,"),
    "other_way": (26.26, 28.66, "we were all going direct the other way,"),
    "period": (28.66, 32.50, "in short, the period was so far like the present period,"),
    "authorities": (
        32.50,
        36.72,
        "that some of its noisiest authorities insisted on its being received,",
    ),
    "superlative": (
        36.72,
        42.24,
        "for good or for evil, in the superlative degree of comparison only.",
    ),
}
"""Seconds in the recording, cut in the middle of its pauses, and the book's words."""


def clip(name: str) -> Clip:
    """One of the clips, by name."""
    begin, end, text = _CLIPS[name]
    return Clip(name, reading()[round(begin * RATE) * 2 : round(end * RATE) * 2], text)


def clips() -> list[Clip]:
    """All clips, 41 s of speech."""
    return [clip(name) for name in _CLIPS]


def silence(ms: float) -> bytes:
    """Digital silence."""
    return bytes(round(ms * RATE / 1000) * 2)


def background(ms: float) -> bytes:
    """The quiet of the recording's room, from before the first word, as long as is wanted."""
    room = reading()[: RATE // 2 * 2]
    length = round(ms * RATE / 1000) * 2
    return (room * (length // len(room) + 1))[:length]


def noisy(pcm: bytes, snr_db: float, seed: int = 1) -> bytes:
    """The same with white noise, so much softer than it."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float64)
    noise = np.random.default_rng(seed).standard_normal(samples.size)
    level = np.sqrt(np.mean(samples**2)) * 10 ** (-snr_db / 20)
    mixed: NDArray[np.int16] = (samples + level * noise).clip(-32768, 32767).astype(np.int16)
    return mixed.tobytes()


def words_of(text: str) -> list[str]:
    """A text's words, without case and punctuation."""
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)?", text.lower().replace("-", " "))


def word_errors(heard: str, said: str) -> int:
    """Words to insert, delete or replace to get from one to the other."""
    row = list(range(len(words_of(said)) + 1))
    for deleted, word in enumerate(words_of(heard), 1):
        before, row[0] = row[0], deleted
        for column, other in enumerate(words_of(said), 1):
            before, row[column] = (
                row[column],
                min(before + (word != other), row[column] + 1, row[column - 1] + 1),
            )
    return row[-1]


@cache
def reading() -> bytes:
    """The whole recording, int16 mono PCM at 16 kHz. Raises ``NotInstalled``."""
    package = find_spec("moonshine_voice")
    if package is None or package.origin is None:
        raise _missing("moonshine-voice")
    try:
        soxr = import_module("soxr")
    except ImportError as missing:
        raise _missing("soxr") from missing
    path = Path(package.origin).parent / "assets" / "two_cities.wav"
    with wave.open(str(path)) as recording:
        samples = np.frombuffer(recording.readframes(recording.getnframes()), np.int16)
        resampled: NDArray[np.int16] = soxr.resample(samples, recording.getframerate(), RATE)
    return resampled.astype(np.int16).tobytes()


def _missing(package: str) -> NotInstalled:
    return NotInstalled(
        f"the contract's speech needs {package}, which comes with: pip install 'antiphon[local]'"
    )
