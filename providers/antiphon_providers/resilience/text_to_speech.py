"""Several voices as one that goes on speaking when one of them fails."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from antiphon_providers.interfaces import Sound, TextToSpeech, VoiceOptions
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.resilience.candidates import Candidate, Candidates, Clock
from antiphon_providers.resilience.hedging import HedgeBudget
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.speaking import Speaking, Stage


class ResilientTextToSpeech:
    """Speaks with the preferred candidate as long as that one can.

    A voice fails when its first sound does not come within ``first_ms`` (the last candidate's:
    what is left of ``budget_ms``), when it pauses for longer than ``progress_ms`` although it
    has something to say, or when it gives no sound, only zeros, half samples, or far more than
    the text can take. The next one says what was not sounded yet, once and in order: of a
    sentence that broke off the words that were not said. A reply does not change its voice
    back; nor does a conversation (``VoiceOptions.conversation``). With ``hedge`` a second voice
    is asked for the first sentence when the first one is late.

    All PCM has the ``rate`` of the first candidate. ``ProviderError`` is raised when all failed,
    and at once where all are left alone by their breakers.
    """

    name = "resilient"

    def __init__(
        self,
        candidates: Sequence[Candidate[TextToSpeech]],
        policy: Policy,
        observer: Observer = SILENT,
        clock: Clock = time.monotonic,
    ) -> None:
        self.candidates = Candidates(candidates, observer, clock)
        self.rate = candidates[0].provider.rate
        self._stage = Stage(self.candidates, policy, self.rate, HedgeBudget(policy))
        self._closed = False

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
        """Closes all candidates; running speech ends."""
        self._closed = True
        await self.candidates.close()

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, in order. Raises ``ProviderError``."""
        speaking = Speaking(self._stage, options)
        async with aclosing(speaking.sounds(sentences)) as sounds:
            async for sound in sounds:
                if self._closed:
                    return
                yield sound
