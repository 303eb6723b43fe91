"""Recognisers that each break one promise, under their contract."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from antiphon_providers.contract.speech_to_text import SpeechToTextContract
from antiphon_providers.interfaces import HearingOptions, Recognised, SpeechStream
from antiphon_providers.scripted import ScriptedSpeechToText


class Passing:
    """A stream that passes on what another hears; twins change one thing of it."""

    def __init__(self, stream: SpeechStream, options: HearingOptions) -> None:
        self.stream = stream
        self.options = options

    def feed(self, pcm: bytes) -> None:
        """As it comes."""
        self.stream.feed(pcm)

    def flush(self) -> None:
        """As it comes."""
        self.stream.flush()

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """As it comes."""
        async for result in self.stream:
            yield result


class Twin(ScriptedSpeechToText):
    """Hears as it should, through a stream of the kind given."""

    def __init__(self, kind: type[Passing]) -> None:
        super().__init__()
        self.kind = kind

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[SpeechStream]:  # type: ignore[override]
        """A stream of the kind."""
        async with super().open(options) as stream:
            yield self.kind(stream, options)


class Unflushed(Passing):
    """Never answers a flush."""

    def flush(self) -> None:
        """Nothing comes of it."""


class Doubled(Passing):
    """Answers a flush twice."""

    def flush(self) -> None:
        """One too many."""
        self.stream.flush()
        self.stream.flush()


class Deaf(Passing):
    """Hears no words."""

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Empty ones."""
        async for result in self.stream:
            yield Recognised("", result.flushed)


class Imagining(Passing):
    """Hears words in silence."""

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Thanks for nothing, as some models do."""
        async for result in self.stream:
            yield Recognised(result.text or "Thank you.", result.flushed)


class Chattering(Passing):
    """Gives partials to everybody."""

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """One before each result."""
        async for result in self.stream:
            yield Recognised(result.text)
            yield result


class Blocking(Passing):
    """Keeps the event loop from everybody else."""

    def flush(self) -> None:
        """Recognises there and then."""
        threading.Event().wait(0.8)
        self.stream.flush()


class Stubborn(Passing):
    """Does not hear that it is interrupted."""

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Ends quietly instead."""
        try:
            async for result in self.stream:
                yield result
        except asyncio.CancelledError:
            return


class Endless(Passing):
    """Goes on when its call is over."""

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Waits for more for ever."""
        async for result in self.stream:
            yield result
        await asyncio.Event().wait()


class Leaking(Passing):
    """Ends with a library's error."""

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """As a socket's that was closed."""
        async for result in self.stream:
            yield result
        raise ConnectionResetError("104")


class Picky(Passing):
    """Takes whole samples only."""

    def feed(self, pcm: bytes) -> None:
        """Fails on half a sample."""
        if len(pcm) % 2:
            raise ValueError("half a sample")
        self.stream.feed(pcm)


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
    return type("Contract", (SpeechToTextContract,), methods)


TestSound = of(Passing, patience_s=60)
TestUnflushed = of(Unflushed)
TestDoubled = of(Doubled)
TestDeaf = of(Deaf)
TestImagining = of(Imagining)
TestChattering = of(Chattering)
TestBlocking = of(Blocking)
TestStubborn = of(Stubborn)
TestEndless = of(Endless)
TestLeaking = of(Leaking)
TestPicky = of(Picky)
TestUntidy = of(Passing, Untidy)
TestTalkative = of(Passing, Talkative)
