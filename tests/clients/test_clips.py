"""Recordings as turns of a caller."""

import importlib.util
import sys
from pathlib import Path

import pytest

from antiphon.clips import LONGEST_MS, SHORTEST_MS, cut, default_clips, read_clip, read_folder
from antiphon.errors import UnusableAudio
from antiphon.wav import write_wav
from clients.fake_agent import silence, tone


def test_a_clip_knows_where_its_voice_is(tmp_path: Path) -> None:
    """From the start of the file, in milliseconds."""
    write_wav(tmp_path / "a.wav", silence(100) + tone(300) + silence(50), 24_000)
    clip = read_clip(tmp_path / "a.wav", "aaa")
    assert (clip.name, clip.text, clip.duration_ms) == ("a.wav", "aaa", 450)
    assert (clip.voice_starts_ms, clip.voice_ends_ms) == (100, 400)


def test_a_silent_file_is_refused(tmp_path: Path) -> None:
    """There is nothing in it to answer."""
    write_wav(tmp_path / "a.wav", silence(500), 24_000)
    with pytest.raises(UnusableAudio, match=r"a\.wav has no voice in it"):
        read_clip(tmp_path / "a.wav")


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    """Other files in it do not matter."""
    for name in ("b.wav", "a.wav"):
        write_wav(tmp_path / name, tone(100), 24_000)
    (tmp_path / "notes.txt").write_text("x")
    assert [clip.name for clip in read_folder(tmp_path)] == ["a.wav", "b.wav"]


def test_a_manifest_says_which_files_and_what_is_said_in_them(tmp_path: Path) -> None:
    """In its order; what else it says is ignored."""
    write_wav(tmp_path / "a.wav", tone(100), 24_000)
    write_wav(tmp_path / "b.wav", tone(100), 24_000)
    (tmp_path / "manifest.json").write_text('[{"file": "b.wav", "text": "bee", "licence": "x"}]')
    (clip,) = read_folder(tmp_path)
    assert (clip.name, clip.text) == ("b.wav", "bee")


@pytest.mark.parametrize(
    ("manifest", "complaint"),
    [
        ("{", r"manifest\.json cannot be read"),
        ('[{"text": "bee"}]', "missing required field `file`"),
        ("[]", "there are no WAV files"),
        ('[{"file": "nowhere.wav"}]', r"nowhere\.wav cannot be read"),
    ],
)
def test_a_broken_manifest_says_what_is_wrong(
    tmp_path: Path, manifest: str, complaint: str
) -> None:
    """Before anybody is called."""
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(UnusableAudio, match=complaint):
        read_folder(tmp_path)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    """And so is what is no folder."""
    with pytest.raises(UnusableAudio, match="there are no WAV files"):
        read_folder(tmp_path)
    with pytest.raises(UnusableAudio, match="is not a folder"):
        read_folder(tmp_path / "nowhere")


def test_a_reading_is_cut_in_its_pauses() -> None:
    """Short stretches are joined, long ones left out; a margin is kept around the voice."""
    reading = (
        tone(1000) + silence(300) + tone(1500)  # joined: 2.8 s
        + silence(500) + tone(7000)  # too long for a turn
        + silence(500) + tone(3000) + silence(500)
    )  # fmt: skip
    clips = cut("reading", reading)
    assert [(clip.name, clip.duration_ms) for clip in clips] == [
        ("reading 1", 2900),
        ("reading 2", 3200),
    ]
    assert clips[1].voice_starts_ms == 100
    assert clips[1].voice_ends_ms == 3100


def test_a_reading_without_pauses_cannot_be_cut() -> None:
    """The error says what was looked for."""
    with pytest.raises(UnusableAudio, match="no stretch of speech of a few seconds"):
        cut("reading", tone(9000))


def test_the_reading_that_comes_along_gives_different_turns() -> None:
    """It is found without importing the recogniser it belongs to."""
    before = set(sys.modules)
    clips = default_clips()
    assert "moonshine_voice" not in set(sys.modules) - before
    assert len(clips) >= 8
    assert len({clip.pcm for clip in clips}) == len(clips)
    for clip in clips:
        assert SHORTEST_MS <= clip.voice_ends_ms - clip.voice_starts_ms <= LONGEST_MS


def test_without_the_reading_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a file, or install the extra."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UnusableAudio, match=r"pip install 'antiphon\[local\]'"):
        default_clips()
