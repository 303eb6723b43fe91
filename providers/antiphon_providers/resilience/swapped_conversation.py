"""Models that hear and speak, which can be replaced by others while calls run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import cast

from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import (
    ConversationOptions,
    HearingOptions,
    Prompt,
    Recognised,
    SpeechToSpeech,
    SpokenConversation,
    SpokenPiece,
)
from antiphon_providers.resilience.attempt import closing
from antiphon_providers.resilience.resampling import Resampling
from antiphon_providers.resilience.speech_to_speech import resampled
from antiphon_providers.resilience.swap import Swappable
from antiphon_providers.resilience.swapped_hearing import SwappableSpeechStream


class SwappableSpeechToSpeech(Swappable[SpeechToSpeech]):
    """A call changes its model between two turns: who heard the speaker answers them.

    ``rate`` is that of the first model; others are brought to it.
    """

    def __init__(self, provider: SpeechToSpeech, *, owns: bool = True) -> None:
        super().__init__(provider, owns=owns)
        self.rate = provider.rate
        self._moves: set[Callable[[], None]] = set()

    @asynccontextmanager
    async def open(self, options: ConversationOptions) -> AsyncIterator[SwappableConversation]:
        """A conversation for one call. Raises ``ProviderError``."""
        conversation = SwappableConversation(_Models(self, options), options, self.rate)
        self._moves.add(conversation.move)
        try:
            await conversation.opened()
            yield conversation
        finally:
            self._moves.discard(conversation.move)
            await conversation.leave()

    def _swapped(self) -> None:
        for move in list(self._moves):
            move()


class _Model:
    """One model as a recogniser, for one call."""

    def __init__(self, provider: SpeechToSpeech, options: ConversationOptions) -> None:
        self.provider = provider
        self.name = provider.name
        self._options = options

    async def start(self) -> None:
        """Its owner starts it."""

    async def close(self) -> None:
        """Its owner closes it."""

    def open(self, _options: HearingOptions) -> AbstractAsyncContextManager[SpokenConversation]:
        return self.provider.open(self._options)


class _Models:
    """Who hears and speaks now, as the recognisers of one call."""

    def __init__(self, owner: Swappable[SpeechToSpeech], options: ConversationOptions) -> None:
        self._owner = owner
        self._options = options
        self._known: dict[SpeechToSpeech, _Model] = {}

    @property
    def current(self) -> _Model:
        return self._of(self._owner.current)

    def enter(self) -> _Model:
        return self._of(self._owner.enter())

    def leave(self, provider: object) -> None:
        if isinstance(provider, _Model):
            self._owner.leave(provider.provider)

    def _of(self, provider: SpeechToSpeech) -> _Model:
        return self._known.setdefault(provider, _Model(provider, self._options))


class SwappableConversation:
    """Hears and speaks with one model, and after ``move`` with another as soon as nothing is
    pending: no words that were not told yet, no answer that is owed or being given.
    """

    def __init__(self, models: _Models, options: ConversationOptions, rate: int) -> None:
        self._rate = rate
        self._name = models.current.name
        self._answers = _Answers()
        self._stream = SwappableSpeechStream(models, options.hearing, self._answers)

    def feed(self, pcm: bytes) -> None:
        """Takes speech."""
        self._stream.feed(pcm)

    def flush(self) -> None:
        """Asks for the final words."""
        self._stream.flush()

    def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the conversation is closed. Raises ``ProviderError``."""
        return aiter(self._stream)

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """The answer of the model that heard. Raises ``ProviderError``."""
        current = self._stream.current
        if current is None:
            raise Unavailable("there is no conversation with the model", provider=self._name)
        model, conversation = cast("tuple[_Model, SpokenConversation]", current)
        resampling = Resampling(model.provider.rate, self._rate)
        self._answers.running += 1
        try:
            async with aclosing(closing(conversation.reply(prompt))) as pieces:
                async for piece in pieces:
                    yield resampled(piece, resampling)
        finally:
            self._answers.running -= 1
            self._answers.owed = False
            self._stream.settle()

    async def opened(self) -> None:
        """Returns when somebody hears. Raises ``ProviderError``."""
        await self._stream.opened()

    def move(self) -> None:
        """There may be another model: it is opened, and takes over as soon as may be."""
        self._stream.move()

    async def leave(self) -> None:
        """Ends it, and returns when all conversations are left."""
        await self._stream.leave()


class _Answers:
    """What the speaker waits for. Words are owed an answer until one was given, or tried."""

    def __init__(self) -> None:
        self.running = 0
        self.owed = False

    def heard(self, result: Recognised) -> None:
        if result.flushed and result.text.strip():
            self.owed = True

    def are_over(self) -> bool:
        return not self.running and not self.owed
