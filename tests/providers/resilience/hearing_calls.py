"""Recognisers that show what they heard, and calls that speak to them."""

from __future__ import annotations

import asyncio

from antiphon_providers.interfaces import HearingOptions, SpeechStream, SpeechToText
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.speech_to_text import ResilientSpeechToText
from antiphon_providers.scripted import ScriptedSpeechToText
from antiphon_providers.scripted.speech_to_text import SpeechToTextScript
from antiphon_providers.scripted.tones import number_of, tone_of
from providers.resilience.witness import Witness, candidates, now

OPTIONS = HearingOptions(keyterms=("Antiphon",))


def hears(fault: str = "", **script: float) -> ScriptedSpeechToText:
    """Says of each segment whose sound it is, and how long: a part said twice would show."""

    def words(pcm: bytes) -> str:
        return f"{number_of(pcm, 16000)} {len(pcm)}"

    return ScriptedSpeechToText(SpeechToTextScript(fault=fault, **script), hear=words)  # type: ignore[arg-type]


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


async def call(recogniser: SpeechToText, count: int, pause_s: float = 2.0) -> list[str]:
    """All that is heard in one call of so many segments; then it listens half a minute more."""
    texts: list[str] = []
    async with recogniser.open(OPTIONS) as stream:
        listening = asyncio.create_task(finals(stream, texts))
        for number in range(count):
            await say(stream, number, pause_s)
        await asyncio.wait({listening}, timeout=30)
    await listening
    return texts
