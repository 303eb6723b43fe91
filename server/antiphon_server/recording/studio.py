"""The audio of sessions, on its way into files: the event loop hands it over, a thread writes.

All recordings of a node share the one thread, so that however many there are, they cost the
calls no more than one core. It is given what came since its last turn a few times a second;
handing over a piece is an ``append``. What waits for it is bounded: on a disk that is too slow
pieces are dropped and counted, and calls do not notice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from antiphon_protocol.audio import Encoding
from antiphon_server.recording.tape import Channel, OpenSink, OpusFile, Piece, Tape
from antiphon_server.store.artifacts import Artifacts, Known, Recorded, Register, audio_key
from antiphon_server.store.database import Unreachable

log = structlog.get_logger()

TURN_SECONDS = 0.25
MOST_WAITING_BYTES = 32 * 1024 * 1024
"""About six minutes of one session, or six seconds of sixty."""
PIECE_BYTES = 200
"""What a piece takes beside its audio."""
REGISTER_SECONDS = (0.1, 0.5, 2.0, 10.0, *[30.0] * 60)
"""Pauses while the database does not have a session's end yet: half an hour in all."""
FINISH_SECONDS = 5.0
"""How long the end of a session waits for a disk that is slow."""


class StudioSettings(Struct, frozen=True):
    """What a studio may use; tests choose other clocks, limits and sinks."""

    clock: Callable[[], float] = time.monotonic
    """The clock of the sessions, in seconds."""
    most_waiting_bytes: int = MOST_WAITING_BYTES
    finish_seconds: float = FINISH_SECONDS
    open_sink: OpenSink = OpusFile
    register: Register | None = None
    """Writes down what a session's recording holds where ``Ended`` did not, and says whether the
    session was deleted meanwhile.
    """


class Studio:
    """The recordings of one node, in a folder of its own until they are ``kept``."""

    def __init__(
        self, folder: Path, artifacts: Artifacts, settings: StudioSettings | None = None
    ) -> None:
        self.settings = settings or StudioSettings()
        self.artifacts = artifacts
        self.waiting_bytes = 0
        self._folder = folder
        self._open: set[Recording] = set()
        self._turns: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recordings")

    def record(self, session_id: str, user: Encoding, agent: Encoding) -> Recording:
        """A recording of a session that begins now."""
        encodings: dict[Channel, Encoding] = {"user": user, "agent": agent}
        path = self._folder / audio_key(session_id)
        tape = Tape(path, encodings, self.settings.clock(), self.settings.open_sink)
        recording = Recording(self, tape, session_id)
        self._open.add(recording)
        if self._turns is None:
            self._turns = asyncio.get_running_loop().create_task(self._run(), name="recordings")
        return recording

    async def close(self) -> None:
        """Finishes what is still being recorded, and ends the thread."""
        await asyncio.gather(*(recording.finish() for recording in list(self._open)))
        if self._turns is not None:
            self._turns.cancel()
            await asyncio.wait([self._turns])
        await asyncio.to_thread(self._thread.shutdown)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        pause = TURN_SECONDS
        try:
            while self._open:
                await asyncio.sleep(pause)
                began = loop.time()
                await self._turn()
                pause = max(0.0, TURN_SECONDS - (loop.time() - began))
        finally:
            self._turns = None

    async def _turn(self) -> None:
        # Read before the pieces are taken: none that comes later belongs to an earlier time.
        now = self.settings.clock()
        batch = [(recording.tape, recording.hand_over()) for recording in self._open]
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, _advance, batch, now)
        self.waiting_bytes -= sum(size for _, (_, size) in batch)

    async def finished(self, recording: Recording) -> Recorded | None:
        """Writes the rest of a recording."""
        self._open.discard(recording)
        now, (pieces, size) = self.settings.clock(), recording.hand_over()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
                self._thread, recording.tape.finish, pieces, now, recording.dropped
            )
        finally:
            self.waiting_bytes -= size


