"""The playground for everybody: screen readers, small windows, still pictures, first visits."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from browser.axe import violations
from browser.playground_page import SOUND_MS, Playground
from browser.window import Windows
from end_to_end.product import running
from hostile.serving import Server

SIZES = [(390, 844), (768, 1024), (1440, 900)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_axe_finds_nothing_before_in_and_after_a_call(
    width: int, height: int, scheme: str, speech_server: Server, chromium: Windows
) -> None:
    """On a phone, a tablet and a desktop, in both colours: no problem of any weight."""
    shown = await Playground.opened(
        chromium,
        speech_server.http,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
    )
    assert await violations(shown.page) == []
    await shown.set("mode", "type_read")
    await shown.talk.click()
    await shown.type("Hello")
    await expect(shown.agents).to_have_count(2)
    assert await violations(shown.page) == []
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await shown.page.evaluate(wide) <= 0
    await shown.page.get_by_role("button", name="Messages").click()
    assert await violations(shown.page) == []
    await shown.page.keyboard.press("Escape")
    await shown.page.get_by_role("button", name="Code").click()
    assert await violations(shown.page) == []


async def test_on_a_phone_the_button_is_in_reach_and_the_settings_are_a_sheet(
    speech_server: Server, chromium: Windows
) -> None:
    """The button stands in the lower half, before and in a call; the sheet opens and closes."""
    shown = await Playground.opened(
        chromium, speech_server.http, viewport={"width": 390, "height": 844}, has_touch=True
    )
    await shown.page.get_by_role("button", name="Settings", exact=True).click()
    sheet = shown.page.get_by_role("dialog", name="Settings")
    await expect(sheet).to_be_visible()
    await sheet.get_by_label("How you talk").select_option("type_read")
    await sheet.get_by_role("button", name="Close settings").click()
    await expect(sheet).to_be_hidden()
    await _in_reach(shown)
    await shown.talk.click()
    await expect(shown.state).to_have_text("Your turn to type")
    await _in_reach(shown)


async def _in_reach(shown: Playground) -> None:
    """Of a thumb: low, whole, and large enough."""
    box = await shown.talk.bounding_box()
    assert box is not None
    assert box["y"] > 844 / 2
    assert box["y"] + box["height"] < 844
    assert min(box["width"], box["height"]) >= 48


async def test_a_screen_reader_is_told_final_lines_and_no_partial_ones(
    speech_server: Server, chromium: Windows
) -> None:
    """What is announced politely are whole lines, with who said them."""
    shown = await Playground.opened(chromium, speech_server.http)
    await shown.set("mode", "type_read")
    await shown.set("greeting", "One two three four five.")
    await shown.talk.click()
    spoken = shown.page.locator("[role=status][aria-live=polite].visually-hidden")
    await expect(spoken).to_contain_text("Agent: One two three four five.")
    assert await spoken.locator("p").count() == 1
    region = shown.page.get_by_role("region", name="Conversation")
    assert await region.get_attribute("aria-live") is None


async def test_who_wants_nothing_to_move_gets_levels_in_place(
    speech_server: Server, chromium: Windows
) -> None:
    """With reduced motion a call works the same, and nothing is animated for long."""
    shown = await Playground.opened(chromium, speech_server.http, reduced_motion="reduce")
    await shown.set("mode", "type_hear")
    await shown.talk.click()
    await expect(shown.agents.first).to_contain_text("Hello", timeout=SOUND_MS)
    long = "document.getAnimations().filter((one) => one.playState === 'running').length"
    assert await shown.page.evaluate(long) == 0


async def test_a_server_with_keys_asks_for_one_and_then_talks(
    built_pages: None, tmp_path: Any, chromium: Windows
) -> None:
    """A wrong key is refused in words; a good one opens the page, and its token the socket."""
    del built_pages
    chromium.expect("401|403|404|422")
    key = "antiphon-test-key-0123456789abcdef"
    with running(tmp_path / "log", ANTIPHON_API_KEYS=key) as server:
        page = await chromium.open(server.http)
        field = page.get_by_label("API key")
        await field.fill("no key at all")
        await field.press("Enter")
        await expect(page.locator("#api-key-error")).not_to_be_empty()
        await field.fill(key)
        await field.press("Enter")
        shown = Playground(page)
        await expect(shown.talk).to_be_visible()
        await shown.set("mode", "type_read")
        await shown.talk.click()
        await expect(shown.agents.first).to_contain_text("Hello")


async def test_a_server_that_went_away_is_told_in_plain_words(
    built_pages: None, tmp_path: Any, chromium: Windows
) -> None:
    """The page says that the server cannot be reached, and offers to try again."""
    del built_pages
    chromium.expect("WebSocket|ERR_CONNECTION_REFUSED")
    with running(tmp_path / "log") as server:
        shown = await Playground.opened(chromium, server.http)
        await shown.set("mode", "type_read")
    await shown.talk.click()
    problem = shown.page.locator("#problem")
    await expect(problem).to_contain_text("cannot be reached", timeout=SOUND_MS)
    await expect(problem.get_by_role("button", name="Try again")).to_be_visible()
    await expect(shown.talk).to_have_accessible_name("Talk")
