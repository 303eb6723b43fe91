"""The caller's language survives what a telephone does to it."""

from __future__ import annotations

import random

import pytest

from antiphon_protocol.audio import Encoding
from antiphon_server.call.sound import Resampler, decode
from simulation.words import ENCODINGS, MOST_WORDS, NODS, WORD_MS, heard, name_of, sound_of

HEARING_RATE = 16_000


def _through(raw: bytes, encoding: Encoding, frame_ms: int) -> bytes:
    """As the ears hear it, frame by frame."""
    resampler = Resampler(encoding.rate, HEARING_RATE, "LQ")
    step = encoding.size(frame_ms)
    frames = (raw[at : at + step] for at in range(0, len(raw), step))
    return b"".join(resampler.feed(decode(frame, encoding)).tobytes() for frame in frames)


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_what_is_said_is_heard(encoding: Encoding) -> None:
    """Every word, in both encodings, whatever the frames and the pauses around it."""
    dice = random.Random(7)  # noqa: S311
    every = [*NODS, *(name_of(number) for number in range(MOST_WORDS))]
    for _ in range(60):
        said = dice.sample(every, dice.randint(1, 9))
        sounds = [sound_of(name, WORD_MS, encoding) for name in said]
        raw = sound_of("", dice.randint(50, 300), encoding) + b"".join(sounds)
        raw += sound_of("", 100, encoding)
        assert heard(_through(raw, encoding, dice.choice((20, 33, 100)))) == " ".join(said)


def test_silence_and_noise_have_no_words() -> None:
    """Nor has a word of which there is too little."""
    dice = random.Random(7)  # noqa: S311
    pcm = ENCODINGS["audio/pcm"]
    assert heard(bytes(32_000)) == ""
    assert heard(b"") == ""
    assert heard(dice.randbytes(32_000)) == ""
    assert heard(_through(sound_of("w1", 20, pcm) + sound_of("", 100, pcm), pcm, 20)) == ""
