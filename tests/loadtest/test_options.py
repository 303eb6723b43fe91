"""What every measurement takes from the command line."""

import argparse
import json
from pathlib import Path

import pytest

from antiphon.errors import UnusableAudio
from antiphon.wav import write_wav
from antiphon_loadtest.options import (
    PROMPT,
    CannotWrite,
    add_common,
    at_least_one,
    clips_of,
    settings_of,
    write_report,
)
from clients.fake_agent import tone


def _options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_common(parser)
    return parser.parse_args(arguments)


def test_settings_are_those_that_were_given() -> None:
    """The voice is the server's own unless one is named."""
    assert settings_of(_options()) == {"system_prompt": PROMPT}
    assert settings_of(_options("--voice", "alba", "--prompt", "P")) == {
        "system_prompt": "P",
        "voice": "alba",
    }


def test_clips_come_from_the_folder_or_from_the_reading(tmp_path: Path) -> None:
    """A folder that has none is refused."""
    with pytest.raises(UnusableAudio):
        clips_of(_options("--clips", str(tmp_path)))
    write_wav(tmp_path / "a.wav", tone(100), 24_000)
    assert [clip.name for clip in clips_of(_options("--clips", str(tmp_path)))] == ["a.wav"]
    assert len(clips_of(_options())) >= 8


def test_counts_are_at_least_one() -> None:
    """Zero turns measure nothing."""
    assert at_least_one("3") == 3
    for wrong in ("0", "-2"):
        with pytest.raises(argparse.ArgumentTypeError):
            at_least_one(wrong)
    with pytest.raises(ValueError, match="many"):
        at_least_one("many")


def test_a_report_goes_where_it_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file, the output, or nowhere."""
    write_report(tmp_path / "r.json", {"a": "é"})
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == {"a": "é"}
    write_report(Path("-"), {"a": 1})
    assert json.loads(capsys.readouterr().out) == {"a": 1}
    write_report(None, {"a": 1})
    assert capsys.readouterr().out == ""


def test_a_report_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    """After a long measurement, the reason matters."""
    with pytest.raises(CannotWrite, match="cannot be written"):
        write_report(tmp_path / "nowhere" / "r.json", {})
