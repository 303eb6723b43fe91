"""Where calls leave their records: durable at once, in the database soon.

``record`` queues a line for the spool (``store.spool``), which is durable within about a
millisecond whatever the database does; ``store.applier`` takes the spool into the database,
which is never further behind than a tenth of a second while it can be reached. What a process
that died left is applied at the next start.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
import structlog

from antiphon_server.call.records import AnyRecord
from antiphon_server.store import orphans
from antiphon_server.store.applier import Applier
from antiphon_server.store.applying import OnEvent
from antiphon_server.store.database import Database
from antiphon_server.store.disk import Disk
from antiphon_server.store.reserve import Reserve
from antiphon_server.store.spool import Spool, Unrecorded
from antiphon_server.store.spool_folder import Claim, claim
from antiphon_server.store.spool_segment import Line

log = structlog.get_logger()

CLOSE_SECONDS = 10.0
"""How long an end waits for a database that cannot be reached."""


class Ledger:
    """The ``Recorder`` of a server.

    ``folder`` may be shared with other servers; ``node`` names this one, for people. ``on_event``
    is called in the transaction that stores a session's start or end (the webhook outbox).
    With ``fsync`` a record outlives a power cut, not only the process.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        node: str,
        on_event: OnEvent,
        *,
        fsync: bool = False,
    ) -> None:
        self._database = database
        self._folder = folder
        self._node = node
        self._on_event = on_event
        self._fsync = fsync
        self.disk = Disk(folder, "records", "records of calls")
        """Where records are made durable."""
        self._parts: tuple[Spool, Applier] | None = None
        self._closing: Applier | None = None
        self._is_hurried = False

    async def start(self, reserve: Reserve | None = None) -> None:
        """Starts to record, and to apply what dead processes left. Raises ``OSError``."""
        own, dead = await asyncio.to_thread(claim, self._folder, self._node)
        if reserve is not None and not await asyncio.to_thread(reserve.fill):
            log.warning("there is no room for the reserve of records: a full disk would cost some")
        self._parts = self._assemble(own, dead, reserve)

    @property
    def is_behind(self) -> bool:
        """Whether the database has refused to take records, and has taken none since."""
        return self._parts is not None and self._parts[1].is_out

    def record(self, session_id: str, record: AnyRecord) -> asyncio.Future[None]:
        """Takes a record, at once and in order; the future is done once it is durable.

        It fails with ``Unrecorded`` if the disk does not take it.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._parts is None:
            future.set_exception(Unrecorded("the ledger is closed"))
        else:
            self._parts[0].append(Line(session_id, record), future)
        return future

    async def settled(self, timeout_s: float) -> bool:
        """Waits until the database has all that was recorded so far; whether it has in time."""
        if self._parts is None:
            return True
        spool, applier = self._parts
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
                loop.call_soon_threadsafe(done.set)

        spool.when_written(lambda: applier.when_applied(spool.total, tell))
        try:
            async with asyncio.timeout(timeout_s):
                await done.wait()
        except TimeoutError:
            return False
        return True

    async def close_orphans(self, before: float) -> int:
        """Ends sessions of any server that began before a time (Unix seconds) and never ended.

        For those whose spool is gone: ``start`` ends the others. Returns how many; there may be
        more where it is ``orphans.AT_ONCE``. Raises ``Unreachable``.
        """

        def end(connection: sa.Connection) -> int:
            ids = orphans.older_than(connection, before)
            orphans.close(connection, ids, self._on_event)
            return len(ids)

        return await self._database.write(end)

    def hurry(self) -> None:
        """The end waits no more for a database that cannot be reached, also while it waits."""
        self._is_hurried = True
        if self._closing is not None:
            self._closing.give_up()

    async def close(self) -> None:
        """Writes and applies the rest. What the database does not take waits for the next start."""
        if self._parts is not None:
            (spool, applier), self._parts = self._parts, None
            self._closing = applier
            if self._is_hurried:
                applier.give_up()
            await asyncio.to_thread(spool.close)
            await asyncio.to_thread(applier.close, CLOSE_SECONDS)

    def _assemble(
        self, own: Claim, dead: list[Claim], reserve: Reserve | None
    ) -> tuple[Spool, Applier]:
        applier = Applier(self._database, own, self._on_event)
        spool = Spool(
            own, fsync=self._fsync, changed=applier.changed, reserve=reserve, disk=self.disk
        )
        applier.start(dead, spool.segments)
        return spool, applier
