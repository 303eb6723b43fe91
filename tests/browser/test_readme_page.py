"""The README's client in JavaScript, as somebody puts it into a page of their own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import expect

from antiphon_providers.contract.human_speech import clip
from browser.playground_page import SOUND_MS
from browser.window import Speaking, microphone_wav
from hostile.serving import Server

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


@asynccontextmanager
async def pages(body: str) -> AsyncIterator[str]:
    """The address of a page of another origin, in which a microphone may be asked for."""

    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(give, "127.0.0.1", 0) as serving:
        yield f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}/"


async def test_the_javascript_client_of_the_readme_works(
    speech_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """As it stands; only the address is changed. A click, the greeting, and what was said."""
    (page_of_readme,) = re.findall(r"^```html\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert "127.0.0.1:8400" in page_of_readme
    page_of_readme = page_of_readme.replace("127.0.0.1:8400", speech_server.http.split("//")[1])
    wav = microphone_wav(tmp_path / "microphone.wav", 6.0, clip("wisdom").pcm)
    page = await (await speaking(wav)).blank()

    body = f"<!doctype html><link rel='icon' href='data:,'>{page_of_readme}"
    async with pages(body) as elsewhere:
        await page.goto(elsewhere)
    await page.get_by_role("button", name="Talk").click()
    lines = page.locator("#transcript > li")
    await expect(lines.first).to_have_text("agent: Blue Door Hotel, this is Ada.", timeout=SOUND_MS)
    await expect(lines.nth(1)).to_have_text(re.compile("^user: .*wisdom"), timeout=SOUND_MS)
