"""Pictures of the web pages with real calls in them: ``scripts/pictures [FOLDER]``.

A server with the embedded models is spoken to by human voices, through the SDK and through the
playground's own microphone; what is then on the pages is photographed at the widths of a phone, a
tablet and a desk, light and dark.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from playwright.async_api import Page, async_playwright, expect

import antiphon
import web
from antiphon.clips import Clip
from antiphon_protocol.audio import PCM
from antiphon_providers.contract.human_speech import clip
from browser.playground_page import Playground
from browser.window import Windows, hearing, launch, microphone_wav
from end_to_end.product import running, to_say
from hostile.serving import Server

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
WIDTHS = {390: 844, 768: 1024, 1440: 900}
"""Pixels across, and down."""
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CALLS = (("best", "worst"), ("foolishness", "wisdom"), ("best",), ("worst", "foolishness"))
"""The clips that each caller says, one after the other."""
FRAME_MS = 40
SETTLE_MS = 700
"""For what fades in, and for charts to be drawn."""


async def main(folder: Path) -> None:
    """Takes them all."""
    with TemporaryDirectory() as scratch, _server(Path(scratch)) as server:
        say("calling the agent")
        for clips in CALLS:
            await _call(server, [to_say(clip(name)) for name in clips])
        async with async_playwright() as playwright:
            wav = microphone_wav(
                Path(scratch) / "voice.wav",
                *(6.0, clip("best").pcm, 2.4, clip("everything").pcm, 12.0),
            )
            browser = await launch(playwright, *hearing(wav))
            windows = Windows(browser)
            try:
                await _playground(windows, server, folder)
                await _console(windows, server, folder)
            finally:
                await windows.close()
                await browser.close()


def say(words: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"pictures: {words}\n")


def _server(scratch: Path) -> Any:
    log = scratch / "log"
    journals = scratch / "journals"
    return running(log, ANTIPHON_RECORDING="true", ANTIPHON_JOURNAL_DIR=str(journals))


async def _call(server: Server, clips: list[Clip]) -> None:
    """One call in which somebody says these clips, each once the answer to the last is over."""
    async with antiphon.connect(server.http, greeting="Hello, how can I help?") as call:
        await _reply_over(call)
        for one in clips:
            for frame in _frames(one.pcm + bytes(PCM.size(1_500))):
                await call.send_audio(frame)
                await asyncio.sleep(FRAME_MS / 1000)
            await _reply_over(call)


async def _reply_over(call: antiphon.Call) -> None:
    async for event in call:
        if isinstance(event, antiphon.ReplyDone) and event.status == "completed":
            return


def _frames(pcm: bytes) -> Iterator[bytes]:
    step = PCM.size(FRAME_MS)
    return (pcm[at : at + step] for at in range(0, len(pcm), step))


async def _playground(windows: Windows, server: Server, folder: Path) -> None:
    say("talking in the playground")
    playground = await Playground.opened(windows, f"{server.http}/")
    await playground.set("greeting", "Hello, how can I help?")
    await playground.untick("echoCancellation")
    await playground.talk.click()
    await expect(playground.turns).to_have_count(3, timeout=60_000)
    await expect(playground.state).to_have_text("Speaking", timeout=60_000)
    await _photograph(playground.page, folder, "playground")
    await playground.talk.click()


async def _console(windows: Windows, server: Server, folder: Path) -> None:
    say("looking at the console")
    page = await windows.open(f"{server.http}/console")
    await page.get_by_role("button", name="1 h").click()
    await _photograph(page, folder, "console")
    await page.goto(f"{server.http}/console/sessions")
    await page.locator("main table a").first.click()
    await expect(page.locator(".waterfall").first).to_be_visible()
    await _photograph(page, folder, "call")


async def _photograph(page: Page, folder: Path, name: str) -> None:
    for width, height in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            await page.wait_for_timeout(SETTLE_MS)
            await page.screenshot(path=folder / f"{name}-{width}-{theme}.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/pictures", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="where they go")
    wanted: Path = parser.parse_args().folder
    wanted.mkdir(parents=True, exist_ok=True)
    say("bundling the pages")
    web.build(ROOT)
    asyncio.run(main(wanted))
