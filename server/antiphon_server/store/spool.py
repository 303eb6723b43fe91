"""Records on disk before they are in the database: one thread appends them to segments.

A record is durable once its line is in the operating system's hands: it outlives the process,
and with ``fsync`` the machine. The event loop only encodes and queues, because a disk may stop
for seconds. ``store.applier`` reads the segments and deletes them.
"""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import structlog

from antiphon_server.observe import metrics
from antiphon_server.store.disk import Disk
from antiphon_server.store.reserve import Reserve
from antiphon_server.store.spool_folder import Claim
from antiphon_server.store.spool_segment import Line, Segment, encode

log = structlog.get_logger()

SEGMENT_BYTES = 4_194_304
"""When the next segment is begun."""
SEGMENT_SECONDS = 30.0
"""The same by age: what was said is not to lie about for long when its session is deleted."""
BATCH_LINES = 1_000
SAY_SECONDS = 10.0
"""How often the log has at most that records are lost: a disk may fail at every other write."""


class Unrecorded(Exception):
    """A record is not durable and never will be; the message says why."""


class _Waiting(NamedTuple):
    """A line that is queued since ``at``, seconds of the monotonic clock."""

    line: bytes
    future: asyncio.Future[None]
    at: float


class _Request(NamedTuple):
    """What is to be called when the lines queued before it are written."""

    then: Callable[[], None]


class Spool:
    """Appends the records of one run to its segments.

    ``segments`` are those that are not applied yet, oldest first; ``total`` counts the bytes
    ever written. ``changed`` is called on the writer's thread after each batch. ``reserve`` is
    used up when the disk is full, and ``disk`` is told at once that it is.
    """

    def __init__(
        self,
        claim: Claim,
        *,
        fsync: bool,
        changed: Callable[[], None],
        reserve: Reserve | None = None,
        disk: Disk | None = None,
    ) -> None:
        self._claim = claim
        self._disk = disk
        self._reserve = reserve
        self._fsync = fsync
        self._changed = changed
        self._queue: queue.SimpleQueue[_Waiting | _Request] = queue.SimpleQueue()
        self._number = 0
        self._open: Segment | None = None
        self._is_failing = False
        """Whether the log has it."""
        self._silent_until = 0.0
        self._unsaid = 0
        self._is_closing = False
        self.segments: deque[Segment] = deque()
        self.total = 0
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
        self._thread.start()

    def append(self, line: Line, future: asyncio.Future[None]) -> None:
        """Queues a record. Its future is done once it is durable, or fails with ``Unrecorded``."""
        try:
            text = encode(line)
        except (TypeError, ValueError, RecursionError) as wrong:
            metrics.RECORDS_LOST.inc()
            log.exception("a record cannot be written as JSON", session_id=line.session_id)
            _fail([future], f"it cannot be written as JSON ({type(wrong).__name__})")
        else:
            self._queue.put(_Waiting(text, future, time.monotonic()))

    def when_written(self, then: Callable[[], None]) -> None:
        """Calls something on the writer's thread, once what is queued now is written."""
        self._queue.put(_Request(then))

    def close(self) -> None:
        """Writes what is queued, ends the thread and completes the last segment."""
        self._is_closing = True
        self.when_written(lambda: None)
        self._thread.join()

    def _run(self) -> None:
        while not (self._is_closing and self._queue.empty()):
            batch, request = self._take()
            if batch:
                self._write(batch)
            self._rotate()
            self._changed()
            if request is not None:
                request.then()
        self._rotate()

    def _take(self) -> tuple[list[_Waiting], _Request | None]:
        """What is queued, up to a request; waits for something, but not beyond a rotation."""
        batch: list[_Waiting] = []
        try:
            item = self._queue.get(timeout=None if self._open is None else SEGMENT_SECONDS)
            while isinstance(item, _Waiting):
                batch.append(item)
                if len(batch) == BATCH_LINES:
                    return batch, None
                item = self._queue.get_nowait()
        except queue.Empty:
            return batch, None
        return batch, item

    def _write(self, batch: list[_Waiting]) -> None:
        lines = b"".join(waiting.line for waiting in batch)
        try:
            self._append(lines)
        except OSError as failure:
            self._refuse(batch, failure)
            return
        self.total += len(lines)
        metrics.SPOOL_BYTES.inc(len(lines))
        metrics.RECORDS.inc(len(batch))
        metrics.RECORD_DURABLE.observe(time.monotonic() - batch[0].at)
        if self._is_failing:
            self._is_failing = False
            log.warning("records can be written again")
        _on_the_loop(batch, _resolve)

    def _append(self, lines: bytes) -> None:
        """Raises ``OSError``, for a full disk once there is no reserve any more."""
        while True:
            try:
                self._segment().append(lines, fsync=self._fsync)
            except OSError as failure:
                if self._disk is not None:
                    self._disk.failed(failure)
                is_full = failure.errno in {errno.ENOSPC, errno.EDQUOT}
                if not is_full or self._reserve is None or not self._reserve.give():
                    raise
                self._rotate()
            else:
                return

    def _segment(self) -> Segment:
        if self._open is None:
            folder = self._claim.folder
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._number += 1
            self._open = Segment(self._claim.segment(self._number), is_new=True)
            self.segments.append(self._open)
            if self._reserve is not None:
                self._reserve.fill()
            if self._fsync:
                _sync_folder(folder)
        return self._open

    def _rotate(self) -> None:
        current = self._open
        if current is None:
            return
        is_old = time.monotonic() - current.born >= SEGMENT_SECONDS
        if self._is_closing or is_old or current.is_complete or current.written >= SEGMENT_BYTES:
            current.is_complete = True
            self._open = None

    def _refuse(self, batch: list[_Waiting], failure: OSError) -> None:
        metrics.RECORDS_LOST.inc(len(batch))
        self._unsaid += len(batch)
        if time.monotonic() >= self._silent_until:
            self._silent_until = time.monotonic() + SAY_SECONDS
            self._is_failing = True
            log.error(
                "records cannot be written: calls go on, and what is said in them is lost",
                folder=str(self._claim.folder),
                reason=failure.strerror,
                records=self._unsaid,
            )
            self._unsaid = 0
        why = f"{self._claim.folder} cannot be written: {failure.strerror}"
        _on_the_loop(batch, lambda futures: _fail(futures, why))


def _on_the_loop(
    batch: list[_Waiting], settle: Callable[[Iterable[asyncio.Future[None]]], None]
) -> None:
    """Settles the futures of a batch in one call of their loop."""
    futures = [waiting.future for waiting in batch]
    try:
        futures[0].get_loop().call_soon_threadsafe(settle, futures)
    except RuntimeError:
        log.debug("nobody waits for these records any more")  # The loop is closed.


def _resolve(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


def _fail(futures: Iterable[asyncio.Future[None]], why: str) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(Unrecorded(f"a record is lost: {why}"))
            future.exception()  # It is counted and logged already, also if nobody asks.


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
