"""The database, off the event loop: work is a function of a connection, run on a thread.

SQLite (a file, WAL) and PostgreSQL by URL. Each piece of work is one transaction: it is
committed when the function returns, and rolled back when it raises. What was committed
outlives a power cut in both.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url

Result = TypeVar("Result")
Work = Callable[[sa.Connection], Result]

THREADS = 4
BUSY_SECONDS = 10
"""How long a writer waits for another one in SQLite."""
CONNECT_SECONDS = 5
"""How long PostgreSQL may take to answer, and to acknowledge what was sent to it."""
ALIVE_SECONDS = 10
"""How long a machine that owes an answer may be silent before its kernel is asked for a sign."""

END_SECONDS = 5.0
"""How long an end waits for what is under way, before it is cut off."""

# Errors come into logs, and the parameters of statements are what people said.
OPTIONS: dict[str, Any] = {"hide_parameters": True}
POSTGRES_OPTIONS = {
    "connect_timeout": CONNECT_SECONDS,
    "tcp_user_timeout": 1000 * CONNECT_SECONDS,
    # By default a machine that vanishes while it owes an answer is waited for two hours.
    "keepalives_idle": ALIVE_SECONDS,
    "keepalives_interval": CONNECT_SECONDS,
    "keepalives_count": 3,
    "application_name": "antiphon",
}

# SQLite's own errors that are about the file and not about the statement (sqlite.org/rescode).
SQLITE_UNREACHABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)

SQLITE_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Unreachable(Exception):
    """The database cannot be used now; the message says which and why, without a password."""


class Database:
    """One database. ``read`` and ``write`` are for the event loop, ``now`` for other threads."""

    def __init__(self, url: str) -> None:
        """Nothing is opened yet. Raises ``Unreachable`` for a URL that can never be used."""
        self.url = _url(url)
        self.engine = _engine(self.url)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")
        # SQLite's own waiting is blind polling, in which one of several writers may starve.
        self._writing = threading.Lock()
        self._connections: WeakSet[Any] = WeakSet()
        if not self.is_sqlite:
            event.listen(self.engine, "connect", self._remember)

    @property
    def shown(self) -> str:
        """Its address for people: without a password, also not one among the options."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return self.engine.dialect.name == "sqlite"

    async def read(self, work: Work[Result]) -> Result:
        """Runs work that changes nothing. Raises ``Unreachable`` and what the work raises."""
        return await self._off_the_loop(work, writes=False)

    async def write(self, work: Work[Result]) -> Result:
        """Runs work that may change something. Raises ``Unreachable`` and what the work raises."""
        return await self._off_the_loop(work, writes=True)

    def now(self, work: Work[Result], *, writes: bool = True) -> Result:
        """Runs work on this thread."""
        try:
            with self._turn(writes=writes), self.engine.connect() as connection:
                # A reader that wants to write later would fail at once in SQLite; a writer waits.
                if self.is_sqlite:
                    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
                result = work(connection)
                connection.commit()
                return result
        except sa.exc.TimeoutError as failure:
            raise self._unreachable("every connection is in use") from failure
        except sa.exc.DBAPIError as failure:
            if not _is_about_the_connection(failure):
                raise
            raise self._unreachable(reason(failure)) from failure

    async def close(self) -> None:
        """Ends the threads, and the connections with them."""
        await asyncio.to_thread(self.dispose)

    def dispose(self) -> None:
        """As ``close``, on this thread."""
        patience = threading.Timer(END_SECONDS, self._give_up)
        patience.daemon = True
        patience.start()
        self._threads.shutdown(wait=True)
        patience.cancel()
        self.engine.dispose()

    def cut(self) -> None:
        """Whoever waits for PostgreSQL fails now, on whatever thread: one that hangs would be
        waited for without end. It is for the end of a server.
        """
        for connection in list(self._connections):
            # Its owner finds it closed by the other side, or has closed it already.
            with (
                suppress(OSError, self.engine.dialect.loaded_dbapi.Error),
                socket.socket(fileno=os.dup(connection.fileno())) as line,
            ):
                line.shutdown(socket.SHUT_RDWR)

    def _give_up(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.cut()

    def _remember(self, connection: Any, _record: Any) -> None:
        self._connections.add(connection)

    async def _off_the_loop(self, work: Work[Result], *, writes: bool) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self.now(work, writes=writes))

    @contextmanager
    def _turn(self, *, writes: bool) -> Iterator[None]:
        """One writer at a time in SQLite, in the order they came."""
        if not (writes and self.is_sqlite):
            yield
            return
        if not self._writing.acquire(timeout=BUSY_SECONDS):
            raise self._unreachable("another write takes too long")
        try:
            yield
        finally:
            self._writing.release()

    def _unreachable(self, why: str) -> Unreachable:
        return Unreachable(f"{self.shown}: {why}")


