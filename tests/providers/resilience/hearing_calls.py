"""Recognisers that show what they heard, and calls that speak to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from antiphon_providers.errors import Refused
from antiphon_providers.interfaces import HearingOptions, Recognised, SpeechStream, SpeechToText
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.speech_to_text import ResilientSpeechToText
from antiphon_providers.scripted import ScriptedSpeechToText
from antiphon_providers.scripted.speech_to_text import (
    ScriptedSpeechStream,
    SpeechToTextScript,
)
from antiphon_providers.scripted.tones import number_of, tone_of
from providers.resilience.witness import Witness, candidates, now

OPTIONS = HearingOptions(keyterms=("Antiphon",))


def _number_and_length(pcm: bytes) -> str:
    return f"{number_of(pcm, 16000)} {len(pcm)}"


class EnglishOnly(ScriptedSpeechToText):
    """Refuses other languages, as a recogniser does that has one model."""

    def __init__(self) -> None:
        super().__init__(hear=_number_and_length)
        self.refused = 0

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[ScriptedSpeechStream]:
        """Raises ``Refused``."""
        if options.language_codes:
            self.refused += 1
            raise Refused("hears English only", provider_param="language_codes")
        async with super().open(options) as stream:
            yield stream


class OneAtATime:
    """Answers the flushes of all calls one after another, as one decoder for many does."""

    name = "behind"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.longest_s = 0.0
        """That a flush waited."""
        self._free_at = 0.0

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """Nor to close."""

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[_Waiting]:
        """A recogniser for one call."""
        del options
        yield _Waiting(self)

    def ready_at(self) -> float:
        """When the next flush is answered."""
        asked = now()
        self._free_at = max(self._free_at, asked) + self.seconds
        self.longest_s = max(self.longest_s, self._free_at - asked)
        return self._free_at


class _Waiting:
    def __init__(self, owner: OneAtATime) -> None:
        self._owner = owner
        self._pcm = bytearray()
        self._due: asyncio.Queue[tuple[float, str]] = asyncio.Queue()

    def feed(self, pcm: bytes) -> None:
        self._pcm += pcm

    def flush(self) -> None:
        self._due.put_nowait((self._owner.ready_at(), _number_and_length(bytes(self._pcm))))
        self._pcm.clear()

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        while True:
            ready_at, text = await self._due.get()
            await asyncio.sleep(ready_at - now())
            yield Recognised(text, flushed=True)


def hears(fault: str = "", **script: float) -> ScriptedSpeechToText:
    """Says of each segment whose sound it is, and how long: a part said twice would show."""
    script_ = SpeechToTextScript(fault=fault, **script)  # type: ignore[arg-type]
    return ScriptedSpeechToText(script_, hear=_number_and_length)


def resilient(
    *providers: SpeechToText, policy: Policy | None = None, witness: Witness | None = None
) -> ResilientSpeechToText:
    """One of several, on the loop's clock."""
    policy = policy or Policy()
    return ResilientSpeechToText(candidates(policy, *providers), policy, witness or Witness(), now)


def segment(number: int) -> bytes:
    """A sound that no other segment has, longer with each."""
    return tone_of(number * 67, 300 + 20 * number, 16000)


def said(*numbers: int) -> list[str]:
    """What is heard in those."""
    return [f"{number * 67} {len(segment(number))}" for number in numbers]


async def say(stream: SpeechStream, number: int, pause_s: float = 0.0) -> None:
    """Speaks a segment in real time and pauses."""
    pcm = segment(number)
    for at in range(0, len(pcm), 1920):
        stream.feed(pcm[at : at + 1920])
        await asyncio.sleep(0.06)
    stream.flush()
    await asyncio.sleep(pause_s)


async def finals(stream: SpeechStream, texts: list[str]) -> None:
    """Writes all final texts down until the stream ends."""
    async for result in stream:
        texts += [result.text] if result.flushed else []


async def call(
    recogniser: SpeechToText,
    count: int,
    pause_s: float = 2.0,
    options: HearingOptions = OPTIONS,
) -> list[str]:
    """All that is heard in one call of so many segments; then it listens half a minute more."""
    texts: list[str] = []
    async with recogniser.open(options) as stream:
        listening = asyncio.create_task(finals(stream, texts))
        for number in range(count):
            await say(stream, number, pause_s)
        await asyncio.wait({listening}, timeout=30)
    await listening
    return texts
