"""A page that has nothing but the SDK, and what its microphone heard, as numbers."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page

from browser.window import Windows
from hostile.serving import Server

PLAIN = "/healthz"
"""A page without rules, on which a script may try anything."""
HELPERS = (Path(__file__).with_name("sound.js")).read_text("utf-8")
SILENT_MS = 50
"""After a flush, at the loudspeaker."""
LATENCY_MS = 60
"""Of a frame's first sample, from the microphone to the socket, for 95 of 100 frames."""
BUSY = 3
"""So many times longer may a machine take that has other things to do."""

Samples = NDArray[np.float64]


async def page_at(windows: Windows, server: Server) -> Page:
    """An empty page of the server's origin."""
    return await windows.open(server.http + PLAIN)


async def run(page: Page, script: str, argument: object = None) -> Any:
    """Runs a script in a page, as if somebody had clicked; ``antiphon`` is the SDK."""
    await page.mouse.click(1, 1)
    return await page.evaluate(
        f"""async (given) => {{
            const antiphon = await import("/assets/antiphon.js");
            {HELPERS}
            {script}
        }}""",
        argument,
    )


def samples(pcm: bytes | str) -> Samples:
    """Int16 PCM, or base64 of it, as numbers."""
    raw = base64.b64decode(pcm) if isinstance(pcm, str) else pcm
    return np.frombuffer(raw, np.int16).astype(np.float64)


def likeness(heard: Samples, said: Samples) -> float:
    """The highest normalised correlation of ``said`` with a part of ``heard``: 1 is the same."""
    size = 1 << int(np.ceil(np.log2(len(heard) + len(said))))
    together = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size)), size)
    at = int(np.argmax(together[: len(heard)]))
    part = heard[at : at + len(said)]
    said = said[: len(part)]
    return float(part @ said / np.sqrt((part @ part) * (said @ said)))
