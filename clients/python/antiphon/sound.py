"""Samples between the encodings of the wire, and how loud they are."""

from __future__ import annotations

from antiphon import g711
from antiphon.wav import resample
from antiphon_protocol.audio import PCM, PCMA, PCMU, Encoding

AUDIBLE = 100
"""Magnitude of an int16 sample above which it is heard: -50 dB of full scale. Below it are
dither and the residue of G.711's zero (8)."""


def encode(pcm: bytes, encoding: Encoding) -> bytes:
    """int16 mono PCM at 24 kHz in an encoding of the wire.

    Raises ``UnusableAudio`` where G.711 is wanted and soxr is not installed.
    """
    if encoding == PCM:
        return pcm
    narrow = resample(pcm, PCM.rate, encoding.rate, encoding.name)
    return g711.encode_mulaw(narrow) if encoding == PCMU else g711.encode_alaw(narrow)


def decode(samples: bytes, encoding: Encoding) -> bytes:
    """Samples of the wire as int16 mono PCM at the encoding's own rate."""
    if encoding == PCMU:
        return g711.decode_mulaw(samples)
    if encoding == PCMA:
        return g711.decode_alaw(samples)
    return samples[: len(samples) - len(samples) % 2]


def first_audible(pcm: bytes) -> int | None:
    """The index of the first sample that can be heard; None where all is silence."""
    samples = g711.samples_of(pcm)
    # Most pieces are all speech or all silence, and this is done in C.
    if not samples or (max(samples) <= AUDIBLE and min(samples) >= -AUDIBLE):
        return None
    return next(index for index, sample in enumerate(samples) if abs(sample) > AUDIBLE)
