"""Programs run quietly, and a failure tells why and what to do."""

import sys
from pathlib import Path

import pytest

from commands import SetupError, explain, run


def test_what_a_program_prints_is_returned() -> None:
    """Standard output comes back as text, standard error of a success is dropped."""
    code = "import sys; print('fine'); print('noise', file=sys.stderr)"
    assert run("printing", [sys.executable, "-c", code]) == "fine\n"


def test_a_program_runs_in_its_folder_with_variables_added(tmp_path: Path) -> None:
    """The folder is where it runs; the environment keeps what it had, PATH for one."""
    code = "import os; print(os.getcwd(), os.environ['COLOUR'], 'PATH' in os.environ)"
    printed = run("looking", [sys.executable, "-c", code], cwd=tmp_path, env={"COLOUR": "green"})
    assert printed.split() == [str(tmp_path), "green", "True"]


def test_a_failure_carries_the_command_and_its_last_words() -> None:
    """The reader can repeat the command and sees the end of what it said."""
    code = "import sys; print('\\n'.join(map(str, range(99)))); sys.exit(3)"
    with pytest.raises(SetupError) as caught:
        run("counting", [sys.executable, "-c", code])
    lines = str(caught.value).splitlines()
    assert lines[0] == "counting: the command failed."
    assert lines[1].startswith("  $ ")
    assert lines[2:] == [f"  | {number}" for number in range(84, 99)]


def test_a_program_that_is_not_there_is_named() -> None:
    """A missing program is a set-up error and not a traceback."""
    with pytest.raises(SetupError, match="no-such-program cannot be run"):
        run("trying", ["no-such-program"])


@pytest.mark.parametrize(
    ("printed", "cause"),
    [
        ("E: Temporary failure resolving 'example.test'", "cannot be reached"),
        ("npm error code ENOTFOUND", "cannot be reached"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM", "not the file that is pinned"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "certificate is not trusted"),
        ("invalid path for a TLS CA certificate bundle", "certificate is not trusted"),
        ("ERROR: No matching distribution found for uv==0", "has not got what is pinned"),
        ("PermissionError: [Errno 13] Permission denied", "this user may not write"),
    ],
)
def test_a_known_cause_is_told_in_plain_words(printed: str, cause: str) -> None:
    """pip, uv, apt and npm say the same trouble in different words."""
    assert cause in explain("fetching", ["get", "it"], printed).splitlines()[0]


def test_a_full_disk_is_told_before_the_connection_it_broke() -> None:
    """Of two known causes in one output the one that leads to the other is named."""
    printed = "Connection reset by peer\nNo space left on device"
    assert "the disk is full" in explain("fetching", ["get"], printed)
