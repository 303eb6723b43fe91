"""The room that is kept for the ledger: taken, given in steps, and taken again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from antiphon_server.store.reserve import FREE_FACTOR, Reserve

STEP = 65_536


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the reserve is."""
    return tmp_path / "reserve"


def test_it_takes_room_that_nobody_else_has_then(file: Path) -> None:
    """Blocks of the disk, not only a length; for this user's eyes, as all in that folder."""
    assert Reserve(file, 4 * STEP, STEP).fill()
    taken = file.stat()
    assert taken.st_size == 4 * STEP
    assert taken.st_blocks * 512 >= 4 * STEP
    assert stat.S_IMODE(taken.st_mode) == 0o600


def test_it_is_given_in_steps_until_none_is_left(file: Path) -> None:
    """Each is an error in the log, with what is left: somebody has to make room."""
    reserve = Reserve(file, 3 * STEP, STEP)
    reserve.fill()
    with capture_logs() as logs:
        assert [reserve.give() for _ in range(4)] == [True, True, True, False]
    assert [line["left_bytes"] for line in logs] == [2 * STEP, STEP, 0]
    assert {line["log_level"] for line in logs} == {"error"}
    assert file.stat().st_size == 0


def test_it_is_made_whole_again(file: Path) -> None:
    """Once there is room; one that is whole stays as it is."""
    reserve = Reserve(file, 3 * STEP, STEP)
    reserve.fill()
    reserve.give()
    for _ in range(2):
        assert reserve.fill()
        assert file.stat().st_size == 3 * STEP


def test_it_takes_nothing_where_room_is_short(file: Path, tmp_path: Path) -> None:
    """It would itself be what fills the disk."""
    disk = os.statvfs(tmp_path)
    free = disk.f_bavail * disk.f_frsize
    assert not Reserve(file, 10 * free // FREE_FACTOR).fill()
    assert not file.exists()


def test_without_one_there_is_nothing_to_give(file: Path) -> None:
    """Also in a folder that is gone, or where it cannot be made."""
    assert not Reserve(file).give()
    gone = Reserve(file / "folder" / "reserve", STEP, STEP)
    assert not gone.fill()
    assert not gone.give()
    file.mkdir()
    assert not Reserve(file, 1 << 20, STEP).fill()
