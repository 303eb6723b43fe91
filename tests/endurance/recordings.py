"""What can be played of a recording."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import httpx
import soundfile

PATIENCE_S = 60.0


async def playable_s(rest: httpx.AsyncClient, session_id: str) -> float:
    """Seconds of sound, decoded to the end, in the recording of a session that has ended.

    Waits until it is there. Raises ``TimeoutError``.
    """
    async with asyncio.timeout(PATIENCE_S):
        # In another process, so there is nothing to wait for but the next look.
        while (link := await _audio(rest, session_id)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        answer = (await rest.get(link)).raise_for_status()
    return await asyncio.to_thread(_decoded_s, answer.content)


async def _audio(rest: httpx.AsyncClient, session_id: str) -> str | None:
    detail: dict[str, Any] = (await rest.get(f"/v1/sessions/{session_id}")).json()
    links = [one["url"] for one in detail["artifacts"] if one["type"] == "audio"]
    return links[0] if links else None


def _decoded_s(file: bytes) -> float:
    samples, rate = soundfile.read(io.BytesIO(file), dtype="int16")
    assert samples.shape[1] == 2
    assert samples.any()
    return len(samples) / float(rate)
