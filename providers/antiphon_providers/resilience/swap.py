"""Providers that can be replaced by others while calls run.

Each looks like the provider that it holds. What is begun is ended with the old one: a reply,
its speech, a segment of what the caller says. The old one is closed when nobody uses it any
more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from typing import Any, Generic, TypeVar

from antiphon_providers.interfaces import (
    HearingOptions,
    LanguageModel,
    Piece,
    Prompt,
    Provider,
    Sound,
    SpeechToText,
    TextToSpeech,
    VoiceOptions,
)
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.resilience.resampling import Resampling
from antiphon_providers.resilience.swapped_hearing import SwappableSpeechStream

P = TypeVar("P", bound=Provider)
T = TypeVar("T")


class Swappable(Generic[P]):
    """Holds one provider at a time.

    ``owns`` tells whether providers are started when they come and closed when they have gone;
    without it whoever brings them does that (because other calls use them, too).
    """

    def __init__(self, provider: P, *, owns: bool = True) -> None:
        self.current = provider
        self._owns = owns
        self._observer: Observer = SILENT
        self._uses: Counter[P] = Counter()
        self._old: set[P] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._swapping = asyncio.Lock()

    @property
    def name(self) -> str:
        """That of the provider which new work goes to."""
        return self.current.name

    @property
    def observer(self) -> Observer:
        """Who is told; given to each provider that wants one."""
        return self._observer

    @observer.setter
    def observer(self, observer: Observer) -> None:
        self._observer = observer
        self._introduce(self.current)

    async def start(self) -> None:
        """Starts the first provider. Raises ``ProviderError``."""
        if self._owns:
            await self.current.start()

    async def prepare(self, provider: P) -> None:
        """Starts one that ``swap`` will be given; whoever does not give it closes it.

        Raises ``ProviderError`` when it cannot be started; it is closed then.
        """
        self._introduce(provider)
        if self._owns:
            await self._start(provider)

    async def swap(self, provider: P, *, prepared: bool = False) -> None:
        """New work goes to this one from now on.

        Raises ``ProviderError`` when it cannot be started; all stays as it was then. One that is
        ``prepared`` is not started again.
        """
        async with self._swapping:
            if provider is self.current:
                return
            if not prepared:
                await self.prepare(provider)
            old, self.current = self.current, provider
            self._old.discard(provider)
            self._old.add(old)
            self._close_if_unused(old)
        self._swapped()

    async def close(self) -> None:
        """Closes the provider, and those that are still in use."""
        if self._owns:
            left = [self.current, *self._old]
            self._old.clear()
            await asyncio.gather(*(provider.close() for provider in left))
            if self._closing:
                await asyncio.wait(self._closing)

    def enter(self) -> P:
        """The provider for new work; ``leave`` must follow."""
        self._uses[self.current] += 1
        return self.current

    def leave(self, provider: P) -> None:
        """The work is done."""
        self._uses[provider] -= 1
        self._close_if_unused(provider)

    @contextmanager
    def used(self) -> Iterator[P]:
        """The provider, for as long as the block runs."""
        provider = self.enter()
        try:
            yield provider
        finally:
            self.leave(provider)

    def _swapped(self) -> None:
        """There is another provider; whoever has open streams may move them."""

    async def _start(self, provider: P) -> None:
        try:
            await provider.start()
        except BaseException:
            # What it had loaded by then is given back; how that fails is of no interest.
            with suppress(Exception):
                await provider.close()
            raise

    def _introduce(self, provider: Any) -> None:
        if hasattr(provider, "observer") and self._observer is not SILENT:
            provider.observer = self._observer

    def _close_if_unused(self, provider: P) -> None:
        if self._uses[provider] <= 0:
            del self._uses[provider]
            if provider in self._old:
                self._old.discard(provider)
                if self._owns:
                    closing = asyncio.create_task(provider.close(), name="close-swapped")
                    self._closing.add(closing)
                    closing.add_done_callback(self._closed)

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled():
            # Nobody needs it any more, nor how it went.
            closing.exception()


class SwappableLanguageModel(Swappable[LanguageModel]):
    """A reply is ended by the model that began it."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The reply as it is written. Raises ``ProviderError``."""
        with self.used() as model:
            async with aclosing(_closable(model.reply(prompt))) as pieces:
                async for piece in pieces:
                    yield piece


class SwappableTextToSpeech(Swappable[TextToSpeech]):
    """A reply is spoken to its end by the voice that began it.

    ``rate`` is that of the first voice; others are brought to it.
    """

    def __init__(self, provider: TextToSpeech, *, owns: bool = True) -> None:
        super().__init__(provider, owns=owns)
        self.rate = provider.rate

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, in order. Raises ``ProviderError``."""
        with self.used() as voice:
            resampling = Resampling(voice.rate, self.rate)
            async with aclosing(_closable(voice.speak(sentences, options))) as sounds:
                async for sound in sounds:
                    pcm = resampling.feed(sound.pcm)
                    if sound.ends:
                        pcm += resampling.finish()
                        resampling = Resampling(voice.rate, self.rate)
                    yield Sound(pcm, sound.sentence, sound.ends, sound.words)


class SwappableSpeechToText(Swappable[SpeechToText]):
    """A call changes its recogniser between two segments, when nothing waits for an answer."""

    def __init__(self, provider: SpeechToText, *, owns: bool = True) -> None:
        super().__init__(provider, owns=owns)
        self._moves: set[Callable[[], None]] = set()

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[SwappableSpeechStream]:
        """A recogniser for one call. Raises ``ProviderError``."""
        stream = SwappableSpeechStream(self, options)
        self._moves.add(stream.move)
        try:
            await stream.opened()
            yield stream
        finally:
            self._moves.discard(stream.move)
            await stream.leave()

    def _swapped(self) -> None:
        for move in list(self._moves):
            move()


async def _closable(stream: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The stream, as one that can be closed whatever it is made of."""
    try:
        async for item in stream:
            yield item
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
