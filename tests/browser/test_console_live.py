"""Calls of the Python SDK as the console shows them: while they go on, and when they are over."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, Route, expect

import antiphon as sdk
from browser.axe import SERIOUS, violations
from browser.console_page import READY_MS, Desk, desk_with_calls, settled, signed_in
from browser.window import Windows

GREETING = "Hello! Which order is it about?"
ASKED = "Where is my order, please?"


@pytest.fixture(scope="module")
def desk(built_pages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One server for all tests of this file."""
    del built_pages
    with desk_with_calls(tmp_path_factory.mktemp("console-live")) as opened:
        yield opened


async def _greeted(call: sdk.Call) -> None:
    async for event in call:
        if isinstance(event, sdk.ReplyDone):
            return


async def test_a_call_appears_while_it_goes_on_and_stays_as_a_record(
    desk: Desk, chromium: Windows
) -> None:
    """Its state and its words by themselves, then its page with the recording of both voices."""
    page = await signed_in(chromium, desk, "/console/live")
    await expect(page.locator(".empty")).to_contain_text("Nobody is talking")
    settings = {"system_prompt": "Be brief.", "greeting": GREETING}
    async with sdk.connect(desk.server.ws, desk.operator, **settings) as call:  # type: ignore[arg-type]
        card = page.locator("article")
        await expect(card).to_have_count(1, timeout=READY_MS)
        await expect(page.locator("main")).to_contain_text("1 call now")
        await _greeted(call)
        await expect(card.locator(".badge").first).to_have_text("Listening", timeout=READY_MS)
        await expect(card).to_contain_text("scripted")
        await card.get_by_role("link").focus()
        await call.add_message("user", ASKED)
        await call.create_reply()
        await _greeted(call)
        await expect(card).to_contain_text(GREETING[:5])
        await expect(card.get_by_role("link")).to_be_focused()
        assert await violations(page, SERIOUS) == []
        session_id = call.session_id
    await expect(page.locator(".empty")).to_be_visible(timeout=READY_MS)
    await page.goto(desk.url(f"/console/sessions/{session_id}"))
    await settled(page)
    await expect(page.locator("li.turn").first).to_contain_text(GREETING)
    await expect(page.locator("li.turn").last).to_contain_text(ASKED)
    await expect(page.locator("main")).to_contain_text("By the client")
    await expect(page.locator(".waterfall").first).to_contain_text(re.compile(r"Server.*ms"))
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


async def test_the_live_page_asks_again_by_itself_when_the_server_was_away(
    desk: Desk, chromium: Windows
) -> None:
    """It says so meanwhile, and nothing has to be pressed."""
    chromium.expect("ERR_FAILED")
    page = await signed_in(chromium, desk, "/console/live")

    async def away(route: Route) -> None:
        await route.abort()

    await page.route("**/v1/console/live", away)
    await expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    await page.unroute("**/v1/console/live")
    await expect(page.locator(".empty")).to_contain_text("Nobody is talking")


async def test_a_page_that_nobody_looks_at_asks_nothing(desk: Desk, chromium: Windows) -> None:
    """Polling stops while the window is hidden, and goes on when it is seen again."""
    page = await signed_in(chromium, desk, "/console/live")
    await page.clock.install()
    await page.reload()
    await expect(page.locator(".empty")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await _hidden(page, hidden=True)
    await page.clock.run_for(2_000)
    asked.clear()  # What was on its way when the window was hidden.
    await page.clock.run_for(60_000)
    assert asked == []
    async with page.expect_request("**/v1/console/live"):
        await _hidden(page, hidden=False)


async def _hidden(page: Page, *, hidden: bool) -> None:
    """Chromium without a window is always seen: the page is told otherwise."""
    await page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
