"""G.711 against values of the recommendation and against itself."""

from array import array

import pytest

from antiphon.g711 import (
    decode_alaw,
    decode_mulaw,
    encode_alaw,
    encode_mulaw,
    pcm_of,
    samples_of,
)

EVERY_CODE = bytes(range(256))


def test_mulaw_has_the_values_of_the_tables() -> None:
    """ITU-T G.711 table 2: ends, zeros and the first steps, on the 16-bit scale."""
    codes = bytes([0x80, 0x00, 0xFF, 0x7F, 0xFE, 0xF0])
    assert list(samples_of(decode_mulaw(codes))) == [32_124, -32_124, 0, 0, 8, 120]


def test_alaw_has_the_values_of_the_tables() -> None:
    """ITU-T G.711 table 1, with every other bit inverted."""
    codes = bytes([0xAA, 0x2A, 0xD5, 0x55, 0xD4])
    assert list(samples_of(decode_alaw(codes))) == [32_256, -32_256, 8, -8, 24]


def test_every_alaw_code_survives_a_round_trip() -> None:
    """Decoding and encoding again changes nothing."""
    assert encode_alaw(decode_alaw(EVERY_CODE)) == EVERY_CODE


def test_every_mulaw_code_but_minus_zero_survives_a_round_trip() -> None:
    """μ-law has two zeros; silence is the positive one."""
    assert encode_mulaw(decode_mulaw(EVERY_CODE)) == EVERY_CODE.replace(b"\x7f", b"\xff")


@pytest.mark.parametrize("law", [(encode_mulaw, decode_mulaw), (encode_alaw, decode_alaw)])
def test_no_sample_is_moved_by_more_than_half_a_step(law: tuple) -> None:  # type: ignore[type-arg]
    """A step is a sixteenth of its segment: 1/32 of the sample, and 8 near zero."""
    encode, decode = law
    samples = array("h", range(-32_768, 32_768))
    back = samples_of(decode(encode(pcm_of(samples))))
    for before, after in zip(samples, back, strict=True):
        assert abs(before - after) <= max(8, abs(before) / 30 + 4, abs(before) - 32_124)


def test_nothing_is_nothing() -> None:
    """Empty in, empty out."""
    assert encode_mulaw(b"") == encode_alaw(b"") == decode_mulaw(b"") == decode_alaw(b"") == b""
