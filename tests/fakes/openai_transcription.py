"""OpenAI's transcription of files on this machine; proven by ``test_openai_transcription_sdk.py``.

Source: the OpenAI API reference, "Create transcription".
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from openai_peer import KEY, event
from raw_http import Exchange, RawServer, raw_server


async def answer(exchange: Exchange) -> None:
    """Hears "Hello there." in any file."""
    request = exchange.request
    kind = "content-type: application/json"
    if request.headers.get("authorization") != f"Bearer {KEY}":
        body = {"error": {"message": "Incorrect API key provided"}}
        await exchange.respond(401, json.dumps(body).encode(), kind)
    elif request.path != "/v1/audio/transcriptions":
        await exchange.respond(200, b'{"data": []}', kind)
    elif b"RIFF" not in request.body or b'name="model"' not in request.body:
        await exchange.respond(400, b'{"error": {"message": "no file"}}', kind)
    elif b'name="stream"' in request.body:
        deltas = [{"type": "transcript.text.delta", "delta": text} for text in ("Hello", " there.")]
        done = {"type": "transcript.text.done", "text": "Hello there."}
        await exchange.stream(*map(event, [*deltas, done]))
    else:
        await exchange.respond(200, b'{"text": "Hello there."}', kind)


@asynccontextmanager
async def transcriber() -> AsyncIterator[RawServer]:
    """The endpoint; its base is ``url`` and ``/v1``."""
    async with raw_server(answer) as server:
        yield server
