"""One candidate's reply, written in a task of its own until somebody wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import aclosing
from typing import TypeVar

from antiphon_providers.errors import Malformed, ProviderError, TooSlow
from antiphon_providers.interfaces import LanguageModel, Piece, Prompt, Said, Used
from antiphon_providers.resilience.breaker import Permit
from antiphon_providers.resilience.candidates import Candidate, Clock, failure_of

T = TypeVar("T")

_AHEAD = 64
"""Pieces that are written before they are wanted; an endless stream waits there."""
_GRACE_S = 1.0
"""How long a cancelled attempt is waited for; those that keep to the contract take 20 ms."""

_ending: set[asyncio.Task[None]] = set()
"""Cancelled and not yet gone: the loop itself would let go of them."""


class Attempt:
    """A reply being written. ``wake`` is called when it got useful or came to its end.

    The provider's generator lives and dies in one task, so that it may hold timeouts and task
    groups between its pieces.
    """

    def __init__(
        self,
        candidate: Candidate[LanguageModel],
        permit: Permit,
        prompt: Prompt,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self.candidate = candidate
        self.permit = permit
        self.since = asyncio.get_running_loop().time()
        self.useful_after: float | None = None
        """Seconds to the first useful piece."""
        self.complete_after: float | None = None
        """Seconds to its end, however late that is read."""
        self.failure: ProviderError | None = None
        self._clock = clock
        self._asked = clock()
        self._wake = wake
        self._pieces: asyncio.Queue[Piece | None] = asyncio.Queue(_AHEAD)
        self._cancelled = False
        self._task = asyncio.create_task(self._write(prompt), name=f"ask {candidate.name}")

    @property
    def seconds(self) -> float:
        """How long ago it was asked."""
        return self._clock() - self._asked

    async def _write(self, prompt: Prompt) -> None:
        try:
            reply = self.candidate.provider.reply(prompt)
            async with aclosing(closing(reply)) as pieces:
                async for piece in pieces:
                    if self._cancelled:
                        return
                    await self._take(piece)
        except Exception as error:  # noqa: BLE001 - a candidate's defect is its own failure only
            self.failure = failure_of(error, self.candidate)
        else:
            if self.useful_after is None:
                name = self.candidate.name
                self.failure = Malformed(f"{name} said nothing", provider=name)
        self.complete_after = self.seconds
        if not self._cancelled:
            self._wake()
            await self._pieces.put(None)

    async def _take(self, piece: Piece) -> None:
        await self._pieces.put(piece)
        if self.useful_after is None and is_useful(piece):
            self.useful_after = self.seconds
            self._wake()

    async def pieces(self, progress_s: float) -> AsyncGenerator[Piece, None]:
        """The reply. Raises its failure, and ``TooSlow`` where it makes no progress for so long.

        The time that the reader takes does not count.
        """
        left = progress_s
        while True:
            began = self._clock()
            try:
                async with asyncio.timeout(left):
                    piece = await self._pieces.get()
            except TimeoutError:
                raise TooSlow(
                    f"{self.candidate.name} stopped for {progress_s:g} s",
                    provider=self.candidate.name,
                ) from None
            if piece is None:
                break
            left = progress_s if is_useful(piece) else left - (self._clock() - began)
            yield piece
        if self.failure is not None:
            raise self.failure

    def cancel(self) -> None:
        """Stops it; ``gone`` waits until it has."""
        self._cancelled = True
        if not self._task.done():
            self._task.cancel()
            _ending.add(self._task)
            self._task.add_done_callback(_ending.discard)

    @staticmethod
    async def gone(attempts: Collection[Attempt]) -> None:
        """Returns when these, cancelled or done, have released what they held."""
        tasks = [attempt._task for attempt in attempts if not attempt._task.done()]  # noqa: SLF001
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE_S)


def is_useful(piece: Piece) -> bool:
    """Whether a piece brings the reply forward: white space and prices do not."""
    if isinstance(piece, Said):
        return bool(piece.text) and not piece.text.isspace()
    return isinstance(piece, Used)


async def closing(stream: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The stream, as one that can be closed whatever it is made of."""
    try:
        async for item in stream:
            yield item
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
