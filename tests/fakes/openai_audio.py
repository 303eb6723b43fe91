"""OpenAI's audio endpoints on this machine, with faults that can be set.

Source: the OpenAI API reference, "Create speech"; ``test_openai_audio_sdk.py`` proves it with
the vendor's SDK.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from raw_http import LAST_CHUNK, Exchange, RawServer, Request, raw_server

KEY = "sk-very-secret"
VOICES = {"alloy", "marin"}
_PIECE = 4801
"""Bytes: pieces end within a sample."""


@dataclass
class Fault:
    """What goes wrong with a request."""

    status: int | None = None
    """HTTP status in place of the answer, with ``body`` and ``headers``."""
    body: bytes = b""
    headers: tuple[str, ...] = ()
    hang: bool = False
    """Never answers."""
    breaks: bool = False
    """Breaks the connection off after the first piece."""


def sound_of(text: str) -> bytes:
    """PCM that is the same for the same words: 40 ms of a tone a character, at 24 kHz."""
    samples = np.arange(len(text) * 960)
    pitch = 200 + zlib.crc32(text.encode()) % 400
    tone = np.sin(samples * (2 * np.pi * pitch / 24_000)) * np.abs(np.sin(samples / 4000)) * 8000
    pcm: bytes = tone.astype("<i2").tobytes()
    return pcm


@dataclass
class FakeOpenAIAudio:
    """The vendor; ``faults`` are those of the next sentences, and then there are none."""

    faults: list[Fault] = field(default_factory=list)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request came that is to hang."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client left a request that hangs."""
    _server: RawServer | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        self._server = await self._stack.enter_async_context(raw_server(self._answer))
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """As a base."""
        assert self._server is not None
        return f"{self._server.url}/v1"

    @property
    def requests(self) -> list[Request]:
        """All that was asked."""
        assert self._server is not None
        return self._server.requests

    async def _answer(self, exchange: Exchange) -> None:
        request = exchange.request
        if request.headers.get("authorization") != f"Bearer {KEY}":
            await _refuse(exchange, 401, "Incorrect API key provided")
        elif request.path == "/v1/models":
            await exchange.respond(200, b'{"data": []}', "content-type: application/json")
        elif request.path != "/v1/audio/speech":
            await _refuse(exchange, 404, "Invalid URL")
        elif request.json["voice"] not in VOICES:
            await _refuse(exchange, 400, "Unknown voice")
        else:
            await self._speak(exchange, self.faults.pop(0) if self.faults else Fault())

    async def _speak(self, exchange: Exchange, fault: Fault) -> None:
        if fault.hang:
            self.hanging.set()
            await exchange.until_left()
            self.left.set()
            return
        if fault.status is not None:
            await exchange.respond(fault.status, fault.body, *fault.headers)
            return
        pcm = sound_of(exchange.request.json["input"])
        head = b"HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ntransfer-encoding: chunked\r\n\r\n"
        await exchange.send(head)
        for at in range(0, len(pcm), _PIECE):
            await exchange.chunks(pcm[at : at + _PIECE])
            if fault.breaks:
                exchange.reset()
                return
        await exchange.send(LAST_CHUNK)


async def _refuse(exchange: Exchange, status: int, message: str) -> None:
    error = {"error": {"message": message, "type": "invalid_request_error", "code": "wrong"}}
    kind = "content-type: application/json"
    await exchange.respond(status, json.dumps(error).encode(), kind)
