"""WAV files to samples and back.

Reads what people have: 8, 16, 24 and 32 bit, float, G.711, any rate, any channels. A file
that is int16 mono at the wanted rate needs nothing but this package; anything else is
converted by numpy and soxr. Source of the layout: Microsoft's RIFF specification.
"""

from __future__ import annotations

import struct
import wave
from importlib import import_module
from pathlib import Path
from typing import Any

from msgspec import Struct

from antiphon import g711
from antiphon.errors import UnusableAudio

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE

_FORMAT = struct.Struct("<HHIIHH")
"""Kind, channels, rate, bytes a second, bytes a frame, bits a sample."""


class _Recording(Struct, frozen=True):
    kind: int
    channels: int
    rate: int
    bits: int
    data: bytes


def read_wav(path: Path, rate: int) -> bytes:
    """The file as int16 little-endian mono PCM at ``rate`` samples per second.

    Raises ``UnusableAudio`` for a file that is missing, is not a WAV, has no samples or uses a
    coding other than PCM, float and G.711, and where conversion needs a missing package.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableAudio(f"{path} cannot be read: {error.strerror}") from error
    if not content:
        raise UnusableAudio(f"{path} is empty")
    recording = _parse(content, path)
    if not recording.data:
        raise UnusableAudio(f"{path} has no samples")
    pcm = _convert(recording, rate, path)
    if not pcm:
        raise UnusableAudio(f"{path} has no samples")
    return pcm


def write_wav(path: Path, pcm: bytes, rate: int) -> None:
    """Writes int16 little-endian mono PCM. Raises ``UnusableAudio`` where it cannot."""
    try:
        with path.open("wb") as opened, wave.open(opened, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(pcm)
    except OSError as error:
        raise UnusableAudio(f"{path} cannot be written: {error.strerror}") from error


def _parse(content: bytes, path: Path) -> _Recording:
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise UnusableAudio(f"{path} is not a WAV file")
    layout: tuple[int, ...] | None = None
    position = 12
    while position + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        # A stream of unknown length says 0 or the largest number; the file's end is the end.
        body = content[position + 8 : position + 8 + size]
        if name == b"fmt " and len(body) >= _FORMAT.size:
            layout = _layout(body)
        elif name == b"data" and layout is not None:
            kind, channels, rate, bits = layout
            _check(layout, path)
            return _Recording(kind, channels, rate, bits, _whole(body, channels * bits // 8))
        position += 8 + size + size % 2
    raise UnusableAudio(f"{path} is a WAV file without samples")


def _layout(body: bytes) -> tuple[int, int, int, int]:
    kind, channels, rate, _, _, bits = _FORMAT.unpack_from(body)
    if kind == _EXTENSIBLE and len(body) >= 26:  # noqa: PLR2004 - where the sub-format begins
        (kind,) = struct.unpack_from("<H", body, 24)
    return kind, channels, rate, bits


_WIDTHS = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64), _ALAW: (8,), _MULAW: (8,)}


def _check(layout: tuple[int, ...], path: Path) -> None:
    kind, channels, rate, bits = layout
    if bits not in _WIDTHS.get(kind, ()):
        raise UnusableAudio(f"{path} uses a coding that is not supported ({kind}, {bits} bit)")
    if not channels or not rate:
        raise UnusableAudio(f"{path} is damaged: {channels} channels at {rate} Hz")


def _whole(data: bytes, frame: int) -> bytes:
    return data[: len(data) - len(data) % frame]


def _convert(recording: _Recording, rate: int, path: Path) -> bytes:
    data = recording.data
    if recording.kind in (_ALAW, _MULAW):
        data = g711.decode_alaw(data) if recording.kind == _ALAW else g711.decode_mulaw(data)
        recording = _Recording(_PCM, recording.channels, recording.rate, 16, data)
    if (recording.kind, recording.channels, recording.bits) == (_PCM, 1, 16):
        return resample(data, recording.rate, rate, str(path))
    numpy = _needed("numpy", str(path))
    samples = _floats(recording, numpy).reshape(-1, recording.channels).mean(axis=1)
    pcm: bytes = (samples.clip(-1, 1) * 32_767).round().astype("<i2").tobytes()
    return resample(pcm, recording.rate, rate, str(path))


def resample(pcm: bytes, rate: int, wanted: int, what: str) -> bytes:
    """int16 mono PCM at another rate. Raises ``UnusableAudio`` where soxr is not installed;
    ``what`` is named in it.
    """
    if rate == wanted:
        return pcm
    numpy = _needed("numpy", what)
    soxr = _needed("soxr", what)
    samples = numpy.frombuffer(pcm, "<i2")
    converted: bytes = soxr.resample(samples, rate, wanted, quality="HQ").astype("<i2").tobytes()
    return converted


def _floats(recording: _Recording, numpy: Any) -> Any:
    """Samples from -1 to 1."""
    data = recording.data
    if recording.kind == _FLOAT:
        return numpy.frombuffer(data, f"<f{recording.bits // 8}").astype("f8")
    if recording.bits == 8:  # noqa: PLR2004 - the one unsigned width
        return (numpy.frombuffer(data, "u1").astype("f8") - 128) / 128
    if recording.bits == 24:  # noqa: PLR2004 - the one width numpy has no type for
        wide = numpy.zeros((len(data) // 3, 4), "u1")
        wide[:, 1:] = numpy.frombuffer(data, "u1").reshape(-1, 3)
        return wide.view("<i4").reshape(-1).astype("f8") / 2**31
    return numpy.frombuffer(data, f"<i{recording.bits // 8}").astype("f8") / 2 ** (
        recording.bits - 1
    )


def _needed(package: str, what: str) -> Any:
    try:
        return import_module(package)
    except ImportError:
        raise UnusableAudio(
            f"{what} has to be converted, which needs numpy and soxr: pip install numpy soxr"
        ) from None
