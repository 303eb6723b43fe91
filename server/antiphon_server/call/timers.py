"""The waits the conversation asks for, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Timers:
    """Runs timers on the event loop; ``over`` is called with a timer's name and the seconds by
    which it was late, once, unless it was stopped.
    """

    def __init__(self, clock: Callable[[], float], over: Callable[[str, float], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._over = over
        self._running: dict[str, asyncio.TimerHandle] = {}

    def start(self, name: str, ms: int) -> None:
        """Runs a timer; replaces a running one of that name."""
        self.stop(name)
        due = self._clock() + ms / 1000
        self._running[name] = self._loop.call_later(ms / 1000, self._expired, name, due)

    def stop(self, name: str) -> None:
        """Stops a timer; one that does not run is ignored."""
        running = self._running.pop(name, None)
        if running is not None:
            running.cancel()

    def stop_all(self) -> None:
        """Stops every timer."""
        for name in list(self._running):
            self.stop(name)

    def _expired(self, name: str, due: float) -> None:
        del self._running[name]
        self._over(name, self._clock() - due)
