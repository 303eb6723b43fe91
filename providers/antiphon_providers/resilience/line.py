"""One recogniser's stream for one call, held by a task of its own.

A stream must be left by the task that entered it; a call that changes its recogniser enters
one stream while it is still in another, so each has its own task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from antiphon_providers.errors import Malformed, TooSlow, Unavailable
from antiphon_providers.interfaces import (
    HearingOptions,
    Recognised,
    SpeechStream,
    SpeechToText,
)


class LineDoors(Struct, frozen=True):
    """Who is told what happens on a line; called on the event loop, must not block."""

    opened: Callable[[Line], None]
    recognised: Callable[[Line, Recognised], None]
    broke: Callable[[Line, Exception], None]
    """Told at most once; nothing more is told of the line after it."""


class Line:
    """An open, or opening, stream. ``stream`` is None until it is open.

    ``open_s`` is how many seconds that may take; None: as many as the provider wants.
    """

    def __init__(
        self,
        provider: SpeechToText,
        options: HearingOptions,
        open_s: float | None,
        doors: LineDoors,
    ) -> None:
        self.stream: SpeechStream | None = None
        self.is_closed = False
        self._provider = provider
        self._doors = doors
        self.task = asyncio.create_task(self._run(options, open_s), name=f"hear-{provider.name}")

    def feed(self, pcm: bytes) -> None:
        """Gives audio to the stream, if it is open."""
        if self.stream is not None and not self.is_closed:
            try:
                self.stream.feed(pcm)
            except Exception as error:  # noqa: BLE001 - a candidate's defect is its failure
                self.fail(error)

    def flush(self) -> None:
        """Asks the stream for its final words, if it is open."""
        if self.stream is not None and not self.is_closed:
            try:
                self.stream.flush()
            except Exception as error:  # noqa: BLE001 - a candidate's defect is its failure
                self.fail(error)

    def fail(self, error: Exception) -> None:
        """The line counts as broken, for a reason that its user noticed."""
        if not self.is_closed:
            self.close()
            self._doors.broke(self, error)

    def close(self) -> None:
        """Nothing more is told; ``task`` ends as soon as the stream is left."""
        self.is_closed = True
        self.task.cancel()

    async def _run(self, options: HearingOptions, open_s: float | None) -> None:
        name = self._provider.name
        try:
            async with asyncio.timeout(open_s) as patience:
                async with self._provider.open(options) as stream:
                    patience.reschedule(None)
                    await self._listen(stream)
            error: Exception = Unavailable("the recogniser ended", provider=name)
        except TimeoutError as late:
            slow = TooSlow("the recogniser did not open in time", provider=name)
            error = slow if patience.expired() else late
        except Exception as defect:  # noqa: BLE001 - whatever it was, another may hear
            error = defect
        if not self.is_closed:
            self.is_closed = True
            self._doors.broke(self, error)

    async def _listen(self, stream: SpeechStream) -> None:
        self.stream = stream
        if self.is_closed:
            return
        self._doors.opened(self)
        async for result in stream:
            if self.is_closed:
                return
            if not _is_result(result):
                raise Malformed("the recogniser gave no words", provider=self._provider.name)
            self._doors.recognised(self, result)


def _is_result(result: Any) -> bool:
    return isinstance(result, Recognised) and isinstance(result.text, str)
