"""Models that hear and speak and each break one promise, under their contract."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from antiphon_providers.contract.speech_to_speech import SpeechToSpeechContract
from antiphon_providers.errors import Refused
from antiphon_providers.interfaces import (
    ConversationOptions,
    Prompt,
    Recognised,
    Said,
    Sound,
    Spent,
    SpokenConversation,
    SpokenPiece,
    Word,
)
from antiphon_providers.scripted import ScriptedSpeechToSpeech


class Passing:
    """A conversation that passes on what another does; twins change one thing of it."""

    def __init__(self, conversation: SpokenConversation) -> None:
        self.conversation = conversation

    def feed(self, pcm: bytes) -> None:
        """As it comes."""
        self.conversation.feed(pcm)

    def flush(self) -> None:
        """As it comes."""
        self.conversation.flush()

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """As it comes."""
        async for result in self.conversation:
            yield result

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """As it comes, changed."""
        pieces = self.conversation.reply(prompt)
        assert isinstance(pieces, AsyncGenerator)
        async with aclosing(pieces):
            async for piece in pieces:
                for changed in self.changed(piece):
                    yield changed

    def changed(self, piece: SpokenPiece) -> list[SpokenPiece]:
        """What a piece becomes."""
        return [piece]


class Twin(ScriptedSpeechToSpeech):
    """Does as it should, through a conversation of the kind given."""

    def __init__(self, kind: type[Passing]) -> None:
        super().__init__()
        self.kind = kind

    @asynccontextmanager
    async def open(  # type: ignore[override]
        self, options: ConversationOptions
    ) -> AsyncIterator[SpokenConversation]:
        """A conversation of the kind."""
        async with super().open(options) as conversation:
            yield self.kind(conversation)


class Deaf(Passing):
    """Hears no words."""

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Empty ones."""
        async for result in self.conversation:
            yield Recognised("", result.flushed)


class Wordless(Passing):
    """Has sound, and never says of what."""

    def changed(self, piece: SpokenPiece) -> list[SpokenPiece]:
        """Its sound alone."""
        return [] if isinstance(piece, Said) else [piece]


class Soundless(Passing):
    """Says what it would say."""

    def changed(self, piece: SpokenPiece) -> list[SpokenPiece]:
        """Its words alone."""
        return [] if isinstance(piece, Sound) else [piece]


class Greedy(Passing):
    """Has a price at any time."""

    def changed(self, piece: SpokenPiece) -> list[SpokenPiece]:
        """Its cost before each piece."""
        return [Spent(1, 1), piece]


class Endless(Passing):
    """Its sound never ends."""

    def changed(self, piece: SpokenPiece) -> list[SpokenPiece]:
        """No sound is the last."""
        return [Sound(piece.pcm, 0)] if isinstance(piece, Sound) else [piece]


class Counting(Passing):
    """Counts its sentences."""

    def changed(self, piece: SpokenPiece) -> list[SpokenPiece]:
        """From one."""
        return [Sound(piece.pcm, 1, piece.ends)] if isinstance(piece, Sound) else [piece]


class Halved(Passing):
    """Cuts within a sample."""

    def changed(self, piece: SpokenPiece) -> list[SpokenPiece]:
        """One byte too few."""
        return [Sound(piece.pcm[:-1], 0, piece.ends)] if isinstance(piece, Sound) else [piece]


class Hasty(Passing):
    """Says when its words are, and is wrong."""

    def changed(self, piece: SpokenPiece) -> list[SpokenPiece]:
        """All at once."""
        words = (Word("word", 0, 60_000),)
        return [Sound(piece.pcm, 0, piece.ends, words)] if isinstance(piece, Sound) else [piece]


class Hard(Passing):
    """Answers nothing but what it heard itself."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """Not what it was told about others."""
        if any(message.role == "tool" for message in prompt.messages):
            raise Refused("I know nothing of tools")
        async for piece in super().reply(prompt):
            yield piece


class Stubborn(Passing):
    """Does not hear that it is interrupted."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """Ends quietly instead."""
        try:
            async for piece in super().reply(prompt):
                yield piece
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            return


class Sulking(Passing):
    """Says nothing any more once it was interrupted."""

    hushed = False

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """Until then it does."""
        if self.hushed:
            return
        self.hushed = True
        async for piece in super().reply(prompt):
            yield piece
        self.hushed = False


class Blocking(Passing):
    """Keeps the event loop from everybody else."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """Thinks there and then."""
        threading.Event().wait(0.8)
        async for piece in super().reply(prompt):
            yield piece


class Absent(Passing):
    """Cannot hear while it speaks."""

    speaks = False

    def feed(self, pcm: bytes) -> None:
        """Whatever is fed meanwhile is lost."""
        if not self.speaks:
            self.conversation.feed(pcm)

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """Slowly."""
        self.speaks = True
        async for piece in super().reply(prompt):
            yield piece
            await asyncio.sleep(0.02)
        self.speaks = False


class Leaking(Passing):
    """Ends with a library's error."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """As a socket's that was closed."""
        async for piece in super().reply(prompt):
            yield piece
        raise ConnectionResetError("104")


class Untidy(Twin):
    """Leaves work behind."""

    async def start(self) -> None:
        """Work without an end."""
        self.work = asyncio.create_task(asyncio.Event().wait())


class Talkative(Twin):
    """Lets a library's error out."""

    async def start(self) -> None:
        """Its service is not there."""
        raise ConnectionRefusedError("port 9")


def of(kind: type[Passing], twin: type[Twin] = Twin, patience_s: float = 2.5) -> type:
    """The contract of a twin, with little patience where it is to be found out."""
    methods: dict[str, object] = {"make": lambda _: twin(kind), "patience_s": patience_s}
    if twin is Talkative:
        methods["make_unreachable"] = lambda _: twin(kind)
    return type("Contract", (SpeechToSpeechContract,), methods)


TestSound = of(Passing, patience_s=60)
TestDeaf = of(Deaf)
TestWordless = of(Wordless)
TestSoundless = of(Soundless)
TestGreedy = of(Greedy)
TestEndless = of(Endless)
TestCounting = of(Counting)
TestHalved = of(Halved)
TestHasty = of(Hasty)
TestHard = of(Hard)
TestStubborn = of(Stubborn)
TestSulking = of(Sulking)
TestBlocking = of(Blocking)
TestAbsent = of(Absent)
TestLeaking = of(Leaking)
TestUntidy = of(Passing, Untidy)
TestTalkative = of(Passing, Talkative)
