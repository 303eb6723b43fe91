"""The words of one reply: what a model writes, cut into pieces worth speaking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

import msgspec
from msgspec import Struct

from antiphon_providers.errors import Malformed, TooSlow
from antiphon_providers.interfaces import (
    Chosen,
    LanguageModel,
    Piece,
    Prompt,
    Said,
    Spent,
    ToolUse,
    Used,
)
from antiphon_server.call.patience import Patience
from antiphon_server.call.timeline import ReplyClock
from antiphon_server.conversation.sentences import Sentences

T = TypeVar("T")

MOST_CHARACTERS = 4_000
"""How much it may write: about five minutes of speech."""


class Courtesy(Struct, frozen=True):
    """What is said so that a caller is not left in silence; nothing where the text is empty."""

    filler: str = ""
    """While the model is slow to begin."""
    filler_ms: int = 2_500
    apology: str = ""
    """When the model failed."""


class WritingDoors(Struct, frozen=True):
    """How what is written reaches the rest of a reply."""

    now: Callable[[], float]
    give: Callable[[str], None]
    """Takes the next piece worth speaking."""
    use: Callable[[ToolUse], None]
    """Takes a call of a tool."""


class Writing:
    """One reply's words. Cancelling ``answer`` is how the model stops."""

    def __init__(self, model: LanguageModel, clock: ReplyClock, doors: WritingDoors) -> None:
        self.spent = Spent(0, 0)
        self._model = model
        self._clock = clock
        self._doors = doors
        self._sentences = Sentences()
        self._characters = 0
        self._useful = False
        """Whether there is something to speak, or a tool was called."""
        self._filler: asyncio.TimerHandle | None = None
        self._patience = Patience(self._hurry)

    def say(self, text: str) -> None:
        """These words, to the letter."""
        self._give([*self._sentences.feed(text), *self._sentences.finish()])

    def apologise(self, apology: str) -> None:
        """Instead of what is missing; a sentence that was begun is left as it is."""
        self._give([*self._sentences.finish(), apology])

    async def answer(self, prompt: Prompt, courtesy: Courtesy) -> None:
        """What the model says to ``prompt``. Raises ``ProviderError``."""
        loop = asyncio.get_running_loop()
        if courtesy.filler:
            self._filler = loop.call_later(
                courtesy.filler_ms / 1000, self._doors.give, courtesy.filler
            )
        try:
            await self._ask(prompt)
        except TimeoutError:
            name = self._model.name
            raise TooSlow("the language model stopped writing", provider=name) from None
        finally:
            self._begun()
            self._patience.end()
        self._give(self._sentences.finish())
        if not self._useful:
            raise Malformed("the language model said nothing", provider=self._model.name)
        self._clock.written = self._doors.now()

    async def _ask(self, prompt: Prompt) -> None:
        self._clock.prompted = self._doors.now()
        stream = aclosing(closing(self._model.reply(prompt)))
        async with stream as pieces, self._patience.deadline:
            self._patience.ask()
            async for piece in pieces:
                self._patience.progress()
                self._take(piece)
                if self._characters > MOST_CHARACTERS:
                    break

    def _take(self, piece: Piece) -> None:
        match piece:
            case Said(text):
                self._first_token()
                if not self._useful and not text.isspace():
                    self._patience.begin()
                self._characters += len(text)
                self._write(well_formed(text))
            case Used(use):
                self._first_token()
                self._doors.use(checked(use, self._model.name))
                self._useful = True
                self._patience.speak()
            case Spent():
                self.spent = added(self.spent, piece)
            case Chosen():
                self._clock.chosen = piece

    def _first_token(self) -> None:
        self._begun()
        if self._clock.first_token is None:
            self._clock.first_token = self._doors.now()

    def _write(self, text: str) -> None:
        pieces = self._sentences.feed(text)
        if not pieces and self._patience.is_over:
            pieces = self._sentences.hurry()
        self._speak(pieces)

    def _hurry(self) -> None:
        self._speak(self._sentences.hurry())

    def _speak(self, pieces: list[str]) -> None:
        """Pieces that came in time."""
        self._give(pieces)
        if pieces:
            self._patience.speak()

    def _begun(self) -> None:
        if self._filler is not None:
            self._filler.cancel()

    def _give(self, pieces: list[str]) -> None:
        for piece in pieces:
            if self._clock.first_sentence is None:
                self._clock.first_sentence = self._doors.now()
            self._useful = True
            self._doors.give(piece)


def well_formed(text: str) -> str:
    """Text that UTF-8 can carry: half of a surrogate pair becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def checked(use: ToolUse, provider: str) -> ToolUse:
    """A call of a tool whose arguments can be told. Raises ``Malformed``."""
    try:
        msgspec.json.encode(use.arguments)
    except (TypeError, ValueError, RecursionError) as wrong:
        told = "the arguments of a tool call are no JSON"
        raise Malformed(told, provider=provider) from wrong
    return use


def added(one: Spent, other: Spent) -> Spent:
    """What both cost together."""
    return Spent(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        one.cached_tokens + other.cached_tokens,
    )


async def closing(stream: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The stream, as one that can be closed whatever it is made of."""
    try:
        async for item in stream:
            yield item
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
