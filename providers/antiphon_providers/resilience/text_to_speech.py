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
    back; nor does a conversation, for a caller who gave its name (``in_conversation``). With
    ``hedge`` a second voice is asked for the first sentence when the first one is late.

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

    def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, in order. Raises ``ProviderError``."""
        return self.speak_in("", sentences, options)

    async def speak_in(
        self, conversation: str, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """As ``speak``, with the voice that the conversation had last."""
        speaking = Speaking(self._stage, conversation, options)
        async with aclosing(speaking.sounds(sentences)) as sounds:
            async for sound in sounds:
                if self._closed:
                    return
                yield sound

    def in_conversation(self, conversation: str) -> VoiceInConversation:
        """The same voice for one conversation, whose replies stay with who spoke last."""
        return VoiceInConversation(self, conversation)


class VoiceInConversation:
    """A ``TextToSpeech`` for one conversation; the candidates are started and closed with their
    owner, not with it.
    """

    def __init__(self, owner: ResilientTextToSpeech, conversation: str) -> None:
        self.name = owner.name
        self.rate = owner.rate
        self._owner = owner
        self._conversation = conversation

    async def start(self) -> None:
        """Its owner is started already."""

    async def close(self) -> None:
        """The conversation is over."""
        self._owner.candidates.forget(self._conversation)

    def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, in order. Raises ``ProviderError``."""
        return self._owner.speak_in(self._conversation, sentences, options)
