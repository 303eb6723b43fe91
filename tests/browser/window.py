"""A real Chromium, Debian's, and windows of it that note whatever goes wrong in them.

Playwright drives it; a browser of Playwright's own is never downloaded.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright

from antiphon.wav import resample, write_wav
from antiphon_providers.contract.human_speech import RATE

MICROPHONE_RATE = 48_000
END_OF_SPEECH_SECONDS = 3.0
"""Chromium needs that much digital silence after the last word; then it gives silence for ever."""

# Says each violation of the Content-Security-Policy where the notes are taken.
_WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI} at `
    + `${event.sourceFile}:${event.lineNumber}`);
});
"""


class ChromiumMissing(Exception):
    """Chromium is not on this machine; the message says what to do."""


def program() -> str:
    """The path of Chromium. Raises ``ChromiumMissing``."""
    found = shutil.which("chromium")
    if found is None:
        raise ChromiumMissing(
            "Chromium is not on this machine: scripts/test installs Debian's where it is root; "
            "elsewhere install it, so that there is a command `chromium`"
        )
    return found


async def launch(playwright: Playwright, *flags: str) -> Browser:
    """A browser without a window on any screen."""
    # As root it cannot build its sandbox, and containers rarely let anybody.
    own = ["--no-sandbox"] if os.geteuid() == 0 or "CI" in os.environ else []
    return await playwright.chromium.launch(executable_path=program(), args=[*own, *flags])


def hearing(wav: Path) -> tuple[str, ...]:
    """Flags of a browser whose microphone is allowed and hears a file, once."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={wav}%noloop",
    )


def microphone_wav(path: Path, *parts: bytes | float) -> Path:
    """Writes what a microphone hears: int16 PCM at ``human_speech.RATE``, and pauses in seconds.

    The silence at its end is written, too.
    """
    silence = bytes(2)
    pieces = [
        silence * round(part * RATE) if isinstance(part, float) else part
        for part in (*parts, END_OF_SPEECH_SECONDS)
    ]
    sound = resample(b"".join(pieces), RATE, MICROPHONE_RATE, "what the microphone hears")
    # The resampler's own ending would not be digital silence.
    sound += silence * round(END_OF_SPEECH_SECONDS * MICROPHONE_RATE)
    write_wav(path, sound, MICROPHONE_RATE)
    return path


class Windows:
    """The windows of one test, each with storage and cookies of its own.

    ``complaints`` are errors on their consoles, exceptions nobody caught, and violations of the
    policy; the fixture wants none in the end but those that were ``expect``-ed.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self._noted: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self._contexts: list[BrowserContext] = []

    async def open(self, url: str, **options: Any) -> Page:
        """A page in a window of its own, loaded; ``options`` are those of a browser context."""
        page = await self.blank(**options)
        await page.goto(url)
        return page

    async def blank(self, **options: Any) -> Page:
        """A page in a window of its own."""
        context = await self.browser.new_context(**options)
        self._contexts.append(context)
        await context.add_init_script(_WATCH)
        context.on("console", self._note)
        context.on("weberror", lambda error: self._noted.append(f"exception: {error.error}"))
        return await context.new_page()

    def expect(self, pattern: str) -> None:
        """A complaint in which this is found is what the test wants."""
        self._expected.append(re.compile(pattern))

    @property
    def complaints(self) -> list[str]:
        """What went wrong and was not expected."""
        return [
            noted
            for noted in self._noted
            if not any(pattern.search(noted) for pattern in self._expected)
        ]

    async def close(self) -> None:
        """Closes all windows."""
        for context in self._contexts:
            await context.close()

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            place = message.location
            self._noted.append(f"{message.text} ({place['url']}:{place['lineNumber']})")


Speaking = Callable[[Path], Awaitable[Windows]]
"""Opens a browser whose microphone hears a WAV file."""