def _url(text: str) -> sa.URL:
    try:
        url = make_url(text)
    except (sa.exc.ArgumentError, ValueError) as failure:
        # The text itself may hold a password, so it is not repeated.
        raise Unreachable(
            "the database's URL cannot be read: it must look like sqlite:////folder/file.db or "
            "postgresql://user:password@host/name"
        ) from failure
    backend = url.get_backend_name()
    if backend == "sqlite":
        return url
    if backend in {"postgresql", "postgres"}:
        if "@" in (url.host or ""):
            # Else the rest of the password would be told as a host that is not found.
            raise Unreachable("the database's URL cannot be read: in a password write %40 for @")
        return url.set(drivername="postgresql+psycopg")
    raise Unreachable(f"{backend}:// is no database that can be used: sqlite:// or postgresql://")


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        _make_file(url)
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **OPTIONS)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    # What the URL says itself wins.
    options = {name: value for name, value in POSTGRES_OPTIONS.items() if name not in url.query}
    try:
        return sa.create_engine(
            url,
            connect_args=options,
            pool_size=THREADS,
            pool_pre_ping=True,
            pool_timeout=BUSY_SECONDS,
            **OPTIONS,
        )
    except ImportError as failure:
        raise Unreachable(
            "PostgreSQL needs psycopg, which is not installed: pip install 'antiphon[postgres]'"
        ) from failure


def _make_file(url: sa.URL) -> None:
    """Makes the folder and the file, for this user's eyes only: transcripts are in it."""
    if not url.database or url.database == ":memory:":
        raise Unreachable("a SQLite database must be a file: sqlite:////folder/file.db")
    if url.database.startswith("file:"):
        return  # SQLite's own form of an address says itself whether the file may be made.
    file = Path(url.database)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives the files that it puts beside it the same mode.
        os.close(os.open(file, os.O_CREAT | os.O_RDONLY, 0o600))
    except OSError as failure:
        where = failure.filename or file
        raise Unreachable(f"{url}: {where} cannot be made: {failure.strerror}") from failure


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # pysqlite would begin transactions by itself, and only before some statements.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def reason(failure: sa.exc.DBAPIError) -> str:
    """What the database said, in one line, and what to do where it does not say so itself."""
    said = " ".join(str(failure.orig).split())
    code = getattr(failure.orig, "sqlite_errorcode", sqlite3.SQLITE_OK)
    if code & 0xFF in SQLITE_DAMAGED:
        return f"{said}: restore a backup, or move the file away to begin with an empty one"
    return said


def _is_about_the_connection(failure: sa.exc.DBAPIError) -> bool:
    if isinstance(failure.orig, sqlite3.Error):
        code = getattr(failure.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return code & 0xFF in SQLITE_UNREACHABLE
    # psycopg's tree: OperationalError is for what "is not under the control of the programmer".
    is_read_only = getattr(failure.orig, "sqlstate", None) == "25006"
    if isinstance(failure, sa.exc.ProgrammingError) and failure.statement is None:
        # It is the connecting itself: the URL has an option that there is not.
        return True
    return is_read_only or isinstance(failure, sa.exc.OperationalError | sa.exc.InterfaceError)
