"""The primaries of each stage: real adapters, and the vendors' fakes that they talk to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Literal

from antiphon_providers.anthropic import Anthropic, AnthropicOptions
from antiphon_providers.assemblyai_speech_to_text import AssemblyAIHearing, AssemblyAIHearingOptions
from antiphon_providers.assemblyai_text_to_speech import AssemblyAIVoice, AssemblyAIVoiceOptions
from antiphon_providers.cartesia import Cartesia, CartesiaOptions
from antiphon_providers.deepgram_flux import DeepgramFlux, DeepgramFluxOptions
from antiphon_providers.deepgram_speech_to_text import DeepgramHearing, DeepgramHearingOptions
from antiphon_providers.deepgram_text_to_speech import DeepgramVoice, DeepgramVoiceOptions
from antiphon_providers.elevenlabs import ElevenLabs, ElevenLabsOptions
from antiphon_providers.openai import OpenAI, OpenAIOptions
from antiphon_providers.openai_speech import OpenAISpeech, OpenAISpeechOptions
from antiphon_providers.openai_transcription import (
    OpenAITranscription,
    OpenAITranscriptionOptions,
)
from fakes import anthropic, assemblyai, deepgram, openai_audio, voice_contexts
from fakes.assemblyai_voice import sound
from fakes.cartesia import FakeCartesia
from fakes.elevenlabs import FakeElevenLabs
from openai_peer import event, text
from raw_http import LAST_CHUNK, STREAM_HEAD, Exchange, raw_server

Stage = Literal["stt", "llm", "tts"]
STAGES: tuple[Stage, ...] = ("stt", "llm", "tts")

HEARD = ("the first one heard this", "and it heard this too", "and this at the end")
"""What the primary recognisers understand, turn after turn."""
SAID = "The first model says this much. It has a second sentence as well."
"""What the primary models write, each time."""
_TOKEN_S = 0.03

Vendor = Callable[[], AbstractAsyncContextManager[tuple[Any, str]]]
"""A provider that was not started, and the vendor's address."""


@asynccontextmanager
async def _nova() -> AsyncIterator[tuple[Any, str]]:
    async with deepgram.FakeDeepgram() as fake:
        fake.turns = list(HEARD)
        options = DeepgramHearingOptions(api_key=deepgram.KEY, base_url=fake.url)
        yield DeepgramHearing(options), fake.url


@asynccontextmanager
async def _flux() -> AsyncIterator[tuple[Any, str]]:
    async with deepgram.FakeDeepgram() as fake:
        fake.turns = list(HEARD)
        options = DeepgramFluxOptions(api_key=deepgram.KEY, base_url=fake.url)
        yield DeepgramFlux(options), fake.url


@asynccontextmanager
async def _universal() -> AsyncIterator[tuple[Any, str]]:
    async with assemblyai.FakeAssemblyAI() as fake:
        fake.turns = list(HEARD)
        options = AssemblyAIHearingOptions(api_key=assemblyai.KEY, base_url=fake.url)
        yield AssemblyAIHearing(options), fake.url


@asynccontextmanager
async def _transcription() -> AsyncIterator[tuple[Any, str]]:
    asked = 0

    async def answer(exchange: Exchange) -> None:
        nonlocal asked
        if not exchange.request.path.endswith("/audio/transcriptions"):
            await exchange.respond(200, b'{"data": []}', "content-type: application/json")
            return
        body = {"text": HEARD[asked % len(HEARD)]}
        asked += 1
        await exchange.respond(200, json.dumps(body).encode(), "content-type: application/json")

    async with raw_server(answer) as server:
        options = OpenAITranscriptionOptions(api_key="k", base_url=f"{server.url}/v1")
        yield OpenAITranscription(options), server.url


@asynccontextmanager
async def _openai() -> AsyncIterator[tuple[Any, str]]:
    async def answer(exchange: Exchange) -> None:
        if not exchange.request.path.endswith("/chat/completions"):
            await exchange.respond(200, b'{"data": []}', "content-type: application/json")
            return
        await exchange.send(STREAM_HEAD)
        for word in SAID.split():
            await asyncio.sleep(_TOKEN_S)
            await exchange.chunks(text(word + " "))
        await exchange.chunks(text("", "stop"), event(b"[DONE]"))
        await exchange.send(LAST_CHUNK)

    async with raw_server(answer) as server:
        options = OpenAIOptions(model="m", api_key="k", base_url=f"{server.url}/v1")
        yield OpenAI(options), server.url


@asynccontextmanager
async def _anthropic() -> AsyncIterator[tuple[Any, str]]:
    async with anthropic.FakeAnthropic(words=tuple(f"{word} " for word in SAID.split())) as fake:
        options = AnthropicOptions(model="m", api_key=anthropic.KEY, base_url=fake.url)
        yield Anthropic(options), fake.url


@asynccontextmanager
async def _cartesia() -> AsyncIterator[tuple[Any, str]]:
    async with FakeCartesia() as fake:
        options = CartesiaOptions(api_key=voice_contexts.KEY, base_url=fake.url)
        yield Cartesia(options), fake.url


@asynccontextmanager
async def _elevenlabs() -> AsyncIterator[tuple[Any, str]]:
    async with FakeElevenLabs() as fake:
        options = ElevenLabsOptions(api_key=voice_contexts.KEY, base_url=fake.url)
        yield ElevenLabs(options), fake.url


@asynccontextmanager
async def _aura() -> AsyncIterator[tuple[Any, str]]:
    async with deepgram.FakeDeepgram() as fake:
        options = DeepgramVoiceOptions(api_key=deepgram.KEY, base_url=fake.url)
        yield DeepgramVoice(options), fake.url


@asynccontextmanager
async def _assemblyai() -> AsyncIterator[tuple[Any, str]]:
    async with assemblyai.FakeAssemblyAI() as fake:
        options = AssemblyAIVoiceOptions(api_key=assemblyai.KEY, base_url=fake.url)
        yield AssemblyAIVoice(options), fake.url


@asynccontextmanager
async def _speech() -> AsyncIterator[tuple[Any, str]]:
    async def answer(exchange: Exchange) -> None:
        if not exchange.request.path.endswith("/audio/speech"):
            await exchange.respond(200, b'{"data": []}', "content-type: application/json")
            return
        pcm = sound(exchange.request.json["input"])
        await exchange.send(STREAM_HEAD.replace(b"text/event-stream", b"audio/pcm"))
        for at in range(0, len(pcm), 4801):
            await exchange.chunks(pcm[at : at + 4801])
        await exchange.send(LAST_CHUNK)

    async with raw_server(answer) as server:
        options = OpenAISpeechOptions(api_key=openai_audio.KEY, base_url=f"{server.url}/v1")
        yield OpenAISpeech(options), server.url


VENDORS: dict[Stage, dict[str, Vendor]] = {
    "stt": {
        "deepgram": _nova,
        "assemblyai": _universal,
        "openai": _transcription,
        "deepgram flux": _flux,
    },
    "llm": {"openai": _openai, "anthropic": _anthropic},
    "tts": {
        "cartesia": _cartesia,
        "elevenlabs": _elevenlabs,
        "deepgram": _aura,
        "assemblyai": _assemblyai,
        "openai": _speech,
    },
}