class Recording:
    """One session's. Its methods return at once; times are seconds of the session's clock."""

    def __init__(self, studio: Studio, tape: Tape, session_id: str) -> None:
        self.tape = tape
        self.dropped = 0
        self._studio = studio
        self._session_id = session_id
        self._pieces: list[Piece] = []
        self._size = 0
        self._finishing: asyncio.Task[Recorded | None] | None = None

    def user(self, raw: bytes, at_s: float) -> None:
        """Microphone audio in the wire's encoding, of any length, that arrived at this time."""
        self._take("user", raw, at_s)

    def agent(self, raw: bytes, at_s: float) -> None:
        """The agent's audio in the wire's encoding, and when it begins to be played.

        It replaces what was to be played from then on.
        """
        self._take("agent", raw, at_s)

    def hush(self, at_s: float) -> None:
        """The agent was silenced: what was to be played from then on was not heard."""
        self._take("agent", b"", at_s)

    async def finish(self) -> dict[str, Any] | None:
        """The session is over; what the recording holds (``Recorded``), or None without one.

        The file is then complete, but not where artifacts are kept: call ``keep`` once the
        session's end was recorded. What a crash leaves in between is found again at the next
        start. A disk that hangs is not waited for: the recording is then told to be
        incomplete, though it may still become whole.
        """
        if self._finishing is None:
            self._finishing = asyncio.create_task(
                self._studio.finished(self), name=f"finish-{self._session_id}"
            )
        await asyncio.wait([self._finishing], timeout=self._studio.settings.finish_seconds)
        if self._finishing.done():
            recorded = self._finishing.result()
        else:
            log.error("recording is not finished in time", session=self._session_id)
            recorded = Recorded(self.tape.path.name, incomplete=True)
        return None if recorded is None else _told(recorded)

    async def keep(self) -> None:
        """Puts the file where artifacts are kept, once the database has the session's end.

        To be run beside the calls: it takes as long as database and storage take. A file that
        cannot be put is found again at the next start.
        """
        if self._finishing is None:
            raise RuntimeError("a recording is kept once it is finished")
        try:
            recorded = await self._finishing
            if recorded is not None:
                await self._keep(recorded)
        except Exception:
            # Whatever a storage does, the session has ended.
            log.exception("recording is not kept yet", session=self._session_id)

    def hand_over(self) -> tuple[list[Piece], int]:
        """What came since the last time, and how many bytes it has."""
        handed = self._pieces, self._size
        self._pieces, self._size = [], 0
        return handed

    async def _keep(self, recorded: Recorded) -> None:
        artifacts = self._studio.artifacts
        if await self._registered(recorded) == "deleted":
            await asyncio.to_thread(self.tape.path.unlink)
            return
        await artifacts.put(self.tape.path, recorded.file)
        # Again: only who deletes the session from now on finds its audio to delete.
        if await self._registered(recorded) == "deleted":
            await artifacts.delete(recorded.file)

    async def _registered(self, recorded: Recorded) -> Known:
        """Whether the session is there; waits until the database has its end."""
        register = self._studio.settings.register
        if register is None:
            return "known"
        for pause in REGISTER_SECONDS:
            try:
                known = await register(self._session_id, _told(recorded))
            except Unreachable:
                known = "unknown"
            if known != "unknown":
                return known
            await asyncio.sleep(pause)
        raise TimeoutError("the session's end is not in the database")

    def _take(self, channel: Channel, raw: bytes, at_s: float) -> None:
        size = len(raw) + PIECE_BYTES
        studio = self._studio
        if self._finishing is not None:
            return
        if studio.waiting_bytes + size > studio.settings.most_waiting_bytes:
            self.dropped += 1
            return
        studio.waiting_bytes += size
        self._size += size
        self._pieces.append((channel, raw, at_s))


def _told(recorded: Recorded) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(recorded)
    return told


def _advance(batch: list[tuple[Tape, tuple[list[Piece], int]]], now: float) -> None:
    for tape, (pieces, _) in batch:
        tape.advance(pieces, now)
