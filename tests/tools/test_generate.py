"""The command that writes what is derived from the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import generate


def test_what_is_committed_is_what_the_code_says() -> None:
    """No generated file is stale; run ``python tools/generate.py`` if this fails."""
    assert generate.stale(generate.collected(), generate.TOP) == []


def test_the_command_runs_by_itself() -> None:
    """As a script, from anywhere, without a test's search path."""
    command = [sys.executable, str(generate.TOP / "tools" / "generate.py"), "--check"]
    assert subprocess.run(command, check=False, cwd="/").returncode == 0


def test_a_missing_and_a_changed_file_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the exit code is 1 until they are written."""
    assert generate.main([], tmp_path) == 0
    changed, missing = list(generate.collected())[:2]
    (tmp_path / changed).write_text("something else")
    (tmp_path / missing).unlink()
    capsys.readouterr()
    assert generate.main(["--check"], tmp_path) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [f"stale: {changed}", f"stale: {missing}"]
    assert generate.main([], tmp_path) == 0
    assert generate.main(["--check"], tmp_path) == 0


def test_checking_writes_nothing(tmp_path: Path) -> None:
    """A check in CI leaves no trace."""
    assert generate.main(["--check"], tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_two_runs_say_the_same() -> None:
    """No order of a set, no clock and no address of memory gets into a file."""
    command = [
        sys.executable,
        "-c",
        "import generate; print(sorted(generate.collected().items()))",
    ]
    tools = generate.TOP / "tools"
    texts = {
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            cwd=tools,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_generated_files_are_plain_text() -> None:
    """They end with one newline and have no trailing spaces, so that diffs stay small."""
    for path, text in generate.collected().items():
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path
        assert all(line == line.rstrip() for line in text.splitlines()), path


def test_two_generators_of_one_file_are_an_error() -> None:
    """The second would silently win."""
    with pytest.raises(ValueError, match=r"^b generates page\.md, which another one does too$"):
        generate.merged({"a": {"page.md": "x"}, "b": {"page.md": "x"}})


def test_an_unknown_option_is_refused() -> None:
    """A mistyped ``--check`` must not write."""
    with pytest.raises(SystemExit):
        generate.main(["--chek"])
