"""Text to speech behind an OpenAI-compatible endpoint (``/audio/speech``).

One request a sentence, whose PCM streams; while one sounds, the next is asked for already, so
that there is no gap between them. OpenAI itself, speaches, Kokoro-FastAPI and others::

    ANTIPHON_TTS=openai ANTIPHON_TTS_BASE_URL=http://127.0.0.1:8000/v1 ANTIPHON_TTS_MODEL=kokoro

Source: the OpenAI API reference, "Create speech", and the ``openai`` SDK 3.54 (2026-11-22):
``pcm`` is int16 little-endian mono at 24 kHz without a header.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any

import httpx
import msgspec
from msgspec import Meta

from antiphon_providers.errors import Malformed, ProviderError
from antiphon_providers.interfaces import Sound, VoiceOptions
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.options import json_object
from antiphon_providers.vendor_http import Endpoint, Patience, VendorHttp, check
from antiphon_providers.vendor_options import (
    HTTP_SCHEMES,
    ExtraBody,
    VendorOptions,
    key_at,
    voices_by_name,
)

BASE_URL = "https://api.openai.com/v1"
RATE = 24_000
_MAX_SENTENCE_BYTES = RATE * 2 * 180
"""Three minutes: no sentence is as long, so something else is being sent."""

_AHEAD = 1
"""Sentences asked for while another sounds."""
_HEADS = (b"RIFF", b"ID3", b"OggS", b"fLaC")
"""How files of other formats begin."""


class OpenAISpeechOptions(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which endpoint and voice, and how patient to be with it."""

    schemes = HTTP_SCHEMES

    api_key: Annotated[
        str, Meta(description="Empty: `OPENAI_API_KEY`, at the vendor's own address only.")
    ] = ""
    base_url: Annotated[str, Meta(description="Ends before `/audio/speech`.")] = BASE_URL
    model: Annotated[str, Meta(min_length=1, description="As the endpoint calls it.")] = (
        "gpt-4o-mini-tts"
    )
    voice: Annotated[
        str, Meta(min_length=1, description="For callers' voices that `voices` does not name.")
    ] = "alloy"
    voices: Annotated[
        str, Meta(description="JSON object: the endpoint's voice for each of Antiphon's names.")
    ] = "{}"
    instructions: Annotated[str, Meta(description="How to speak; empty for none.")] = ""
    speed: Annotated[float, Meta(ge=0.25, le=4)] | None = None
    extra_body: ExtraBody = "{}"
    first_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds from asking to a sentence's first sound.")
    ] = 5000
    progress_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds that a sentence may pause once begun.")
    ] = 5000
    max_connections: Annotated[int, Meta(ge=1, description="Sentences at one time.")] = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        json_object(self.extra_body)
        voices_by_name(self.voices)


_Step = Sound | Exception | None
"""Of a sentence: its sounds, what went wrong; None where all is said."""

_Line = asyncio.Queue[asyncio.Queue[_Step] | Exception | None]
"""The sentences in order; at its end what the writer raised, or None."""


