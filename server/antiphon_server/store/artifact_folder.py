"""Recordings in a folder of this machine, readable by its owner only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from antiphon_server.store.artifacts import Artifact, NoSuchArtifact, StorageFailed, checked

T = TypeVar("T")

PIECE_BYTES = 256 * 1024
"""Read at once: each piece costs a hop to a thread."""


class Folder:
    """One folder; a key is a file's name in it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def start(self) -> None:
        """Makes the folder. Raises ``StorageFailed``."""
        await _off_the_loop(lambda: self._path.mkdir(mode=0o700, parents=True, exist_ok=True))

    async def put(self, file: Path, key: str) -> None:
        """Moves a file of the same file system here, in one step. Raises ``StorageFailed``."""
        target = self.path(key)
        await _off_the_loop(lambda: _move(file, target))

    async def open(self, key: str) -> Artifact:
        """Finds one. Raises ``NoSuchArtifact`` and ``StorageFailed``."""
        path = self.path(key)
        size = await _off_the_loop(lambda: path.stat().st_size)
        return Artifact(size, lambda start, end: _read(path, start, end))

    async def delete(self, key: str) -> None:
        """Deletes one, also if it is not there. Raises ``StorageFailed``."""
        path = self.path(key)
        await _off_the_loop(lambda: path.unlink(missing_ok=True))

    async def link(self, key: str, seconds: int) -> str | None:
        """None: only this server can read it."""
        del key, seconds
        return None

    async def close(self) -> None:
        """There is nothing to close."""

    async def keys(self) -> list[str]:
        """All that are there, by name. Raises ``StorageFailed``."""
        return await _off_the_loop(lambda: sorted(path.name for path in self._path.glob("*.ogg")))

    def path(self, key: str) -> Path:
        """Where a key lies. Raises ``ValueError`` for what is no key."""
        return self._path / checked(key)


def _move(file: Path, target: Path) -> None:
    """After a power cut the whole file has one of the two names."""
    _sync(file)
    file.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _read(path: Path, start: int, end: int) -> AsyncGenerator[bytes, None]:
    file = await _off_the_loop(lambda: path.open("rb"))
    try:
        file.seek(start)
        while start < end:
            piece = await _off_the_loop(partial(file.read, min(PIECE_BYTES, end - start)))
            if not piece:
                return
            start += len(piece)
            yield piece
    finally:
        file.close()


async def _off_the_loop(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except FileNotFoundError as missing:
        raise NoSuchArtifact from missing
    except OSError as failure:
        raise StorageFailed(str(failure)) from failure
