"""``antiphon replay``: what it prints, and its exit status."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from antiphon_server.replay_cli import DIFFERENT, UNUSABLE, replay

OPENED = '{"at":0.0,"event":{"type":"SessionOpened","greets":false},"manners":{}}\n'
SPOKE = (
    '{"at":1.0,"event":{"type":"VoiceStarted"},"commands":'
    '[{"type":"TellSpeechStarted"},{"type":"Wait","timer":"utterance","ms":60000}]}\n'
)


def run(path: Path) -> int:
    """The exit status for a journal."""
    parser = argparse.ArgumentParser()
    replay.add_arguments(parser)
    return replay.run(parser.parse_args([str(path)]))


def test_a_journal_without_a_difference_is_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the number of steps; a journal without any is one, too."""
    path = tmp_path / "sess_1.jsonl"
    path.write_text(OPENED + SPOKE, "utf-8")
    assert run(path) == 0
    assert capsys.readouterr() == ("2 steps, no difference\n", "")
    path.write_text("", "utf-8")
    assert run(path) == 0
    assert capsys.readouterr().out == "0 steps, no difference\n"


def test_the_first_difference_is_shown_side_by_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line, its event, and each command then and now, with a mark where they differ."""
    path = tmp_path / "sess_1.jsonl"
    changed = SPOKE.replace('"ms":60000}]', '"ms":50000},{"type":"AskIfDone"}]')
    path.write_text(OPENED + changed + SPOKE, "utf-8")
    assert run(path) == DIFFERENT
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == 'line 2: {"type":"VoiceStarted"}'
    assert lines[1].split() == ["recorded", "replayed"]
    assert [line[0] for line in lines[2:]] == [" ", "!", "!"]
    assert '"ms":50000' in lines[3]
    assert '"ms":60000' in lines[3]
    assert lines[4].split() == ["!", '{"type":"AskIfDone"}', "-"]


@pytest.mark.parametrize("text", ["nonsense\n", OPENED + "{}\n", '{"at":0}\n' + SPOKE])
def test_what_is_no_journal_is_told(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, with the file and the line; status 2."""
    path = tmp_path / "other.txt"
    path.write_text(text, "utf-8")
    assert run(path) == UNUSABLE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"antiphon replay: {path}: line ")
    assert "Traceback" not in err


def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is not there, and a folder."""
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        assert run(path) == UNUSABLE
        assert f"antiphon replay: {path} cannot be read: {why}" in capsys.readouterr().err


def test_it_explains_itself() -> None:
    """In ``--help``, its argument and its exit status included."""
    parser = argparse.ArgumentParser()
    replay.add_arguments(parser)
    assert replay.help
    assert "Exit status" in (parser.description or "")
    assert all(action.help for action in parser._actions)
