"""One voice at work on a reply, in a task of its own.

A provider's generator lives and dies in one task, so that it may hold timeouts and task groups
between its sounds; and whoever waits for another voice need not wait until it is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing

from antiphon_providers.interfaces import Sound, TextToSpeech, VoiceOptions
from antiphon_providers.resilience.breaker import Permit
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.recital import Recital
from antiphon_providers.resilience.script import Script

Voice = Candidate[TextToSpeech]

_GRACE_S = 1.0
"""How long a cancelled voice is waited for; those that keep to the contract take 20 ms."""

_ending: set[asyncio.Task[None]] = set()
"""Cancelled and not yet gone: the loop itself would let go of them."""


class Performance:
    """A recital, and the leave for it. ``begin`` must follow, ``cancel`` may at any time."""

    def __init__(self, candidate: Voice, permit: Permit, recital: Recital) -> None:
        self.candidate = candidate
        self.permit: Permit | None = permit
        """None as soon as it is given back."""
        self.recital = recital
        self.failure: Exception | None = None
        self.decided = asyncio.Event()
        """Set when it gave a sound, or is over."""
        self._sounds: asyncio.Queue[Sound | None] = asyncio.Queue(1)
        self._task: asyncio.Task[None] | None = None

    def begin(self, script: Script, options: VoiceOptions) -> None:
        """The voice goes to work."""
        work = self._perform(script, options)
        self._task = asyncio.create_task(work, name=f"speak-{self.candidate.name}")

    async def sounds(self) -> AsyncGenerator[Sound, None]:
        """What it says; then its failure is raised, if it failed."""
        while (sound := await self._sounds.get()) is not None:
            yield sound
        if self.failure is not None:
            raise self.failure

    def cancel(self) -> None:
        """Stops it; ``gone`` waits until it has."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            _ending.add(self._task)
            self._task.add_done_callback(_ending.discard)

    @staticmethod
    async def gone(performances: Collection[Performance]) -> None:
        """Returns when these, cancelled or done, have released what they held."""
        tasks = [one._task for one in performances if one._task is not None]  # noqa: SLF001
        left = [task for task in tasks if not task.done()]
        if left:
            await asyncio.wait(left, timeout=_GRACE_S)

    async def _perform(self, script: Script, options: VoiceOptions) -> None:
        try:
            async with aclosing(self.recital.sounds(script, options)) as sounds:
                async for sound in sounds:
                    self.decided.set()
                    await self._sounds.put(sound)
        except Exception as failure:  # noqa: BLE001 - raised by ``sounds``
            self.failure = failure
        self.decided.set()
        await self._sounds.put(None)
