"""Room on the disk that is kept for the ledger, and given to it bit by bit once the disk is full.

A file of nothing. Without it the first thing a full disk costs is what callers say. Given in
steps, because whatever filled the disk takes what it can get. Source: reliability, section 4.6.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog

log = structlog.get_logger()

RESERVE_BYTES = 16_777_216
"""About ten minutes of 200 calls, of which each leaves some 8 kB a minute."""
STEP_BYTES = 1_048_576
"""More than any batch of records."""
FREE_FACTOR = 2
"""So many times its size must be free before room is taken for it."""


class Reserve:
    """One file, which several servers may share. For the thread that writes the spool."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES, step: int = STEP_BYTES) -> None:
        self._path = path
        self._size = size
        self._step = step

    def fill(self) -> bool:
        """Makes it whole if there is ample room; whether it is. Raises nothing."""
        try:
            if self._left() >= self._size:
                return True
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < FREE_FACTOR * self._size:
                return False
            file = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            try:
                os.posix_fallocate(file, 0, self._size)
            finally:
                os.close(file)
        except (OSError, AttributeError):  # Not every system can take room without writing.
            return False
        return True

    def give(self) -> bool:
        """Gives a step of it back to the disk; whether there was any left. Raises nothing."""
        try:
            left = self._left() - self._step
            if left < 0:
                return False
            os.truncate(self._path, left)
        except OSError:
            return False
        log.error(
            "the disk is full: records use up the reserve; make room on it",
            folder=str(self._path.parent),
            left_bytes=left,
        )
        return True

    def _left(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0
