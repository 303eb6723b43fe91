"""The sentences of one reply, taken from their writer once, for as many voices as it needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator


class Script:
    """Sentences by number. The writer is asked for one only when somebody wants it, and goes on
    when whoever waited for it is cancelled.
    """

    def __init__(self, sentences: AsyncIterator[str]) -> None:
        self.failure: Exception | None = None
        """What the writer raised; there is no more after it."""
        self._sentences = sentences
        self._taken: list[str] = []
        self._over = False
        self._taking: asyncio.Task[None] | None = None

    async def get(self, number: int) -> str | None:
        """The sentence, once it is written; None when there are not so many. Raises what the
        writer raised.
        """
        while number >= len(self._taken) and not self._over:
            if self._taking is None:
                self._taking = asyncio.create_task(self._take(), name="take-sentence")
            await asyncio.shield(self._taking)
        if number < len(self._taken):
            return self._taken[number]
        if self.failure is not None:
            raise self.failure
        return None

    async def close(self) -> None:
        """Stops the writer, if it is at work."""
        self._over = True
        if self._taking is not None:
            self._taking.cancel()
            await asyncio.wait({self._taking})

    async def _take(self) -> None:
        try:
            self._taken.append(await anext(self._sentences))
        except StopAsyncIteration:
            self._over = True
        except Exception as failure:  # noqa: BLE001 - raised by ``get``
            self.failure, self._over = failure, True
        finally:
            self._taking = None
