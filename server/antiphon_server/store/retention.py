"""Deletes what has been kept long enough, and finishes deletions that were broken off.

To be run hourly. Source: reliability T18; the setting ``retention_days``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import structlog
from msgspec import Struct

from antiphon_server.store import past_sessions, webhook_deliveries
from antiphon_server.store.artifacts import Artifacts, StorageFailed, audio_key
from antiphon_server.store.database import Database
from antiphon_server.store.journals import Journals

log = structlog.get_logger()

AT_ONCE = 200
"""In one transaction, so that calls do not wait for it; SQLite takes 999 in older versions."""
DAY_SECONDS = 86_400.0


class Keeping(Struct, frozen=True):
    """Where sessions and their audio are."""

    database: Database
    artifacts: Artifacts
    clock: Callable[[], float] = time.time
    """Unix seconds."""
    journals: Journals = Journals(None)


async def sweep(keeping: Keeping, retention_days: int) -> int:
    """Deletes sessions that ended longer ago than this, with their audio, and webhooks as old;
    0 keeps all.

    Returns how many. Raises ``Unreachable``; a storage that cannot be reached is asked again
    next time.
    """
    deleted = 0
    if retention_days:
        now = keeping.clock()
        before = now - retention_days * DAY_SECONDS
        while some := await keeping.database.write(
            lambda connection: past_sessions.delete_ended_before(connection, before, now, AT_ONCE)
        ):
            deleted += some
        await keeping.database.write(partial(webhook_deliveries.forget, before=before))
    await delete_audio(keeping)
    await keeping.journals.sweep(keeping.database)
    if deleted:
        log.info("sessions deleted that were kept long enough", sessions=deleted)
    return deleted


async def delete_audio(keeping: Keeping, session_id: str | None = None) -> None:
    """Deletes the audio of sessions that are deleted: of all, or only of this one.

    Raises ``Unreachable``; what a storage does not do now is left to the next ``sweep``.
    """
    while some := await keeping.database.read(
        lambda connection: past_sessions.with_audio_to_delete(connection, AT_ONCE, session_id)
    ):
        for one in some:
            try:
                await keeping.artifacts.delete(audio_key(one))
            except StorageFailed as failure:
                log.warning("audio is not deleted yet", session=one, reason=str(failure))
                return
            await keeping.database.write(partial(past_sessions.forget_audio, session_id=one))
