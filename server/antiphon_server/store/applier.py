"""Takes what the spool holds into the database, on a thread of its own, in order.

While the database cannot be reached it tries again and again, and the spool grows. A line is
applied once, however often it comes (``store.applying``): so a batch that failed half-way, and
what an earlier process had applied but not deleted, are simply applied again.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
import structlog

from antiphon_server.observe import metrics
from antiphon_server.store import orphans
from antiphon_server.store.applying import OnEvent, apply
from antiphon_server.store.database import Database, Unreachable
from antiphon_server.store.spool_folder import Claim
from antiphon_server.store.spool_segment import Line, Segment, decode, encode

log = structlog.get_logger()
Result = TypeVar("Result")

BATCH_BYTES = 131_072
"""About how much is applied in one transaction."""
GATHER_SECONDS = 0.1
"""How long records gather for one transaction while nobody asks for them."""
RETRY_SECONDS = (0.1, 5.0)
"""The first pause after a failure, and the longest; each is twice the one before."""
HANG_SECONDS = 2.0
"""A transaction that takes longer is not waited for at an end that has given up."""
LOOK_SECONDS = 0.25
REJECTED = "rejected.jsonl"

_OF_A_LINE = (
    sa.exc.DataError,
    sa.exc.IntegrityError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
)
"""What a single line may be the cause of. Anything else is an outage, or a mistake of ours that
the next line would meet as well: it is tried again until somebody has put it right.
"""


class GaveUp(Exception):
    """The server ends and the database cannot be reached: the spool keeps what is left."""


class Applier:
    """Applies the segments of dead runs, then those of our own run as they grow."""

    def __init__(self, database: Database, own: Claim, on_event: OnEvent) -> None:
        self._database = database
        self._own = own
        self._on_event = on_event
        self._waiters: deque[tuple[int, Callable[[], None]]] = deque()
        self._work = threading.Event()
        self._hurry = threading.Event()
        self._is_closing = False
        self._gives_up = threading.Event()
        self._is_out = False
        self.is_out = False
        """Whether the database could not be used when it was last tried."""
        self._applied = 0
        self._steps = 0
        """Transactions that went through."""
        self._thread = threading.Thread()

    def start(self, dead: Sequence[Claim], segments: deque[Segment]) -> None:
        """Starts the thread, which takes from the left of ``segments`` what is applied."""
        run = partial(self._run, dead, segments)
        self._thread = threading.Thread(target=run, name="spool-applier", daemon=True)
        self._thread.start()

    def changed(self) -> None:
        """There may be more to apply; from any thread."""
        if not self._work.is_set():
            self._work.set()

    def when_applied(self, total: int, then: Callable[[], None]) -> None:
        """Calls something on the applier's thread once so many bytes of our run are applied.

        They must be written already. Nothing is waited for that need not be.
        """
        self._waiters.append((total, then))
        self._hurry.set()
        self._work.set()

    def give_up(self) -> None:
        """The next failure is the last one; from any thread."""
        self._gives_up.set()

    def close(self, timeout_s: float) -> None:
        """Applies the rest and ends the thread; gives up after a time in which it fails, and cuts
        off a database that hangs then.
        """
        self._is_closing = True
        self._hurry.set()
        self._work.set()
        end = time.monotonic() + timeout_s
        steps, since = self._steps, time.monotonic()
        while self._thread.is_alive():
            self._thread.join(LOOK_SECONDS)
            now = time.monotonic()
            if now >= end:
                self._gives_up.set()
            if steps != self._steps:
                steps, since = self._steps, now
            elif self._gives_up.is_set() and now - since >= HANG_SECONDS:
                self._database.cut()
                since = now

    def _run(self, dead: Sequence[Claim], segments: deque[Segment]) -> None:
        left = deque(dead)
        try:
            while left:
                self._adopt(left[0])
                left.popleft().release(is_done=True)
            while not (self._is_closing and not segments):
                self._work.wait()
                self._hurry.wait(GATHER_SECONDS)
                self._work.clear()
                self._hurry.clear()
                self._steadily(partial(self._drain, segments, self._own.name))
                self._tell()
            open_sessions = partial(self._now, partial(orphans.of_run, run=self._own.name))
            self._own.release(is_done=not self._steadily(open_sessions))
        except GaveUp:
            log.warning("records wait in the spool for the next start", run=self._own.name)
            for segment in segments:
                segment.close()
            for claim in (*left, self._own):
                claim.release(is_done=False)

    def _adopt(self, claim: Claim) -> None:
        """Applies what a dead run left, and ends its sessions. Raises ``GaveUp``."""
        left: deque[Segment] = deque()
        try:
            for path in claim.segments():
                left.append(self._steadily(partial(Segment, path, is_new=False)))
                metrics.SPOOL_BYTES.inc(left[0].written)
                self._steadily(partial(self._drain, left, claim.name))
            self._steadily(partial(self._end_sessions, claim.name))
        finally:
            for segment in left:
                segment.close()

    def _end_sessions(self, run: str) -> None:
        while ids := self._now(partial(orphans.of_run, run=run)):
            self._now(partial(orphans.close, ids=ids, on_event=self._on_event))
            log.warning("sessions of a process that died were ended", sessions=len(ids))

    def _drain(self, segments: deque[Segment], run: str) -> None:
        """Applies all that is written, and deletes segments to which nothing will be added."""
        while segments:
            segment = segments[0]
            is_complete = segment.is_complete  # Before it is read: nothing can follow then.
            while text := segment.read(BATCH_BYTES):
                self._apply(text, run)
                segment.applied += len(text)
                metrics.SPOOL_BYTES.dec(len(text))
                if run == self._own.name:
                    self._applied += len(text)
            if not is_complete:
                return
            metrics.SPOOL_BYTES.dec(segment.written - segment.applied)  # A torn last line.
            segments.popleft().remove()

    def _apply(self, text: bytes, run: str) -> None:
        lines = []
        for line in text.split(b"\n")[:-1]:
            try:
                lines.append(decode(line))
            except ValueError:
                self._reject(line + b"\n", "it is damaged")
        self._apply_lines(lines, run)

    def _apply_lines(self, lines: list[Line], run: str) -> None:
        try:
            strays = self._now(partial(apply, node=run, lines=lines, on_event=self._on_event))
        except _OF_A_LINE as failure:
            if len(lines) == 1:
                self._reject(encode(lines[0]), f"the database refuses it: {type(failure).__name__}")
                return
            # All but the one that is to blame are good.
            for line in lines:
                self._apply_lines([line], run)
            return
        for line in strays:
            self._reject(encode(line), "its session never started")

    def _now(self, work: Callable[[sa.Connection], Result]) -> Result:
        result = self._database.now(work)
        self._steps += 1
        self.is_out = False
        if self._is_out:
            self._is_out = False
            log.warning("records are applied again")
        return result

    def _steadily(self, step: Callable[[], Result]) -> Result:
        """Takes a step until it succeeds; it goes on where it failed. Raises ``GaveUp``."""
        pause, longest = RETRY_SECONDS
        while True:
            try:
                return step()
            except Exception as failure:
                self._note_outage(failure)
                if self._gives_up.wait(pause):
                    raise GaveUp from failure
            pause = min(2 * pause, longest)

    def _note_outage(self, failure: Exception) -> None:
        self.is_out = isinstance(failure, Unreachable)
        if not self._is_out:
            self._is_out = True
            metrics.DATABASE_OUTAGES.inc()
            log.error(
                "records cannot be applied: calls go on, and the spool keeps them",
                reason=str(failure),
                exc_info=None if isinstance(failure, Unreachable) else failure,
            )

    def _reject(self, line: bytes, why: str) -> None:
        """Keeps a line for a person to look at; without it the rest would never be applied."""
        metrics.RECORDS_REJECTED.inc()
        file = self._own.folder / REJECTED
        log.error("a record cannot be stored", reason=why, kept_in=str(file))
        handle = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)

    def _tell(self) -> None:
        for _ in range(len(self._waiters)):
            total, then = self._waiters.popleft()
            if total <= self._applied:
                then()
            else:
                self._waiters.append((total, then))
