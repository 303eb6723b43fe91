"""A folder that takes nothing is known at once, and known to be good again by itself."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from antiphon_server.store.disk import AGAIN_BYTES, Disk
from antiphon_server.store.reserve import STEP_BYTES
from server.store.limits import largest_file

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
TROUBLE = "records cannot be written: No space left on device"


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """A folder of records that is not there yet."""
    return Disk(tmp_path / "spool", "records", "records")


def test_a_folder_that_takes_what_is_written_is_no_trouble(disk: Disk, tmp_path: Path) -> None:
    """It is made where it is missing, and nothing is left in it."""
    disk.ask()
    assert disk.trouble is None
    assert list((tmp_path / "spool").iterdir()) == []
    shutil.rmtree(tmp_path / "spool")
    disk.ask()
    assert disk.trouble is None


def test_a_file_that_cannot_grow_is_trouble_until_it_can(disk: Disk) -> None:
    """The system says why, and no folder is told to whoever asks; the log has it, once each."""
    disk.ask()
    with capture_logs() as lines:
        with largest_file(100):
            disk.ask()
            disk.ask()
            assert disk.trouble == "records cannot be written: File too large"
        disk.ask()
    assert disk.trouble is None
    assert [line["event"] for line in lines] == [
        "a folder cannot be written",
        "a folder can be written again",
    ]
    assert lines[0]["folder"].endswith("spool")


def test_a_folder_that_is_a_file_is_trouble(disk: Disk, tmp_path: Path) -> None:
    """Until somebody has put that right."""
    (tmp_path / "spool").touch()
    disk.ask()
    assert disk.trouble == "records cannot be written: File exists"
    (tmp_path / "spool").unlink()
    disk.ask()
    assert disk.trouble is None


def test_whoever_writes_there_is_believed_at_once(disk: Disk) -> None:
    """Before anybody asks; and an answer to a question of before does not take it back."""
    disk.ask()
    disk.failed(FULL)
    assert disk.trouble == TROUBLE
    disk.ask()
    assert disk.trouble is None


def test_what_the_reserve_gives_is_no_room(disk: Disk) -> None:
    """Else each of its steps would let new calls in, on a disk that is full."""
    with capture_logs(), largest_file(STEP_BYTES):
        disk.ask()
        assert disk.trouble is None
        disk.failed(FULL)
        disk.ask()
        assert disk.trouble is not None
    with capture_logs(), largest_file(AGAIN_BYTES):
        disk.ask()
        assert disk.trouble is None


def test_a_disk_that_hangs_is_trouble_until_it_answers(disk: Disk) -> None:
    """With what it answers then."""
    disk.silent()
    disk.silent()
    assert disk.trouble == "records cannot be written: the disk does not answer"
    with capture_logs(), largest_file(100):
        disk.ask()
        assert disk.trouble == "records cannot be written: File too large"
    disk.silent()
    disk.ask()
    assert disk.trouble is None
