"""Recordings that are being made, or that a dead process left: one folder for each process.

A process holds a lock in its folder for as long as it lives, and the system lets go of it
however the process ends; so whose folder can be locked is dead, on this machine.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from antiphon_server.recording.tape import playable_seconds
from antiphon_server.store.artifacts import Artifacts, Recorded, Register

log = structlog.get_logger()

LOCK = "lock"
LIVE = "process-"
STRAY_SECONDS = 24 * 3600.0
"""How long audio is kept whose session is not known: it may be there at the next start."""


class Leftover(Struct, frozen=True):
    """A recording that a dead process left."""

    session_id: str
    path: Path
    recorded: Recorded | None
    """None where nothing of it can be played."""
    age_seconds: float


class Unfinished:
    """The folders of all processes, in one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None
        self._own: Path | None = None

    def claim(self) -> Path:
        """Makes this process's folder. Raises ``OSError``."""
        name = f"{os.getpid()}-{secrets.token_hex(8)}"
        own, prepared = self._folder / f"{LIVE}{name}", self._folder / f"new-{name}"
        prepared.mkdir(mode=0o700, parents=True)
        self._lock = os.open(prepared / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # Under this name nobody finds it without its lock.
        prepared.rename(own)
        self._own = own
        return own

    def release(self) -> None:
        """Gives the folder up; with what was not kept it stays, and is found at a next start."""
        if self._lock is None or self._own is None:
            return
        if not any(self._own.glob("*.ogg")):
            # Somebody who tidied up may have been faster.
            shutil.rmtree(self._own, ignore_errors=True)
        os.close(self._lock)
        self._lock = self._own = None

    async def recover(self, artifacts: Artifacts, register: Register) -> int:
        """Registers and keeps what dead processes left; returns how many recordings.

        To be called at the start, once the sessions of the dead are known. Whatever fails is
        tried again at the next start; audio of no known session is deleted after a day.
        """
        kept = 0
        for folder, lock in await asyncio.to_thread(lambda: list(self._dead())):
            try:
                for leftover in await asyncio.to_thread(_leftovers, folder):
                    kept += await _kept(leftover, artifacts, register)
                await asyncio.to_thread(_remove, folder)
            except Exception:
                # A start must not fail for an old recording.
                log.exception("recordings of a dead process wait", folder=folder.name)
            finally:
                os.close(lock)
        return kept

    def _dead(self) -> Iterator[tuple[Path, int]]:
        """Folders of dead processes, each with its lock, which is ours now."""
        for folder in sorted(self._folder.glob(f"{LIVE}*")):
            try:
                lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            except OSError:
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                continue
            yield folder, lock


async def _kept(leftover: Leftover, artifacts: Artifacts, register: Register) -> bool:
    """Whether it is where artifacts are now."""
    path, recorded = leftover.path, leftover.recorded
    if recorded is not None:
        session = await register(leftover.session_id, msgspec.to_builtins(recorded))
        if session == "known":
            await artifacts.put(path, recorded.file)
            log.info("recording of a dead process kept", session=leftover.session_id)
            return True
        if session == "unknown" and leftover.age_seconds < STRAY_SECONDS:
            return False
    log.warning("recording of a dead process deleted", session=leftover.session_id)
    await asyncio.to_thread(path.unlink)
    return False


def _leftovers(folder: Path) -> list[Leftover]:
    return [
        Leftover(path.stem, path, _recorded(path), time.time() - path.stat().st_mtime)
        for path in sorted(folder.glob("*.ogg"))
    ]


def _recorded(path: Path) -> Recorded | None:
    seconds = playable_seconds(path)
    return (
        Recorded(path.name, duration_seconds=round(seconds, 3), incomplete=True)
        if seconds
        else None
    )


def _remove(folder: Path) -> None:
    if not any(folder.glob("*.ogg")):
        # Somebody else who starts may be faster.
        shutil.rmtree(folder, ignore_errors=True)
