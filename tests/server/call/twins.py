"""Twins of what a session reaches outside itself: the recorder, and tools that have an address."""

from __future__ import annotations

import asyncio
from errno import ENOSPC
from os import strerror
from pathlib import Path
from typing import Any, TypeVar

from antiphon_protocol.session_config import HttpTool, SessionConfig, Tool
from antiphon_server.call.http_tools import HttpTarget, HttpTools, ToolOutcome
from antiphon_server.call.journal import JournalFile
from antiphon_server.call.records import AnyRecord, Record, Used
from antiphon_server.dialects.voice_agent import Bound
from antiphon_server.security.outbound import OutboundGuard

R = TypeVar("R", bound=Record)

TARGET = HttpTarget("https://tools.example/look-up")


def bound(**tool: Any) -> Bound:
    """A stored agent with one tool, which has an address."""
    config = SessionConfig("", tools=(Tool("look_up", http=HttpTool(TARGET.url), **tool),))
    return Bound(config, {"look_up": TARGET}, None)


class RecorderTwin:
    """Keeps records in memory; each is durable at once, or when the test says so."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.at_once = at_once
        self.taken: list[tuple[str, AnyRecord]] = []
        self.waiting: list[asyncio.Future[None]] = []
        """What is not durable yet."""
        self._news = asyncio.Event()

    def record(self, session_id: str, record: AnyRecord) -> asyncio.Future[None]:
        """Takes a record."""
        self.taken.append((session_id, record))
        self._news.set()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.at_once:
            future.set_result(None)
        else:
            self.waiting.append(future)
        return future

    async def until(self, kind: type[Record]) -> None:
        """Returns once there is a record of that kind."""
        while not self.of(kind):
            self._news.clear()
            await self._news.wait()

    def settle(self) -> None:
        """Everything that was taken so far is durable."""
        for future in self.waiting:
            future.set_result(None)
        self.waiting.clear()

    def fail(self) -> None:
        """Nothing that was taken so far will ever be durable."""
        for future in self.waiting:
            future.set_exception(OSError("no space left on device"))
        self.waiting.clear()

    @property
    def records(self) -> list[AnyRecord]:
        """All of them, of whatever session."""
        return [record for _, record in self.taken]

    def of(self, kind: type[R]) -> list[R]:
        """Those of a kind."""
        return [record for record in self.records if isinstance(record, kind)]

    @property
    def kinds(self) -> list[str]:
        """The tags of all but what was used, in order."""
        used = [record for record in self.records if not isinstance(record, Used)]
        return [str(record.__struct_config__.tag) for record in used]

    @property
    def connected_seconds(self) -> float:
        """What all records of use add up to."""
        return sum(used.connected_seconds for used in self.of(Used))


class HttpToolsTwin(HttpTools):
    """Answers what it was told to answer, after ``seconds``; remembers what was asked."""

    def __init__(self, *outcomes: ToolOutcome, seconds: float = 0.0) -> None:
        super().__init__(OutboundGuard(()))
        self._outcomes = list(outcomes)
        self._seconds = seconds
        self.asked: list[tuple[HttpTarget, dict[str, Any], float]] = []
        self.cancelled = 0

    async def run(
        self, target: HttpTarget, arguments: dict[str, Any], timeout_s: float = 10.0
    ) -> ToolOutcome:
        """As the real ones, which raise nothing and keep within ``timeout_s``."""
        self.asked.append((target, arguments, timeout_s))
        try:
            await asyncio.sleep(min(self._seconds, timeout_s))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self._seconds > timeout_s:
            return ToolOutcome("The tool did not answer in time.", is_error=True)
        return self._outcomes.pop(0) if self._outcomes else ToolOutcome("done")


class PageTwin(JournalFile):
    """A journal's lines in memory, of which there is room for ``room``."""

    def __init__(self, room: int = 1_000) -> None:
        super().__init__(Path())
        self._room = room
        self.lines: list[bytes] = []
        self.is_closed = False

    def write(self, line: bytes) -> None:
        """One line. Raises ``OSError`` where there is no room."""
        if len(self.lines) == self._room:
            raise OSError(ENOSPC, strerror(ENOSPC))
        self.lines.append(line)

    def close(self) -> None:
        """No more lines."""
        self.is_closed = True
