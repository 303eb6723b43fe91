"""Recordings of people, as a caller speaks them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import msgspec

from antiphon.errors import UnusableAudio
from antiphon.loudness import Loudness
from antiphon.wav import read_wav
from antiphon_protocol.audio import PCM

PAUSE_MS = 250.0
"""A pause in which a reading may be cut without cutting a word."""

SHORTEST_MS, LONGEST_MS = 2500.0, 6500.0
"""Lengths of a piece that could be one turn of a conversation."""

MARGIN_MS = 100.0
"""Kept before and after the voice, so that soft beginnings and ends survive."""


class Clip(msgspec.Struct, frozen=True):
    """Something a caller says: int16 mono PCM at 24 kHz.

    ``voice_starts_ms`` and ``voice_ends_ms`` are the first and last voiced window, from the
    start of the clip; ``text`` is what is said, where it is known.
    """

    name: str
    pcm: bytes
    voice_starts_ms: float
    voice_ends_ms: float
    text: str | None = None

    @property
    def duration_ms(self) -> float:
        """Length in milliseconds."""
        return PCM.ms(len(self.pcm))


class _Entry(msgspec.Struct, frozen=True):
    file: str
    text: str | None = None


def clip_of(name: str, pcm: bytes, text: str | None = None) -> Clip:
    """A clip from samples. Raises ``UnusableAudio`` where there is no voice in them."""
    loudness = Loudness(pcm, PCM.rate)
    if loudness.starts_ms is None or loudness.ends_ms is None:
        raise UnusableAudio(f"{name} has no voice in it: all of it is silence")
    return Clip(name, pcm, loudness.starts_ms, loudness.ends_ms, text)


def read_clip(path: Path, text: str | None = None) -> Clip:
    """A clip from a WAV file. Raises ``UnusableAudio``, saying why."""
    return clip_of(path.name, read_wav(path, PCM.rate), text)


def read_folder(folder: Path) -> list[Clip]:
    """The clips of a folder: those its ``manifest.json`` lists, else all its WAV files.

    The manifest is a list of objects with ``file`` and, where known, ``text``. Raises
    ``UnusableAudio`` for a folder without clips, a broken manifest, or a broken file.
    """
    manifest = folder / "manifest.json"
    if manifest.is_file():
        entries = _entries(manifest)
    elif folder.is_dir():
        entries = [_Entry(path.name) for path in sorted(folder.glob("*.wav"))]
    else:
        raise UnusableAudio(f"{folder} is not a folder")
    if not entries:
        raise UnusableAudio(f"there are no WAV files in {folder}")
    return [read_clip(folder / entry.file, entry.text) for entry in entries]


def default_clips() -> list[Clip]:
    """Sentences of the reading that comes with the embedded speech recogniser.

    Raises ``UnusableAudio`` where ``moonshine_voice`` is not installed. Its package is located
    without importing it: that would load a recogniser.
    """
    found = importlib.util.find_spec("moonshine_voice")
    if found is None or found.origin is None:
        raise UnusableAudio(
            "there is no recording to speak: name a WAV file, or install the one that comes "
            "with the embedded models: pip install 'antiphon[local]'"
        )
    path = Path(found.origin).parent / "assets" / "two_cities.wav"
    return cut(path.stem, read_wav(path, PCM.rate))


def cut(name: str, pcm: bytes) -> list[Clip]:
    """A longer reading in pieces of one turn each, cut in its pauses.

    Stretches between pauses are joined until a piece is long enough; one that would be too
    long is left out. Raises ``UnusableAudio`` where that leaves none.
    """
    pieces: list[tuple[float, float]] = []
    begun: float | None = None
    for start_ms, end_ms in Loudness(pcm, PCM.rate).phrases(PAUSE_MS):
        begun = start_ms if begun is None else begun
        if end_ms - begun > LONGEST_MS:
            begun = start_ms
        if SHORTEST_MS <= end_ms - begun <= LONGEST_MS:
            pieces.append((begun, end_ms))
            begun = None
    if not pieces:
        raise UnusableAudio(f"{name} has no stretch of speech of a few seconds between pauses")
    return [
        clip_of(f"{name} {number}", _slice(pcm, start_ms - MARGIN_MS, end_ms + MARGIN_MS))
        for number, (start_ms, end_ms) in enumerate(pieces, 1)
    ]


def _slice(pcm: bytes, start_ms: float, end_ms: float) -> bytes:
    return pcm[PCM.size(max(0.0, start_ms)) : PCM.size(end_ms)]


def _entries(manifest: Path) -> list[_Entry]:
    try:
        return msgspec.json.decode(manifest.read_bytes(), type=list[_Entry])
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        raise UnusableAudio(f"{manifest} cannot be read: {error}") from error