class OpenAISpeech:
    """A voice behind an endpoint. ``transport`` takes the place of httpx's own."""

    Options = OpenAISpeechOptions
    name = "openai"
    rate = RATE
    observer: Observer = SILENT

    def __init__(
        self,
        options: OpenAISpeechOptions | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.options = options = options or OpenAISpeechOptions()
        key = key_at(options.api_key, options.base_url, BASE_URL, "OPENAI_API_KEY")
        endpoint = Endpoint(
            provider=self.name,
            base_url=options.base_url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            secrets=(key,),
            connect_ms=options.connect_ms,
            max_connections=options.max_connections,
        )
        self._http = VendorHttp(endpoint, transport)
        self._voices = voices_by_name(options.voices)

    async def start(self) -> None:
        """Makes the first connection, by asking for the list of models.

        Raises ``Refused`` where the key is not accepted, ``Unavailable`` or ``TooSlow`` where
        nobody answers; after those two it can be used all the same. An endpoint without such a
        list does no harm.
        """
        self._http.observer = self.observer
        self._http.open()
        await self._http.greet(self._patience(), "/models")

    async def close(self) -> None:
        """Closes all connections; running speech ends."""
        await self._http.close()

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, in order, as it comes.

        Raises ``Unavailable``, ``Refused``, ``TooSlow`` beyond the options' times, ``Malformed``
        for what is no PCM, and what the sentences raise.
        """
        steps: _Line = asyncio.Queue(_AHEAD)
        voice = self._voices.get(options.voice, self.options.voice)
        tasks: set[asyncio.Task[None]] = set()

        tasks.add(asyncio.create_task(self._ask(sentences, voice, steps, tasks)))
        try:
            while (sounds := await steps.get()) is not None:
                if isinstance(sounds, Exception):
                    raise sounds
                while (sound := await sounds.get()) is not None:
                    if isinstance(sound, Exception):
                        raise sound
                    yield sound
        except ProviderError:
            if not self._http.closed:
                raise
        finally:
            left = list(tasks)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _ask(
        self,
        sentences: AsyncIterator[str],
        voice: str,
        line: _Line,
        tasks: set[asyncio.Task[None]],
    ) -> None:
        """Begins each sentence as soon as there is room in the line."""
        try:
            number = 0
            async for sentence in sentences:
                sounds: asyncio.Queue[_Step] = asyncio.Queue()
                await line.put(sounds)
                task = asyncio.create_task(self._say(sentence, number, voice, sounds))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                number += 1
            await line.put(None)
        except Exception as failure:  # noqa: BLE001 - the writer's own; passed on as it is.
            await line.put(failure)

    async def _say(
        self, sentence: str, number: int, voice: str, sounds: asyncio.Queue[_Step]
    ) -> None:
        """One sentence; all that becomes of it goes into ``sounds``."""
        try:
            if any(character.isalnum() for character in sentence):
                async for pcm in self._pcm(sentence, voice):
                    sounds.put_nowait(Sound(pcm, number))
            sounds.put_nowait(Sound(b"", number, ends=True))
            sounds.put_nowait(None)
        except ProviderError as failure:
            sounds.put_nowait(failure)

    async def _pcm(self, sentence: str, voice: str) -> AsyncGenerator[bytes, None]:
        """Whole samples, as they come."""
        patience = self._patience()
        headers = {"Content-Type": "application/json"}
        body = self._body(sentence, voice)
        async with self._http.exchange(
            patience, "POST", "/audio/speech", body, headers
        ) as response:
            kind = await check(response, patience)
            if kind.startswith("text/") or "json" in kind:
                raise Malformed(f"the endpoint answered with '{kind}' and not with sound")
            raw, held, total = response.aiter_raw(), b"", 0
            while received := await patience.wait(anext(raw, b"")):
                patience.renew()
                held += received
                if total == 0 and len(held) < len(_HEADS[0]):
                    continue
                if total == 0 and held.startswith(_HEADS):
                    raise Malformed("the endpoint answered with a file and not with PCM")
                whole = len(held) // 2 * 2
                total += whole
                if total > _MAX_SENTENCE_BYTES:
                    raise Malformed("the endpoint's sentence has no end")
                yield held[:whole]
                held = held[whole:]
            if total == 0:
                raise Malformed("the endpoint answered with no sound")

    def _patience(self) -> Patience:
        options = self.options
        return Patience(options.first_ms, options.progress_ms, what="sound", whole="the sentence")

    def _body(self, sentence: str, voice: str) -> bytes:
        options = self.options
        body: dict[str, Any] = {
            "model": options.model,
            "voice": voice,
            "instructions": options.instructions or None,
            "speed": options.speed,
            **json_object(options.extra_body),
            "input": sentence,
            "response_format": "pcm",
            "stream_format": "audio",
        }
        return msgspec.json.encode({key: value for key, value in body.items() if value is not None})
