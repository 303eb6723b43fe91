"""Samples between encodings, and what can be heard."""

from array import array

import pytest

from antiphon.sound import AUDIBLE, decode, encode, first_audible
from antiphon_protocol.audio import ENCODINGS, PCM, PCMA, PCMU, Encoding
from clients.fake_agent import silence, tone


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_a_tone_survives_every_encoding(name: str) -> None:
    """Length and loudness stay, at the encoding's own rate."""
    encoding = ENCODINGS[name]
    encoded = encode(tone(200), encoding)
    assert encoding.ms(len(encoded)) == pytest.approx(200, abs=1)
    samples = array("h", decode(encoded, encoding))
    assert max(samples) == pytest.approx(8000, rel=0.1)


@pytest.mark.parametrize("encoding", [PCMU, PCMA])
def test_silence_stays_inaudible(encoding: Encoding) -> None:
    """Also in A-law, which has no zero."""
    assert first_audible(decode(encode(silence(100), encoding), encoding)) is None


def test_the_first_audible_sample_is_found() -> None:
    """Up or down, above the threshold and not at it."""
    quiet = [0, AUDIBLE, -AUDIBLE]
    assert first_audible(array("h", quiet).tobytes()) is None
    assert first_audible(array("h", [*quiet, AUDIBLE + 1]).tobytes()) == 3
    assert first_audible(array("h", [*quiet, 0, -32_768]).tobytes()) == 4
    assert first_audible(b"") is None


def test_a_torn_sample_is_dropped() -> None:
    """An odd number of bytes is no reason to fail in the middle of a call."""
    assert decode(b"\x01\x02\x03", PCM) == b"\x01\x02"
