"""Every cloud vendor of each stage on this machine, as far away as such vendors are.

A vendor's ``variables`` are the options of its adapter, without their prefix. The first-byte
delays are of the order that vendors and their users tell; the sums are what is tested, not they.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from antiphon_providers import registry
from fakes import anthropic, assemblyai, deepgram, openai_audio, openai_realtime, voice_contexts
from fakes.cartesia import FakeCartesia
from fakes.elevenlabs import FakeElevenLabs
from openai_peer import event, text
from pairs.distance import Distance, far_away
from raw_http import LAST_CHUNK, STREAM_HEAD, Exchange, raw_server

HEARD = "can you help me today"
TOKENS = (
    "Of course, I can help you with that today. Tell ",
    *("me ", "a ", "little ", "more, ", "please."),
)
"""What the models write. With the first token a sentence is whole: the time in which a model
writes one is no delay to the first byte, and not what these tests are about.
"""
SAID = "".join(TOKENS).strip()
_TOKEN_S = 0.03
_VOICE_BYTES_PER_S = 400_000.0
"""About six times as fast as it is spoken."""
_JSON = "content-type: application/json"


STAGES: dict[str, registry.Stage] = {
    "stt": "speech_to_text",
    "llm": "language_model",
    "tts": "text_to_speech",
}
"""The setting of each stage, and its name in the registry."""


@dataclass
class Play:
    """What all vendors of one call know."""

    gate: asyncio.Event | None = None
    """The caller hears the first sound; nobody says the rest of anything before."""
    flushed: list[float] = field(default_factory=list)
    """When a recogniser was told that the caller pauses, or a file of speech came."""
    written: list[float] = field(default_factory=list)
    """When a model's last token was sent."""

    async def passed(self) -> None:
        """Returns once the rest may be said."""
        if self.gate is not None:
            await self.gate.wait()

    def flush(self) -> None:
        """Takes the time."""
        self.flushed.append(asyncio.get_running_loop().time())


@dataclass(frozen=True)
class Vendor:
    """One adapter, the fake it talks to, and how far away that is."""

    start: Callable[[Play], AbstractAsyncContextManager[tuple[str, dict[str, str]]]]
    """The fake's address, and what else its adapter wants to know."""
    first_byte_s: float
    bytes_per_s: float = 1e9
    path: str = ""
    """After the address."""

    @asynccontextmanager
    async def far_away(self, play: Play) -> AsyncIterator[dict[str, str]]:
        """The options of its adapter."""
        async with AsyncExitStack() as stack:
            url, options = await stack.enter_async_context(self.start(play))
            gate = play.gate if self.bytes_per_s < 1e9 else None
            distance = Distance(self.first_byte_s, self.bytes_per_s, gate=gate)
            far = await stack.enter_async_context(far_away(url, distance))
            yield {"BASE_URL": far + self.path, **options}


async def _watch(sessions: list[Any], changed: asyncio.Condition, kind: str, play: Play) -> None:
    """Takes the time of the first frame of this kind in each session."""

    async def note(session: Any) -> None:
        await session.until(kind)
        play.flush()

    seen = 0
    async with asyncio.TaskGroup() as group:
        while True:
            async with changed:
                while len(sessions) == seen:
                    await changed.wait()
            new = sessions[seen:]
            seen += len(new)
            for session in new:
                group.create_task(note(session))


