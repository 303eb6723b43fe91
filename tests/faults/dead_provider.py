"""Many callers who ask all the time for a provider that is dead, and have a standby."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

from antiphon_providers.contract.text_to_speech import each
from antiphon_providers.interfaces import HearingOptions, Message, Prompt, VoiceOptions
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.speech_to_text import ResilientSpeechToText
from antiphon_providers.resilience.text_to_speech import ResilientTextToSpeech
from antiphon_providers.scripted import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
)
from faults.network import NetworkLoop
from faults.vendors import VENDORS, Stage
from faults.weather import Fault, Weather
from providers.resilience.witness import candidates, now
from server.call.scripted_call import voiced

CALLERS, REQUESTS = 20, 12

Ask = Callable[[Any], Awaitable[None]]


async def _listen(recogniser: Any) -> None:
    async with recogniser.open(HearingOptions()) as stream:
        stream.feed(voiced(500))
        stream.flush()
        async for result in stream:
            if result.flushed:
                return


async def _write(model: Any) -> None:
    prompt = Prompt((Message(role="user", content="hello"),))
    assert [piece async for piece in model.reply(prompt)]


async def _speak(voice: Any) -> None:
    assert [sound async for sound in voice.speak(each("Hello."), VoiceOptions("anna"))]


WORK: dict[Stage, tuple[Any, Any, Ask]] = {
    "stt": (ResilientSpeechToText, ScriptedSpeechToText, _listen),
    "llm": (ResilientLanguageModel, ScriptedLanguageModel, _write),
    "tts": (ResilientTextToSpeech, ScriptedTextToSpeech, _speak),
}


def besiege(stage: Stage, fault: Fault) -> tuple[list[float], int]:
    """When the dead one was connected to, and how often the standby was used."""
    resilient, scripted, ask = WORK[stage]
    vendor = next(iter(VENDORS[stage].values()))

    async def main() -> tuple[list[float], int]:
        async with AsyncExitStack() as stack:
            provider, url = await stack.enter_async_context(vendor())
            loop: Any = asyncio.get_running_loop()
            weather = Weather(loop.network, urlsplit(url).port or 0, fault)
            standby = scripted()
            policy = Policy()
            made = resilient(candidates(policy, provider, standby), policy, clock=now)
            await made.start()
            stack.push_async_callback(made.close)
            before = len(weather.attempts)
            weather.befall(fault)

            async def call(number: int) -> None:
                await asyncio.sleep(number / CALLERS * 10)
                for _ in range(REQUESTS):
                    await ask(made)
                    await asyncio.sleep(10)

            await asyncio.gather(*(call(number) for number in range(CALLERS)))
            return weather.attempts[before:], standby.desk.opened

    with asyncio.Runner(loop_factory=NetworkLoop) as runner:
        return runner.run(main())
