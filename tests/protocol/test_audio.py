"""Sizes and durations of audio."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_protocol.audio import ENCODINGS, PCM, PCMA, PCMU, Encoding, encoding_of
from antiphon_protocol.session_config import AudioFormat, EncodingName

ANY_ENCODING = st.sampled_from(list(ENCODINGS.values()))


@pytest.mark.parametrize(
    ("encoding", "ms", "size"),
    [(PCM, 10, 480), (PCM, 50, 2400), (PCMU, 20, 160), (PCMU, 37.5, 300), (PCMA, 1000, 8000)],
)
def test_the_chunk_sizes_of_real_clients_come_out(encoding: Encoding, ms: float, size: int) -> None:
    """Protocol sections 7.2 and 7.3 name these chunks in ms and in bytes."""
    assert encoding.size(ms) == size
    assert encoding.ms(size) == ms


@given(encoding=ANY_ENCODING, samples=st.integers(0, 24_000 * 10_800))
def test_whole_samples_survive_the_way_to_ms_and_back(encoding: Encoding, samples: int) -> None:
    """No rounding eats a sample, up to three hours of audio."""
    size = samples * encoding.bytes_per_sample
    assert encoding.size(encoding.ms(size)) == size


@given(encoding=ANY_ENCODING, ms=st.floats(0, 10_800_000))
def test_a_size_is_whole_samples_and_never_more_than_asked(encoding: Encoding, ms: float) -> None:
    """Half a sample would shift every later byte."""
    size = encoding.size(ms)
    assert size % encoding.bytes_per_sample == 0
    # One part in 10**12: the arithmetic is in floats.
    assert encoding.ms(size) <= ms * (1 + 1e-12)
    assert ms - encoding.ms(size) < 1000 / encoding.rate + 1e-6


def test_no_audio_has_no_duration() -> None:
    """Zero is zero in both directions."""
    assert PCM.ms(0) == 0
    assert PCM.size(0) == 0


@pytest.mark.parametrize("rate", [None, 8_000, 16_000, 24_000])
def test_g711_is_always_at_8000_whatever_rate_is_sent(rate: int | None) -> None:
    """Section 7.1: the ``sample_rate`` of pcmu and pcma is ignored."""
    assert encoding_of(AudioFormat("audio/pcmu", rate)).rate == 8_000
    assert encoding_of(AudioFormat("audio/pcma", rate)).rate == 8_000


@pytest.mark.parametrize("name", ["audio/pcm", "audio/pcmu", "audio/pcma"])
def test_every_encoding_of_the_wire_is_known(name: EncodingName) -> None:
    """A format that decodes has an encoding."""
    assert encoding_of(AudioFormat(name)).name == name
