"""Whether the database could be written to now, asked in the background."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
import structlog

from antiphon_server.store.database import Database, Unreachable
from antiphon_server.store.disk import Disk

log = structlog.get_logger()

AWAY = "the database cannot be used"
READ_ONLY = "the database is read-only"
SILENT = "the database does not answer"
BEHIND = "the database does not take records"


class DatabaseWatch:
    """Nothing is written to ask: a transaction is begun that may write. What only a real write
    shows, the ledger's own show, and ``is_behind`` tells.
    """

    code = "database"

    def __init__(self, database: Database, is_behind: Callable[[], bool]) -> None:
        self._database = database
        self._is_behind = is_behind
        self._found: str | None = None
        file = database.url.database or ""
        has_folder = database.is_sqlite and not file.startswith("file:")
        self._disk = Disk(Path(file).parent, self.code, "the database") if has_folder else None

    @property
    def trouble(self) -> str | None:
        """What is wrong with it, without its address; None where nothing is."""
        return self._found or (BEHIND if self._is_behind() else None)

    def silent(self) -> None:
        """Whoever asked has had no answer in time."""
        self._note(SILENT, "no answer")

    def ask(self) -> None:
        """Waits as long as the database lets it."""
        try:
            is_writable = self._database.now(_is_writable)
        except Unreachable as failure:
            self._note(AWAY, str(failure))
            return
        full = None
        if self._disk is not None:
            self._disk.ask()
            full = self._disk.trouble
        if full is not None:
            self._note(full, full)
        elif not is_writable:
            self._note(READ_ONLY, READ_ONLY)
        else:
            self._note(None, "")

    def _note(self, found: str | None, why: str) -> None:
        before, self._found = self._found, found
        if found is not None and before is None:
            log.error("the database cannot be used: this server is not ready", reason=why)
        elif found is None and before is not None:
            log.warning("the database can be used again")


def _is_writable(connection: sa.Connection) -> bool:
    """A transaction that could not write has failed before in SQLite; in PostgreSQL it says so,
    also on a standby.
    """
    if connection.dialect.name == "sqlite":
        return bool(connection.execute(sa.text("SELECT 1")).scalar_one())
    told = connection.execute(sa.text("SELECT current_setting('transaction_read_only')"))
    return bool(told.scalar_one() == "off")
