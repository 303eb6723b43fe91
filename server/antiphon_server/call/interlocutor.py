"""The one whom a caller speaks with, where one model hears and speaks: one of a call.

To the ears it is a recogniser; to a reply it is who answers. Where its conversation cannot be
opened, or breaks off again and again, the node's recogniser listens in its place, and replies are
the language model's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress

import structlog

from antiphon_providers.errors import SESSION_EXPIRED, ProviderError, Unavailable
from antiphon_providers.interfaces import (
    ConversationOptions,
    HearingOptions,
    Prompt,
    SpeechStream,
    SpeechToSpeech,
    SpeechToText,
    SpokenConversation,
    SpokenPiece,
    VoiceOptions,
)
from antiphon_server.call.writing import closing
from antiphon_server.observe import metrics

log = structlog.get_logger()

OPENING_SECONDS = 2.0
"""How long a reply waits for a conversation that is being opened, as at the start of a call."""
MOST_BROKEN = 3
"""Conversations of one call that may break off before the call is the recogniser's: as often as
ears open their recogniser again.
"""


class Interlocutor:
    """Is a ``SpeechToText``, of one call. ``voice`` is asked at each opening."""

    def __init__(
        self, model: SpeechToSpeech, spare: SpeechToText, voice: Callable[[], VoiceOptions]
    ) -> None:
        self.model = model
        self._spare = spare
        self._voice = voice
        self._listens: SpeechToSpeech | SpeechToText = model
        self._conversation: SpokenConversation | None = None
        self._settled = asyncio.Event()
        """Whether it is known if there is one; it is not while it is being opened."""
        self._turn = asyncio.Lock()
        self._chances = MOST_BROKEN

    @property
    def name(self) -> str:
        """Of who listens now."""
        return self._listens.name

    async def start(self) -> None:
        """Nothing: the providers are the node's."""

    async def close(self) -> None:
        """Nothing: the providers are the node's."""

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[SpeechStream]:
        """The conversation, or who listens in its place. Raises ``ProviderError``."""
        async with AsyncExitStack() as stack:
            self._settled.clear()
            try:
                conversation = self._conversation = await self._opened(options, stack)
            finally:
                self._settled.set()
            if conversation is None:
                self._listens = self._spare
                yield await stack.enter_async_context(self._spare.open(options))
                return
            self._listens = self.model
            self._turn = asyncio.Lock()
            try:
                yield conversation
            except ProviderError as failure:
                # Vendors end a conversation after an hour: that is no fault.
                if failure.provider_code != SESSION_EXPIRED:
                    self._chances = self._chances - 1 if failure.retryable else 0
                # Whatever it was, somebody can be opened again.
                raise Unavailable(failure.message, provider=self.model.name) from failure
            finally:
                self._conversation = None

    async def _opened(
        self, options: HearingOptions, stack: AsyncExitStack
    ) -> SpokenConversation | None:
        if not self._chances:
            return None
        asked = ConversationOptions(options, self._voice())
        try:
            return await stack.enter_async_context(self.model.open(asked))
        except ProviderError as failure:
            name = self.model.name
            metrics.PROVIDER_ERRORS.labels("speech_to_speech", name, failure.code).inc()
            log.warning("conversation cannot be opened", provider=name, error=failure.message)
            return None

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """The answer of the conversation that is open; one that is being given ends first.

        Raises ``ProviderError``, ``Unavailable`` where none is open or about to be.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(OPENING_SECONDS):
                await self._settled.wait()
        conversation = self._conversation
        if conversation is None:
            name = self.model.name
            raise Unavailable("there is no conversation with the model", provider=name)
        async with self._turn, aclosing(closing(conversation.reply(prompt))) as pieces:
            async for piece in pieces:
                yield piece
