"""Whether a folder takes what is written to it: asked now and then, and told by who writes there.

A disk that failed once must take more than a step of the reserve (``store.reserve``) before it
counts again: else what the reserve has just given to the ledger would look like room.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import structlog

from antiphon_server.store.reserve import STEP_BYTES

log = structlog.get_logger()

ASKED_BYTES = 4_096
"""A block: nothing less is ever taken from a disk."""
AGAIN_BYTES = 2 * STEP_BYTES


class Disk:
    """One folder. ``what`` is what is kept there, in the plural, and ``code`` the same in metrics.

    ``failed`` may be called from any thread, ``ask`` waits for the disk.
    """

    def __init__(self, folder: Path, code: str, what: str) -> None:
        self.code = code
        self._folder = folder
        self._what = what
        self._failure: str | None = None
        self._is_silent = False

    @property
    def trouble(self) -> str | None:
        """Why nothing can be kept there now, without a path; None where it can."""
        why = "the disk does not answer" if self._is_silent else self._failure
        return None if why is None else f"{self._what} cannot be written: {why}"

    def failed(self, failure: OSError) -> None:
        """What was written was not taken."""
        is_new = self.trouble is None
        self._failure = failure.strerror or type(failure).__name__
        if is_new:
            self._say()

    def silent(self) -> None:
        """Whoever asked has had no answer in time."""
        is_new = self.trouble is None
        self._is_silent = True
        if is_new:
            self._say()

    def ask(self) -> None:
        """Writes something and takes it back."""
        had_failed = self._failure is not None
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._folder, AGAIN_BYTES if had_failed else ASKED_BYTES)
        except OSError as failure:
            self.failed(failure)
            self._is_silent = False
            return
        was_silent, self._is_silent = self._is_silent, False
        if had_failed:
            self._failure = None
        if (had_failed or was_silent) and self.trouble is None:
            log.warning("a folder can be written again", folder=str(self._folder))

    def _say(self) -> None:
        log.error(
            "a folder cannot be written",
            folder=str(self._folder),
            reason=self.trouble,
        )


def _write(folder: Path, size: int) -> None:
    """Raises ``OSError``. The file has no name, so that a process that is killed leaves none."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        left = memoryview(bytes(size))
        while left:
            left = left[os.write(file.fileno(), left) :]
