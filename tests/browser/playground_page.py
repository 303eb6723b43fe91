"""The playground as its user has it: what it shows, and what is pressed and typed."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from antiphon.wav import resample
from antiphon_providers.interfaces import HEARING_RATE
from browser.window import Windows

SOUND_MS = 20_000.0
"""How long sound may take to become words, or words sound, on a busy machine."""

# Keeps what reaches the loudspeaker: whoever connects to it is recorded, too. A microphone does
# so in silence; the loudest is the agent.
_TAP = """
(() => {
  const connect = AudioNode.prototype.connect;
  const taps = [];
  AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode) {
      const tap = this.context.createMediaStreamDestination();
      connect.call(this, tap);
      const recorder = new MediaRecorder(tap.stream);
      const pieces = [];
      recorder.ondataavailable = ({ data }) => pieces.push(data);
      recorder.start(100);
      taps.push({ recorder, pieces });
    }
    return connect.call(this, to, ...more);
  };
  const samplesOf = async ({ recorder, pieces }) => {
    if (recorder.state !== "inactive") {
      const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
      recorder.stop();
      await stopped;
    }
    if (!pieces.length) return new Float32Array(0);
    const bytes = await new Blob(pieces).arrayBuffer();
    const decoder = new OfflineAudioContext(1, 1, 48000);
    return (await decoder.decodeAudioData(bytes)).getChannelData(0);
  };
  const loudness = (samples) => samples.reduce((sum, one) => sum + one * one, 0);
  window.heard = async () => {
    const all = await Promise.all(taps.map(samplesOf));
    const [loudest] = all.sort((one, other) => loudness(other) - loudness(one));
    const raw = new Uint8Array(Int16Array.from(loudest, (one) => one * 32767).buffer);
    let text = "";
    for (let at = 0; at < raw.length; at += 32768) {
      text += String.fromCharCode(...raw.subarray(at, at + 32768));
    }
    return btoa(text);
  };
})();
"""


class Playground:
    """One page of it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def opened(cls, windows: Windows, url: str, **options: Any) -> Playground:
        """The page, loaded, with a tap at its loudspeaker."""
        page = await windows.blank(**options)
        await page.add_init_script(_TAP)
        await page.goto(url)
        shown = cls(page)
        await expect(shown.talk).to_be_visible()
        return shown

    @property
    def talk(self) -> Locator:
        """The one big button."""
        return self.page.locator("#talk")

    @property
    def state(self) -> Locator:
        """What the call is doing."""
        return self.page.locator("#state-words")

    @property
    def users(self) -> Locator:
        """What the user said, line by line."""
        return self.page.locator(".line.user > .said")

    @property
    def agents(self) -> Locator:
        """What the agent said, line by line."""
        return self.page.locator(".line.agent > .said")

    @property
    def turns(self) -> Locator:
        """The times of each turn, newest first."""
        return self.page.locator("#turns > li")

    async def set(self, name: str, value: str) -> None:
        """Writes into a field of the settings, wherever it is folded away."""
        async with self._field(name) as field:
            if await field.evaluate("(one) => one.localName") == "select":
                await field.select_option(value)
            else:
                await field.fill(value)

    async def untick(self, name: str) -> None:
        """Switches something of the settings off."""
        async with self._field(name) as field:
            await field.uncheck()

    @asynccontextmanager
    async def _field(self, name: str) -> AsyncIterator[Locator]:
        field = self.page.locator(f"#set-{name}")
        sheet = self.page.get_by_role("button", name="Settings", exact=True)
        is_narrow = await sheet.is_visible()
        if is_narrow:
            await sheet.click()
        await field.wait_for(state="attached")
        # In one step: the form may be drawn anew, when the server has told what it has.
        await self.page.evaluate(
            "(name) => document.getElementById(name).closest('details')?.setAttribute('open', '')",
            f"set-{name}",
        )
        yield field
        if is_narrow:
            await self.page.get_by_role("button", name="Close settings").click()

    async def type(self, text: str) -> None:
        """Says something in writing."""
        await self.page.locator("#typed").fill(text)
        await self.page.locator("#typed").press("Enter")

    async def heard(self) -> bytes:
        """All that reached the loudspeaker, int16 mono PCM at ``HEARING_RATE``."""
        encoded: str = await self.page.evaluate("window.heard()")
        return resample(base64.b64decode(encoded), 48_000, HEARING_RATE, "the loudspeaker")

    async def stages(self, turn: Locator) -> dict[str, float]:
        """Milliseconds by the name of the stage, as a waterfall shows them."""
        names = await turn.locator(".waterfall .step > :first-child").all_text_contents()
        values = await turn.locator(".waterfall .step > :last-child").all_text_contents()
        pairs = zip(names, values, strict=True)
        return {name.partition(" · ")[0]: _ms(value) for name, value in pairs}


def _ms(shown: str) -> float:
    found = re.fullmatch(r"([\d.,]+) (ms|s)", shown)
    assert found is not None, shown
    return float(found[1].replace(",", "")) * (1000 if found[2] == "s" else 1)


def loudness(pcm: bytes) -> float:
    """Root mean square, of 32768."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float64)
    return float(np.sqrt(np.mean(samples**2))) if samples.size else 0.0


class Line:
    """The wire between a page and its server, to be cut and to be spoken on."""

    def __init__(self) -> None:
        self.sockets = 0
        self._route: WebSocketRoute | None = None
        self._server: WebSocketRoute | None = None

    async def watch(self, page: Page) -> None:
        """Takes the page's sockets from now on; what nobody cuts goes through."""
        await page.route_web_socket(re.compile(r"/v1/ws"), self._opened)

    def _opened(self, route: WebSocketRoute) -> None:
        self.sockets += 1
        self._route = route
        self._server = route.connect_to_server()

    async def cut(self) -> None:
        """The socket is lost, on both sides."""
        assert self._route is not None
        assert self._server is not None
        # The page's side first: what it still sends would find the other side closed.
        route, server = self._route, self._server
        await route.close(code=4000, reason="cut")
        await server.close(code=4000, reason="cut")

    def say(self, message: str) -> None:
        """The page receives this as if it came from its server."""
        assert self._route is not None
        self._route.send(message)
