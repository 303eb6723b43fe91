"""Models that hear and speak, as one: watched, left alone where they fail, in order.

A call has the first one that opens a conversation for it, and keeps it: what was heard cannot be
heard again by another. Who fails is not waited for by every call anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from antiphon_providers.errors import Malformed, ProviderError, TooSlow
from antiphon_providers.interfaces import (
    ConversationOptions,
    Prompt,
    Recognised,
    Sound,
    SpeechToSpeech,
    SpokenConversation,
    SpokenPiece,
    Used,
)
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.resilience.attempt import closing
from antiphon_providers.resilience.candidates import Candidate, Candidates, Clock, failure_of
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.resampling import Resampling

OPEN_S = 3.0
"""A call hears nothing until somebody is open for it."""


class ResilientSpeechToSpeech:
    """An ordered list of models. ``rate`` is that of the first; others are brought to it."""

    def __init__(
        self,
        candidates: Sequence[Candidate[SpeechToSpeech]],
        _policy: Policy,
        observer: Observer = SILENT,
        clock: Clock = time.monotonic,
    ) -> None:
        self.name = "resilient"
        self._candidates = Candidates(candidates, observer, clock)
        self.rate = candidates[0].provider.rate

    @property
    def observer(self) -> Observer:
        """Who is told."""
        return self._candidates.observer

    @observer.setter
    def observer(self, observer: Observer) -> None:
        self._candidates.observer = observer

    async def start(self) -> None:
        """As ``Candidates.start``."""
        await self._candidates.start()

    async def close(self) -> None:
        """As ``Candidates.close``."""
        await self._candidates.close()

    @asynccontextmanager
    async def open(self, options: ConversationOptions) -> AsyncIterator[SpokenConversation]:
        """The conversation of the first that opens one, each within ``OPEN_S``.

        Raises the last one's ``ProviderError``; ``Unavailable`` at once where all are left
        alone.
        """
        failure: ProviderError | None = None
        for candidate in self._candidates:
            async with AsyncExitStack() as stack:
                try:
                    conversation = await self._opened(candidate, options, stack)
                except ProviderError as failed:
                    failure = failed
                    continue
                if conversation is not None:
                    yield conversation
                    return
        raise failure or self._candidates.nobody("model that hears and speaks")

    async def _opened(
        self,
        candidate: Candidate[SpeechToSpeech],
        options: ConversationOptions,
        stack: AsyncExitStack,
    ) -> SpokenConversation | None:
        permit = self._candidates.enter(candidate)
        if permit is None:
            return None
        try:
            async with asyncio.timeout(OPEN_S):
                opening = candidate.provider.open(options)
                conversation = await stack.enter_async_context(opening)
        except Exception as error:
            late = isinstance(error, TimeoutError)
            told = f"{candidate.name} did not open a conversation in time"
            failure = TooSlow(told, provider=candidate.name) if late else error
            failed = failure_of(failure, candidate)
            self._candidates.failed(candidate, permit, failed)
            raise failed from error
        except BaseException:
            self._candidates.abandoned(candidate, permit)
            raise
        self._candidates.served(candidate, permit)
        return _Watched(conversation, candidate, self._candidates, self.rate)


class _Watched:
    """A conversation whose replies are measured."""

    def __init__(
        self,
        conversation: SpokenConversation,
        candidate: Candidate[SpeechToSpeech],
        candidates: Candidates[SpeechToSpeech],
        rate: int,
    ) -> None:
        self._conversation = conversation
        self._candidate = candidate
        self._candidates = candidates
        self._rate = rate

    def feed(self, pcm: bytes) -> None:
        """Takes speech."""
        self._conversation.feed(pcm)

    def flush(self) -> None:
        """Asks for the final words."""
        self._conversation.flush()

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order. Raises ``ProviderError``."""
        try:
            async for result in self._conversation:
                yield result
        except ProviderError as failure:
            self._candidates.report_failure(self._candidate, failure)
            raise

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """The answer. Raises ``ProviderError``."""
        candidates, candidate = self._candidates, self._candidate
        permit = candidates.enter(candidate)
        asked, begun = candidates.clock(), False
        resampling = Resampling(candidate.provider.rate, self._rate)
        try:
            async with aclosing(_heard(self._conversation.reply(prompt), candidate)) as pieces:
                async for piece in pieces:
                    if not begun and _is_heard(piece):
                        begun = True
                        candidates.began(candidate, candidates.clock() - asked)
                    yield resampled(piece, resampling)
        except Exception as error:
            failure = failure_of(error, candidate)
            if permit is None:
                candidates.report_failure(candidate, failure)
            else:
                candidates.failed(candidate, permit, failure)
            raise failure from error
        except BaseException:
            if permit is not None:
                (candidates.served if begun else candidates.abandoned)(candidate, permit)
            raise
        if permit is not None:
            candidates.succeeded(candidate, permit, candidates.clock() - asked)


async def _heard(
    reply: AsyncIterator[SpokenPiece], candidate: Candidate[SpeechToSpeech]
) -> AsyncGenerator[SpokenPiece, None]:
    """The reply. Raises ``Malformed`` at the end of one that nobody can hear."""
    heard = False
    async with aclosing(closing(reply)) as pieces:
        async for piece in pieces:
            heard = heard or _is_heard(piece)
            yield piece
    if not heard:
        raise Malformed(f"{candidate.name} made no sound", provider=candidate.name)


def _is_heard(piece: SpokenPiece) -> bool:
    return bool(piece.pcm) if isinstance(piece, Sound) else isinstance(piece, Used)


def resampled(piece: SpokenPiece, resampling: Resampling) -> SpokenPiece:
    """The piece at another rate, if it is sound."""
    if not isinstance(piece, Sound):
        return piece
    pcm = resampling.feed(piece.pcm)
    if piece.ends:
        pcm += resampling.finish()
    return Sound(pcm, piece.sentence, piece.ends, piece.words)
