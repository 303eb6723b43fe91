"""The talk button, on a page of another site whose rules are strict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.async_api import Page, expect

from browser.axe import SERIOUS, violations
from browser.window import Speaking, Windows, microphone_wav
from hostile.serving import Server

SOUND_MS = 15_000
GREETING = "Good evening. One two three four five six seven eight."


@contextmanager
def other_site(server: Server, attributes: str) -> Iterator[str]:
    """A site that allows the server's scripts and sockets, and nothing else; its address."""
    host = server.http.removeprefix("http://")
    rules = f"default-src 'none'; script-src http://{host}; connect-src http://{host} ws://{host}"
    body = f"""<!doctype html><html lang="en"><title>A page</title>
        <h1>A page</h1>
        <script type="module" src="http://{host}/assets/antiphon-widget.js"></script>
        <antiphon-agent url="ws://{host}/v1/ws" {attributes}></antiphon-agent></html>"""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", rules)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        Thread(target=site.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{site.server_port}"
        finally:
            site.shutdown()


async def page_with(windows: Windows, server: Server, attributes: str = "") -> Page:
    """A page of another site, with the talk button."""
    with other_site(server, attributes) as url:
        page = await windows.open(url)
    await page.evaluate("() => customElements.whenDefined('antiphon-agent').then(() => true)")
    await page.evaluate(
        """(greeting) => {
            const widget = document.querySelector("antiphon-agent");
            widget.options = { session: { greeting } };
            window.states = [];
            document.addEventListener("antiphon-state", ({ detail }) => window.states.push(detail));
        }""",
        GREETING,
    )
    return page


async def test_a_click_calls_and_another_hangs_up(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """The states are told by words, by the button, and by an event; the words are shown."""
    windows = await speaking(microphone_wav(tmp_path / "heard.wav", 1.0))
    page = await page_with(windows, page_server, "transcript label='Call us'")
    button = page.get_by_role("button", name="Call us")
    assert await violations(page, SERIOUS) == []
    await expect(button).to_have_attribute("aria-pressed", "false")
    await button.click()
    hang_up = page.get_by_role("button", name="Hang up")
    await expect(hang_up).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_role("status")).to_have_text("Speaking", timeout=SOUND_MS)
    await expect(page.get_by_role("log")).to_contain_text(GREETING, timeout=SOUND_MS)
    await expect(page.get_by_role("status")).to_have_text("Listening", timeout=SOUND_MS)
    assert await violations(page, SERIOUS) == []
    mute = page.get_by_role("button", name="Mute microphone")
    await mute.click()
    await expect(mute).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_role("status")).to_have_text("Muted")
    await hang_up.click()
    await expect(button).to_have_attribute("aria-pressed", "false")
    await expect(mute).to_be_hidden()
    states = await page.evaluate("window.states")
    assert states == ["connecting", "listening", "speaking", "listening", "idle"]


async def test_the_keyboard_is_enough(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """Tab and space, and Tab to the microphone's button; the focus can be seen."""
    windows = await speaking(microphone_wav(tmp_path / "heard.wav", 1.0))
    page = await page_with(windows, page_server)
    await page.keyboard.press("Tab")
    outline = await page.evaluate(
        """() => {
            const { shadowRoot } = document.querySelector("antiphon-agent");
            return getComputedStyle(shadowRoot.activeElement).outlineStyle;
        }"""
    )
    assert outline == "solid"
    await page.keyboard.press("Space")
    status = page.get_by_role("status")
    await expect(status).to_have_text(re.compile("Speaking|Listening"), timeout=SOUND_MS)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    mute = page.get_by_role("button", name="Mute microphone")
    await expect(mute).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Talk")).to_be_focused()


async def test_what_goes_wrong_is_said_and_can_be_tried_again(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """The words are shown as text, whatever is in them."""
    windows = await speaking(microphone_wav(tmp_path / "heard.wav", 1.0))
    page = await page_with(windows, page_server)
    await page.evaluate(
        """() => {
            const { mediaDevices } = navigator;
            window.ask = mediaDevices.getUserMedia.bind(mediaDevices);
            navigator.mediaDevices.getUserMedia = async () => {
                throw new DOMException("<b>no</b>", "NotAllowedError");
            };
        }"""
    )
    await page.get_by_role("button", name="Talk").click()
    status = page.get_by_role("status")
    await expect(status).to_contain_text("The microphone is not allowed")
    again = page.get_by_role("button", name="Try again")
    await expect(again).to_have_attribute("aria-pressed", "false")
    await page.evaluate("() => { navigator.mediaDevices.getUserMedia = window.ask; }")
    await again.click()
    await expect(status).to_have_text("Speaking", timeout=SOUND_MS)


async def test_an_element_that_is_removed_hangs_up(
    page_server: Server, speaking: Speaking, tmp_path: Path
) -> None:
    """Nothing of it is left; hostile words were only ever text."""
    windows = await speaking(microphone_wav(tmp_path / "heard.wav", 1.0))
    page = await page_with(windows, page_server, "transcript")
    await page.evaluate(
        """() => {
            const session = { greeting: "<img src=x onerror=alert(1)> & \\u202e so on" };
            document.querySelector("antiphon-agent").options = { session };
        }"""
    )
    await page.get_by_role("button", name="Talk").click()
    await expect(page.get_by_role("log")).to_contain_text("<img src=x", timeout=SOUND_MS)
    assert await page.locator("img").count() == 0
    state = await page.evaluate(
        """async () => {
            const widget = document.querySelector("antiphon-agent");
            const { agent } = widget;
            const { context } = agent.player;
            widget.remove();
            while (agent.state !== "ended" || context.state !== "closed") {
                await new Promise((resolve) => setTimeout(resolve, 10));
            }
            return widget.state;
        }"""
    )
    assert state == "idle"


async def test_it_follows_the_light_and_may_be_coloured(
    page_server: Server, chromium: Windows
) -> None:
    """Dark and light by the system's wish, and a page's own colours before both."""
    page = await page_with(chromium, page_server)
    button = page.get_by_role("button", name="Talk")
    colours = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await expect(button).to_have_css("transition-property", "background-color")
        await page.wait_for_timeout(200)
        colours.append(await button.evaluate("(it) => getComputedStyle(it).backgroundColor"))
    assert colours == ["rgb(11, 92, 138)", "rgb(124, 192, 236)"]
    await page.evaluate(
        """document.querySelector("antiphon-agent").style.setProperty(
            "--antiphon-accent", "rgb(1, 2, 3)")"""
    )
    await expect(button).to_have_css("background-color", "rgb(1, 2, 3)")
    await page.emulate_media(reduced_motion="reduce")
    await expect(button).to_have_css("transition-property", "none")
