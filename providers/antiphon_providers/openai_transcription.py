"""Speech to text behind an OpenAI-compatible endpoint (``/audio/transcriptions``).

A whole utterance is uploaded as WAV when it is flushed. OpenAI itself, speaches, vLLM and
others::

    ANTIPHON_STT=openai ANTIPHON_STT_BASE_URL=http://127.0.0.1:8000/v1 ANTIPHON_STT_MODEL=whisper

Source: the OpenAI API reference, "Create transcription", and the ``openai`` SDK 3.54
(2026-11-22).
"""

from __future__ import annotations

import asyncio
import io
import secrets
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from antiphon_providers.errors import Malformed, ProviderError, Unavailable
from antiphon_providers.interfaces import HEARING_RATE, HearingOptions, Recognised
from antiphon_providers.loudness import loudness
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.sse import EventReader
from antiphon_providers.streams import OpenStreams, Results
from antiphon_providers.vendor_http import Endpoint, Patience, VendorHttp, check, drain, read
from antiphon_providers.vendor_options import HTTP_SCHEMES, VendorOptions, key_at

BASE_URL = "https://api.openai.com/v1"
_LEAST_BYTES = HEARING_RATE * 2 // 10
"""The vendor refuses less than 0.1 s."""

_MOST_BYTES = HEARING_RATE * 2 * 600
"""Ten minutes, below the vendor's 25 MB; what follows is not heard."""

_SILENT = 50.0
"""RMS of int16 samples: -56 dB of full scale; models invent words for silence."""

_MAX_ANSWER_BYTES = 1024 * 1024


class OpenAITranscriptionOptions(
    VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Which endpoint, and how patient to be with it."""

    schemes = HTTP_SCHEMES

    api_key: Annotated[
        str, Meta(description="Empty: `OPENAI_API_KEY`, at the vendor's own address only.")
    ] = ""
    base_url: Annotated[str, Meta(description="Ends before `/audio/transcriptions`.")] = BASE_URL
    model: Annotated[str, Meta(min_length=1, description="As the endpoint calls it.")] = (
        "gpt-transcribe"
    )
    language: Annotated[str, Meta(description="For calls that name none; empty: any.")] = ""
    stream: Annotated[bool, Meta(description="Whether words come as they are found.")] = False
    first_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds from a flush to its (first) words.")
    ] = 10_000
    progress_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds that streamed words may pause.")
    ] = 5000


class OpenAITranscription:
    """A recogniser behind an endpoint."""

    Options = OpenAITranscriptionOptions
    name = "openai"
    observer: Observer = SILENT

    def __init__(self, options: OpenAITranscriptionOptions | None = None) -> None:
        self.options = options = options or OpenAITranscriptionOptions()
        key = key_at(options.api_key, options.base_url, BASE_URL, "OPENAI_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        endpoint = Endpoint(self.name, options.base_url, headers, (key,), options.connect_ms)
        self.http = VendorHttp(endpoint)
        self._streams: OpenStreams[TranscriptionStream] = OpenStreams(self.name)

    async def start(self) -> None:
        """Makes the first connection, by asking for the list of models.

        Raises ``Refused`` where the key is not accepted, ``Unavailable`` or ``TooSlow`` where
        nobody answers; after those two it can be used all the same.
        """
        self.http.observer = self.observer
        self.http.open()
        patience = Patience(self.options.first_ms, self.options.progress_ms)
        await self.http.greet(patience, "/models")

    async def close(self) -> None:
        """Ends all streams and closes all connections."""
        self._streams.close()
        await self.http.close()

    @asynccontextmanager
    async def open(self, options: HearingOptions) -> AsyncIterator[TranscriptionStream]:
        """A recogniser for one call. Raises ``Unavailable`` once the provider is closed."""
        if self.http.closed:
            raise Unavailable("the provider was closed", provider=self.name)
        stream = TranscriptionStream(self, options)
        async with self._streams.keep(stream):
            yield stream


class TranscriptionStream:
    """One call's recogniser; its segments are asked for one after the other."""

    def __init__(self, provider: OpenAITranscription, options: HearingOptions) -> None:
        self._provider = provider
        self._options = options
        self._held = bytearray()
        self._segments: asyncio.Queue[bytes] = asyncio.Queue()
        self._results = Results()

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz, any length."""
        self._held += pcm[: _MOST_BYTES - len(self._held)]

    def flush(self) -> None:
        """The segment is complete: it is asked for."""
        self._segments.put_nowait(bytes(self._held[: len(self._held) // 2 * 2]))
        self._held.clear()

    def end(self) -> None:
        """Ends the iteration."""
        self._results.end()

    def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the end. Raises ``ProviderError``."""
        return aiter(self._results)

    async def run(self) -> None:
        """Answers each segment; ends with the first that fails."""
        try:
            while True:
                pcm = await self._segments.get()
                text = "" if _is_silent(pcm) else await self._words(pcm)
                self._results.tell(Recognised(text, flushed=True))
        except ProviderError as failure:
            self._results.end(failure)

    async def _words(self, pcm: bytes) -> str:
        mine = self._provider.options
        patience = Patience(mine.first_ms, mine.progress_ms)
        content, kind = form_of(mine, self._options, pcm)
        async with self._provider.http.exchange(
            patience, "POST", "/audio/transcriptions", content, {"Content-Type": kind}
        ) as response:
            if await check(response, patience) != "text/event-stream":
                return _text(await patience.wait(read(response, _MAX_ANSWER_BYTES)))
            raw, events, text = response.aiter_raw(), EventReader(), ""
            while received := await patience.wait(anext(raw, b"")):
                patience.renew()
                for data in events.feed(received):
                    told = _event(data)
                    if told.get("type") == "transcript.text.done":
                        await drain(raw)
                        return str(told.get("text", text)).strip()
                    text += str(told.get("delta", ""))
                    if self._options.partials and text.strip():
                        self._results.tell(Recognised(text.strip()))
            raise Unavailable("the stream ended before the words did")


def form_of(
    mine: OpenAITranscriptionOptions, options: HearingOptions, pcm: bytes
) -> tuple[bytes, str]:
    """The upload (RFC 7578) and its content type."""
    codes = options.language_codes or ((mine.language,) if mine.language else ())
    hints = [options.prompt or "", ", ".join(options.keyterms)]
    fields = {
        "model": mine.model,
        "response_format": "json",
        "language": codes[0] if len(codes) == 1 else "",
        "prompt": " ".join(hint for hint in hints if hint),
        "stream": "true" if mine.stream else "",
    }
    mark = secrets.token_hex(16)
    lead = f"--{mark}\r\nContent-Disposition: form-data; name="
    parts = [f'{lead}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items() if value]
    parts.append(f'{lead}"file"; filename="speech.wav"\r\nContent-Type: audio/wav\r\n\r\n')
    body = "".join(parts).encode() + _wav(pcm) + f"\r\n--{mark}--\r\n".encode()
    return body, f"multipart/form-data; boundary={mark}"


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writing:
        writing.setnchannels(1)
        writing.setsampwidth(2)
        writing.setframerate(HEARING_RATE)
        writing.writeframes(pcm)
    return file.getvalue()


def _is_silent(pcm: bytes) -> bool:
    return len(pcm) < _LEAST_BYTES or loudness(pcm) < _SILENT


def _event(data: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Malformed("the stream has something that is no event") from None


def _text(body: bytes) -> str:
    told = _event(body.decode(errors="replace")).get("text")
    if not isinstance(told, str):
        raise Malformed("the endpoint answered without a text")
    return told.strip()
