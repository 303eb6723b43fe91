"""Several recognisers as one that goes on hearing when one of them fails."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from antiphon_providers.interfaces import HearingOptions, SpeechToText
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.resilience.candidates import Candidate, Candidates, Clock
from antiphon_providers.resilience.hearing import ResilientSpeechStream
from antiphon_providers.resilience.policy import Policy


class ResilientSpeechToText:
    """Hears with the preferred candidate as long as that one can.

    A stream that does not open within ``first_ms``, breaks off, gives garbage, does not answer a
    flush within ``first_ms`` (the last candidate: ``budget_ms``), or hears nothing in more than a
    second of speech, is replaced within the call: the next candidate hears again what was not
    answered (the last 30 s of it at most) and is asked the same flushes, so that each is answered
    once and in order. Between two segments a call goes back to a candidate that it prefers, once
    that one may be asked again. With ``warm_standby`` the next candidate's stream is open in
    advance.

    Where every one of several candidates is left alone by its breaker, a call waits for the first
    of them for ``budget_ms`` at most; the only one is always asked. ``ProviderError`` is raised
    only when all failed.
    """

    name = "resilient"

    def __init__(
        self,
        candidates: Sequence[Candidate[SpeechToText]],
        policy: Policy,
        observer: Observer = SILENT,
        clock: Clock = time.monotonic,
    ) -> None:
        self.candidates = Candidates(candidates, observer, clock)
        self._policy = policy
        self._streams: set[ResilientSpeechStream] = set()

    @property
    def observer(self) -> Observer:
        """Who is told; may be replaced."""
        return self.candidates.observer

    @observer.setter
    def observer(self, observer: Observer) -> None:
        self.candidates.observer = observer

    async def start(self) -> None:
        """Starts all candidates; see ``Candidates.start`` for what is raised."""
        await self.candidates.start()

    async def close(self) -> None:
        """Ends the streams, and closes all candidates."""
        for stream in self._streams:
            stream.shut()
        await self.candidates.close()

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[ResilientSpeechStream]:
        """A recogniser for one call. Raises ``ProviderError`` when no candidate opens."""
        stream = ResilientSpeechStream(self.candidates, self._policy, options)
        self._streams.add(stream)
        try:
            await stream.opened()
            yield stream
        finally:
            self._streams.discard(stream)
            await stream.leave()
