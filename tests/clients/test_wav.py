"""WAV files of every kind people have, and what is not one."""

import struct
import sys
import wave
from array import array
from pathlib import Path

import pytest

from antiphon.errors import UnusableAudio
from antiphon.g711 import decode_alaw, encode_alaw, encode_mulaw, samples_of
from antiphon.wav import read_wav, resample, write_wav
from clients.fake_agent import tone

RAMP = array("h", [0, 1000, -1000, 32_000, -32_000, 5]).tobytes()


def _wav(kind: int, channels: int, bits: int, data: bytes, rate: int = 24_000) -> bytes:
    frame = channels * bits // 8
    body = struct.pack("<HHIIHH", kind, channels, rate, rate * frame, frame, bits)
    chunks = b"fmt " + struct.pack("<I", len(body)) + body
    # A chunk of odd length is padded; readers that forget it lose the rest.
    chunks += b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "clip.wav"
    path.write_bytes(content)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The file is an ordinary one."""
    path = tmp_path / "out.wav"
    write_wav(path, RAMP, 24_000)
    assert read_wav(path, 24_000) == RAMP
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)


def _floats(code: str, numbers: list[float]) -> bytes:
    return array(code, numbers).tobytes()


@pytest.mark.parametrize(
    ("kind", "bits", "data"),
    [
        (1, 8, bytes([128, 192, 64])),
        (1, 24, b"\0\0\0" + b"\0\0\x40" + b"\0\0\xc0"),
        (1, 32, struct.pack("<iii", 0, 2**30, -(2**30))),
        (3, 32, _floats("f", [0, 0.5, -0.5])),
        (3, 64, _floats("d", [0, 0.5, -0.5])),
    ],
)
def test_every_width_means_the_same_sound(
    tmp_path: Path, kind: int, bits: int, data: bytes
) -> None:
    """Nothing, half up, half down."""
    samples = samples_of(read_wav(_file(tmp_path, _wav(kind, 1, bits, data)), 24_000))
    assert list(samples) == pytest.approx([0, 16_384, -16_384], abs=1)


@pytest.mark.parametrize(("kind", "encode"), [(6, encode_alaw), (7, encode_mulaw)])
def test_g711_files_are_read(tmp_path: Path, kind: int, encode: type(encode_alaw)) -> None:  # type: ignore[valid-type]
    """Telephone recordings come that way."""
    pcm = decode_alaw(encode_alaw(RAMP))
    read = read_wav(_file(tmp_path, _wav(kind, 1, 8, encode(pcm))), 24_000)
    for before, after in zip(samples_of(pcm), samples_of(read), strict=True):
        assert after == pytest.approx(before, rel=0.05, abs=16)


def test_channels_are_averaged(tmp_path: Path) -> None:
    """A voice on one side is still heard."""
    stereo = array("h", [1000, 3000, -2000, 0]).tobytes()
    samples = samples_of(read_wav(_file(tmp_path, _wav(1, 2, 16, stereo)), 24_000))
    assert list(samples) == pytest.approx([2000, -1000], abs=1)


def test_rates_are_converted(tmp_path: Path) -> None:
    """The length in seconds stays; so does the loudness."""
    path = _file(tmp_path, _wav(1, 1, 16, tone(500, 16_000), rate=16_000))
    samples = samples_of(read_wav(path, 24_000))
    assert len(samples) == pytest.approx(12_000, abs=2)
    assert max(samples) == pytest.approx(8000, rel=0.05)
    assert resample(RAMP, 8000, 8000, "it") == RAMP


def test_an_extensible_header_is_read(tmp_path: Path) -> None:
    """Its sub-format says what the samples are."""
    content = _wav(1, 1, 16, RAMP)
    old = content[12 : 12 + 8 + 16]
    body = b"\xfe\xff" + old[10:] + struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14)
    new = b"fmt " + struct.pack("<I", len(body)) + body
    assert read_wav(_file(tmp_path, content.replace(old, new)), 24_000) == RAMP


def test_a_file_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    """Recorders that stream write the largest number; a cut-off sample is dropped."""
    content = _wav(1, 1, 16, RAMP).replace(struct.pack("<I", len(RAMP)), b"\xff" * 4) + b"\x01"
    assert read_wav(_file(tmp_path, content), 24_000) == RAMP


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"ID3\x03 an mp3", "is not a WAV file"),
        (b"RIFF\0\0\0\0WAVE", "without samples"),
        (_wav(1, 1, 16, b""), "has no samples"),
        (_wav(1, 1, 16, b"\x01"), "has no samples"),
        (_wav(85, 1, 16, RAMP), r"coding that is not supported \(85, 16 bit\)"),
        (_wav(1, 1, 12, RAMP), "coding that is not supported"),
        (_wav(1, 0, 16, RAMP), "is damaged"),
        (_wav(1, 1, 16, RAMP, rate=0), "is damaged"),
    ],
)
def test_what_is_no_recording_says_why(tmp_path: Path, content: bytes, complaint: str) -> None:
    """Each is told from the others, with the file's name."""
    path = _file(tmp_path, content)
    with pytest.raises(UnusableAudio, match=complaint) as raised:
        read_wav(path, 24_000)
    assert str(path) in str(raised.value)


def test_files_that_cannot_be_opened_say_why(tmp_path: Path) -> None:
    """For reading and for writing."""
    with pytest.raises(UnusableAudio, match=r"cannot be read: No such file"):
        read_wav(tmp_path / "nowhere.wav", 24_000)
    with pytest.raises(UnusableAudio, match=r"cannot be written: No such file"):
        write_wav(tmp_path / "nowhere" / "out.wav", RAMP, 24_000)


@pytest.mark.parametrize("package", ["numpy", "soxr"])
def test_without_a_converter_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    """A file that needs no conversion is read all the same."""
    monkeypatch.setitem(sys.modules, package, None)
    assert read_wav(_file(tmp_path, _wav(1, 1, 16, RAMP)), 24_000) == RAMP
    with pytest.raises(UnusableAudio, match="pip install numpy soxr"):
        read_wav(_file(tmp_path, _wav(1, 1, 16, RAMP, rate=16_000)), 24_000)
