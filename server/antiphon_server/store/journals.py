"""The journals of calls, where an operator wants them: read, and deleted with their sessions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
import structlog
from msgspec import Struct

from antiphon_server.call.journal import journal_path
from antiphon_server.store.database import Database
from antiphon_server.store.tables import sessions

log = structlog.get_logger()

PIECE_BYTES = 65_536
AT_ONCE = 200

_ID = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
"""What may stand in a file's name."""


class Opened(Struct, frozen=True):
    """A journal to be read; it may still grow."""

    size: int
    pieces: AsyncGenerator[bytes, None]
    """That many bytes; closes the file at its end."""


class Journals:
    """Those in a folder; None where none are kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    async def has(self, session_id: str) -> bool:
        """Whether there is one of a session."""
        path = self._path(session_id)
        return path is not None and await asyncio.to_thread(path.is_file)

    async def open(self, session_id: str) -> Opened | None:
        """A session's; None where there is none."""
        path = self._path(session_id)
        if path is None:
            return None
        try:
            file, size = await asyncio.to_thread(_open, path)
        except OSError:
            return None
        return Opened(size, _read(file, size))

    async def delete(self, session_id: str) -> None:
        """Deletes a session's, if there is one."""
        path = self._path(session_id)
        if path is not None:
            await asyncio.to_thread(_delete, path)

    async def sweep(self, database: Database) -> None:
        """Deletes those of sessions that are deleted. Raises ``Unreachable``."""
        if self._folder is None:
            return
        names = [path.stem for path in await asyncio.to_thread(_journals, self._folder)]
        for begin in range(0, len(names), AT_ONCE):
            some = names[begin : begin + AT_ONCE]
            for session_id in await database.read(partial(_deleted, ids=some)):
                await self.delete(session_id)

    def _path(self, session_id: str) -> Path | None:
        if self._folder is None or not _ID.fullmatch(session_id):
            return None
        return journal_path(self._folder, session_id)


def _deleted(connection: sa.Connection, ids: list[str]) -> list[str]:
    query = sa.select(sessions.c.id).where(
        sessions.c.id.in_(ids), sessions.c.deleted_at.is_not(None)
    )
    return list(connection.execute(query).scalars())


def _journals(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.jsonl") if _ID.fullmatch(path.stem))


def _open(path: Path) -> tuple[BinaryIO, int]:
    file = path.open("rb")
    return file, file.seek(0, 2)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as failure:
        log.warning("a journal is not deleted yet", journal=path.name, reason=failure.strerror)


async def _read(file: BinaryIO, size: int) -> AsyncGenerator[bytes, None]:
    try:
        await asyncio.to_thread(file.seek, 0)
        left = size
        while left and (piece := await asyncio.to_thread(file.read, min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
    finally:
        file.close()
