"""What an adapter and its wrapper cost in CPU time, while its vendor runs in another thread.

Time of the adapter's thread alone, with the event loop and the HTTP or WebSocket library that it
uses; what other threads and the vendor do is not in it, nor is any waiting.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, NamedTuple

from websockets.sync.server import ServerConnection, serve

from antiphon_providers import registry
from antiphon_providers.contract.speech_to_text import segment
from antiphon_providers.interfaces import HearingOptions, VoiceOptions
from antiphon_providers.observer import SILENT
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.speech_to_text import ResilientSpeechToText
from antiphon_providers.resilience.text_to_speech import ResilientTextToSpeech
from antiphon_providers.scripted.tones import sine
from antiphon_providers.vendor_socket import Address, connect
from openai_peer import asking
from pairs.sums import p95
from pairs.vendors import STAGES, VENDORS, Play, Vendor

TURNS = 30
_WARM_UP = 3
_FRAME_MS, _SPEECH_MS, _SPEED = 20, 2000, 10
"""A turn's audio comes in frames, so many times as fast as it is spoken."""
_FRAMES_A_MESSAGE = 5
"""Of a bare socket: the messages of the adapters are 80 to 100 ms long."""
_HEARING_RATE = 16_000
_SENTENCE = "Of course, I can help you with that today, if you tell me a little more about it."
_WRAPPERS: dict[str, Any] = {
    "stt": ResilientSpeechToText,
    "llm": ResilientLanguageModel,
    "tts": ResilientTextToSpeech,
}


class Cost(NamedTuple):
    """Of one turn, in seconds of CPU."""

    first_s: float
    """From the last of what was given to the first of what came of it."""
    whole_s: float
    audio_s: float
    """How much sound was carried."""


class Overhead(NamedTuple):
    """Of one adapter."""

    stage: str
    name: str
    turn_ms: float
    """To the first of what came, p95 of all turns."""
    audio_ms: float
    """For a second of audio; 0 for a stage that carries none."""
    socket_ms: float = 0.0
    """Of this, what a bare WebSocket takes that is fed and sends alike, where that was measured."""


@contextmanager
def elsewhere(vendor: Vendor) -> Iterator[dict[str, str]]:
    """The options of its adapter, while the fake runs in a thread and an event loop of its own."""
    ready = threading.Event()
    told: dict[str, Any] = {}

    async def serve() -> None:
        told["loop"], told["over"] = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with vendor.start(Play()) as (url, options):
                told["options"] = {"base_url": url + vendor.path} | {
                    name.lower(): value for name, value in options.items()
                }
                ready.set()
                await told["over"].wait()
        finally:
            ready.set()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="vendor")
    thread.start()
    try:
        ready.wait()
        yield told["options"]
    finally:
        told["loop"].call_soon_threadsafe(told["over"].set)
        thread.join()


async def _hear(provider: Any) -> Cost:
    """One utterance, of a call of its own."""
    voice = sine(220, _FRAME_MS, _HEARING_RATE)
    async with provider.open(HearingOptions()) as stream:
        results = aiter(stream)
        began = time.thread_time()
        for _ in range(_SPEECH_MS // _FRAME_MS):
            stream.feed(voice)
            await asyncio.sleep(_FRAME_MS / 1000 / _SPEED)
        flushed = time.thread_time()
        stream.flush()
        await segment(results)
        now = time.thread_time()
        return Cost(now - flushed, now - began, _SPEECH_MS / 1000)


def _swallow_here(connection: ServerConnection) -> None:
    for _ in connection:
        pass


@contextmanager
def _sink() -> Iterator[str]:
    """The address of a WebSocket that takes everything, in a thread of its own."""
    with serve(_swallow_here, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever, name="sink")
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


async def _send_bare(url: str, utterances: int) -> float:
    """Seconds of CPU for a second of audio that only goes through a socket, fed as by ``_hear``."""
    voice = sine(220, _FRAME_MS, _HEARING_RATE)
    frames = _SPEECH_MS // _FRAME_MS
    async with connect(Address(provider="sink", url=url), SILENT) as socket:
        began = time.thread_time()
        for number in range(utterances * frames):
            if number % _FRAMES_A_MESSAGE == 0:
                await socket.send(voice * _FRAMES_A_MESSAGE)
            await asyncio.sleep(_FRAME_MS / 1000 / _SPEED)
        return (time.thread_time() - began) / (utterances * _SPEECH_MS / 1000)


async def _write(provider: Any) -> Cost:
    """One reply."""
    began = time.thread_time()
    first = 0.0
    async with aclosing(provider.reply(asking("hello"))) as pieces:
        async for _ in pieces:
            first = first or time.thread_time() - began
    return Cost(first, time.thread_time() - began, 0)


async def _speak(provider: Any) -> Cost:
    """One sentence."""

    async def sentences() -> AsyncIterator[str]:
        yield _SENTENCE

    began = time.thread_time()
    first, carried = 0.0, 0
    async with aclosing(provider.speak(sentences(), VoiceOptions("anna"))) as sounds:
        async for sound in sounds:
            first = first or time.thread_time() - began
            carried += len(sound.pcm)
    return Cost(first, time.thread_time() - began, carried / 2 / provider.rate)


_TURNS: dict[str, Callable[[Any], Awaitable[Cost]]] = {
    "stt": _hear,
    "llm": _write,
    "tts": _speak,
}


def measure_overheads(turns: int = TURNS) -> Iterable[Overhead]:
    """Of every adapter, one after the other."""
    with _sink() as url:
        bare_s = asyncio.run(_send_bare(url, turns))
    for stage, vendors in VENDORS.items():
        for name, vendor in vendors.items():
            with elsewhere(vendor) as options:
                costs = asyncio.run(_measure(stage, name, options, turns))
            audio_s = sum(cost.audio_s for cost in costs)
            yield Overhead(
                stage,
                name,
                p95([cost.first_s for cost in costs]) * 1000,
                sum(cost.whole_s for cost in costs) / audio_s * 1000 if audio_s else 0.0,
                bare_s * 1000 if stage == "stt" else 0.0,
            )


async def _measure(stage: str, name: str, options: dict[str, str], turns: int) -> list[Cost]:
    adapter = registry.create(STAGES[stage], name, options)
    policy = Policy()
    candidates = [Candidate(adapter, policy, name=name)]
    provider = _WRAPPERS[stage](candidates, policy, SILENT, asyncio.get_running_loop().time)
    await provider.start()
    try:
        costs = [await _TURNS[stage](provider) for _ in range(_WARM_UP + turns)]
    finally:
        await provider.close()
    return costs[_WARM_UP:]


def overhead_table(measured: Iterable[Overhead]) -> str:
    """A line for each adapter."""
    rows = [f"{'':24}{'ms of CPU a turn, p95':>24}{'a second of audio':>20}{'bare socket':>14}"]
    for one in measured:
        audio = f"{one.audio_ms:.2f}" if one.audio_ms else ""
        bare = f"{one.socket_ms:.2f}" if one.socket_ms else ""
        rows.append(f"{f'{one.stage} {one.name}':24}{one.turn_ms:>24.2f}{audio:>20}{bare:>14}")
    return "\n".join(rows)
