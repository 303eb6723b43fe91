"""The service that the sample provider talks to: it rings for as long as a text is."""

from __future__ import annotations

import math
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from raw_http import LAST_CHUNK, Exchange, RawServer, raw_server

RATE = 24_000
MS_PER_CHARACTER = 20
_PIECE_MS = 50
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: audio/l16\r\ntransfer-encoding: chunked\r\n\r\n"


@asynccontextmanager
async def bell_tower() -> AsyncIterator[RawServer]:
    """On a free local port."""
    async with raw_server(ring) as server:
        yield server


async def ring(exchange: Exchange) -> None:
    """Answers `POST /say` with PCM at 24 kHz; the text `odd` with half a sample."""
    if exchange.request.path != "/say" or exchange.request.json["voice"] == "nobody":
        await exchange.respond(404, b"nobody has such a voice")
        return
    text = exchange.request.json["text"]
    pcm = b"\0" if text == "odd" else _sound(len(text) * MS_PER_CHARACTER)
    step = RATE * _PIECE_MS // 1000 * 2
    await exchange.send(_HEAD)
    await exchange.chunks(*(pcm[at : at + step] for at in range(0, len(pcm), step)))
    await exchange.send(LAST_CHUNK)


def _sound(ms: int) -> bytes:
    """A bell of 440 Hz that grows softer."""
    count = RATE * ms // 1000
    samples = (
        round(9000 * (1 - at / count) * math.sin(at * 2 * math.pi * 440 / RATE))
        for at in range(count)
    )
    return struct.pack(f"<{count}h", *samples)