@asynccontextmanager
async def _watching(watching: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(watching)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _deepgram_hearing(
    kind: str,
) -> Callable[[Play], AbstractAsyncContextManager[tuple[str, dict[str, str]]]]:
    @asynccontextmanager
    async def start(play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
        async with deepgram.FakeDeepgram() as fake:
            fake.turns = [HEARD]
            async with _watching(_watch(fake.sessions, fake.opened, kind, play)):
                yield fake.url, {"API_KEY": deepgram.KEY}

    return start


@asynccontextmanager
async def _assemblyai_hearing(play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
    async with assemblyai.FakeAssemblyAI() as fake:
        fake.turns = [HEARD]
        async with _watching(_watch(fake.sessions, fake.opened, "ForceEndpoint", play)):
            yield fake.url, {"API_KEY": assemblyai.KEY}


@asynccontextmanager
async def _realtime_hearing(play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
    async with openai_realtime.FakeOpenAIRealtime() as fake:
        fake.transcripts = [HEARD]
        commit = "input_audio_buffer.commit"
        async with _watching(_watch(fake.connections, fake.opened, commit, play)):
            yield fake.url.removesuffix("/v1"), {"API_KEY": openai_realtime.KEY}


@asynccontextmanager
async def _transcription(play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
    async def answer(exchange: Exchange) -> None:
        if exchange.request.path.endswith("/audio/transcriptions"):
            play.flush()
            await exchange.respond(200, json.dumps({"text": HEARD}).encode(), _JSON)
        else:
            await exchange.respond(200, b'{"data": []}', _JSON)

    async with raw_server(answer) as server:
        yield server.url, {"API_KEY": "k"}


@asynccontextmanager
async def _openai(play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
    async def answer(exchange: Exchange) -> None:
        if not exchange.request.path.endswith("/chat/completions"):
            await exchange.respond(200, b'{"data": []}', _JSON)
            return
        await exchange.send(STREAM_HEAD)
        async for token in _written(play):
            await exchange.chunks(text(token))
        await exchange.chunks(text("", "stop"), event(b"[DONE]"))
        await exchange.send(LAST_CHUNK)

    async with raw_server(answer) as server:
        yield server.url, {"API_KEY": "k", "MODEL": "m"}


async def _written(play: Play) -> AsyncIterator[str]:
    """The tokens, at the pace of a model; those after the first once the gate is open."""
    yield TOKENS[0]
    await play.passed()
    for token in TOKENS[1:]:
        await asyncio.sleep(_TOKEN_S)
        yield token
    play.written.append(asyncio.get_running_loop().time())


class _PacedAnthropic(anthropic.FakeAnthropic):
    """Takes its time for each token."""

    play: Play

    async def _reply(self, exchange: Exchange, fault: anthropic.Fault) -> None:
        del fault
        head, tail = self.stream()[:2], self.stream()[-2:]
        await exchange.send(STREAM_HEAD)
        await exchange.chunks(*head)
        async for token in _written(self.play):
            await exchange.chunks(anthropic.words(0, token))
        await exchange.chunks(*tail)
        await exchange.send(LAST_CHUNK)


@asynccontextmanager
async def _anthropic(play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
    fake = _PacedAnthropic()
    fake.play = play
    async with fake:
        yield fake.url, {"API_KEY": anthropic.KEY, "MODEL": "m"}


@asynccontextmanager
async def _cartesia(_play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
    async with FakeCartesia() as fake:
        yield fake.url, {"API_KEY": voice_contexts.KEY}


@asynccontextmanager
async def _elevenlabs(_play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
    async with FakeElevenLabs() as fake:
        yield fake.url, {"API_KEY": voice_contexts.KEY}


@asynccontextmanager
async def _aura(_play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
    async with deepgram.FakeDeepgram() as fake:
        yield fake.url, {"API_KEY": deepgram.KEY}


@asynccontextmanager
async def _assemblyai_voice(_play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
    async with assemblyai.FakeAssemblyAI() as fake:
        yield fake.url, {"API_KEY": assemblyai.KEY}


@asynccontextmanager
async def _openai_voice(_play: Play) -> AsyncIterator[tuple[str, dict[str, str]]]:
    async with openai_audio.FakeOpenAIAudio() as fake:
        yield fake.url.removesuffix("/v1"), {"API_KEY": openai_audio.KEY}


def _voice(vendor: Vendor) -> Vendor:
    return replace(vendor, bytes_per_s=_VOICE_BYTES_PER_S)


VENDORS: dict[str, dict[str, Vendor]] = {
    "stt": {
        "assemblyai": Vendor(_assemblyai_hearing, 0.2),
        "deepgram": Vendor(_deepgram_hearing("Finalize"), 0.15),
        "deepgram-flux": Vendor(_deepgram_hearing("ForceEndTurn"), 0.12),
        # Hears whole utterances only: its delay is that of its whole stage.
        "openai": Vendor(_transcription, 0.5, path="/v1"),
        "openai-realtime": Vendor(_realtime_hearing, 0.3, path="/v1"),
    },
    "llm": {
        "anthropic": Vendor(_anthropic, 0.5),
        "openai": Vendor(_openai, 0.4, path="/v1"),
    },
    "tts": {
        "assemblyai": _voice(Vendor(_assemblyai_voice, 0.2)),
        "cartesia": _voice(Vendor(_cartesia, 0.1)),
        "deepgram": _voice(Vendor(_aura, 0.18)),
        "elevenlabs": _voice(Vendor(_elevenlabs, 0.15)),
        "openai": _voice(Vendor(_openai_voice, 0.35, path="/v1")),
    },
}


def installed(setting: str) -> set[str]:
    """The adapters of a stage that talk to a service: those with an address among their options."""
    stage = STAGES[setting]
    return {
        name
        for name in registry.installed(stage)
        if "base_url" in registry.options_of(registry.load(stage, name)).__struct_fields__
    }
