"""The SDK's example for browsers, as a newcomer starts it, in a real browser."""

from __future__ import annotations

import asyncio
import socket as sockets
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from playwright.async_api import expect

from browser.window import Speaking, microphone_wav
from clients.js_sdk import PACKAGE
from hostile.serving import Server, environment
from node_tools import NODE

RESET = struct.pack("ii", 1, 0)
"""Of SO_LINGER: closing resets the connection."""


class Cable:
    """What lies between the browser and the server; ``address`` is this end of it."""

    def __init__(self) -> None:
        self.address = ""
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Resets every connection, on both sides."""
        for writer in self._writers:
            raw = writer.get_extra_info("socket")
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, RESET)
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Passes on what comes, until it ends."""
        self._writers.add(writer)
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self._writers.discard(writer)


@asynccontextmanager
async def cable_to(server: Server) -> AsyncIterator[Cable]:
    """A cable that ends at a server."""
    cable = Cable()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        further = await asyncio.open_connection(server.host, server.port)
        await asyncio.gather(cable.carry(reader, further[1]), cable.carry(further[0], writer))

    listening = await asyncio.start_server(connect, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    cable.address = f"http://{host}:{port}"
    try:
        yield cable
    finally:
        listening.close()
        cable.cut()


@asynccontextmanager
async def example(antiphon: str) -> AsyncIterator[str]:
    """The address of the example's own server, which mints tokens of the server there."""
    process = await asyncio.create_subprocess_exec(
        NODE, str(PACKAGE / "examples" / "browser" / "server.mjs"), "0",
        env=environment("/nowhere", ANTIPHON_URL=antiphon),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).split()[-1].decode()
    finally:
        process.terminate()
        await process.communicate()


async def test_the_example_talks_comes_back_and_hangs_up(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """One click and the agent greets; the call goes on after its connection was reset."""
    windows = await speaking(microphone_wav(tmp_path / "quiet.wav", 1.0))
    async with cable_to(page_server) as cable, example(cable.address) as address:
        page = await windows.open(address)
        state, button = page.locator("#state"), page.locator("#talk")
        await button.click()
        await expect(state).to_have_text("ready")
        await expect(page.locator("#transcript")).to_contain_text("Agent: Good evening!")
        await page.evaluate(
            "window.states = [];"
            "new MutationObserver(() => states.push(document.querySelector('#state').textContent))"
            ".observe(document.querySelector('#state'), { childList: true })"
        )
        cable.cut()
        await page.wait_for_function("states.length === 2")
        assert await page.evaluate("states") == ["reconnecting", "ready"]
        await button.click()
        await expect(state).to_have_text("ended")
        await expect(button).to_have_text("Talk")
        await expect(page.locator("li")).to_have_count(1)
