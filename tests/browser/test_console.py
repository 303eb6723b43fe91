"""The console in a real browser, over a real server with a thousand stored calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from browser.axe import SERIOUS, violations
from browser.console_calls import FULL, LONG, MANY
from browser.console_page import (
    PHONE,
    READY_MS,
    Desk,
    desk_with_calls,
    settled,
    sign_in,
    signed_in,
)
from browser.window import Windows
from hostile.serving import Server

PAGES: dict[str, str | re.Pattern[str]] = {
    "/console": "Overview",
    "/console/live": "Live",
    "/console/sessions": "Sessions",
    f"/console/sessions/{FULL}": re.compile("Call of"),
    "/console/agents": "Agents",
    "/console/agents/new": "New agent",
    "/console/providers": "Providers",
    "/console/usage": "Usage",
    "/console/keys": "Keys",
}

BUDGET_BYTES = 250_000
# Where the window is once it has been scrolled, in pixels.
_SCROLLED = """() => new Promise((done) => {
  const look = () => (scrollY ? done(scrollY) : requestAnimationFrame(look));
  look();
})"""


@pytest.fixture(scope="module")
def desk(built_pages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One server for all tests of this file."""
    del built_pages
    with desk_with_calls(tmp_path_factory.mktemp("console"), MANY) as opened:
        yield opened


async def test_who_has_no_key_is_asked_for_one_and_then_led_where_they_wanted_to_go(
    desk: Desk, chromium: Windows
) -> None:
    """A shared link opens after the sign-in; a wrong key is said to be wrong."""
    chromium.expect("status of 401")
    page = await chromium.open(desk.url("/console/usage?days=7"))
    await page.get_by_label("API key").fill("antiphon_wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text(re.compile("key", re.IGNORECASE))
    await sign_in(page, desk.operator)
    await expect(page.locator("h1")).to_have_text("Usage")
    await expect(page.get_by_role("button", name="7 d")).to_have_attribute("aria-pressed", "true")


async def test_signing_out_ends_it(desk: Desk, chromium: Windows) -> None:
    """Neither the page nor a fresh one shows anything afterwards."""
    page = await signed_in(chromium, desk, "/console")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("API key")).to_be_visible()
    await page.goto(desk.url("/console/sessions"))
    await expect(page.get_by_label("API key")).to_be_visible()
    await expect(page.locator("table")).to_have_count(0)


async def test_a_key_that_ends_while_the_page_is_open_leads_to_the_sign_in(
    desk: Desk, chromium: Windows
) -> None:
    """What the page asks next is refused; after the sign-in it is where it was."""
    page = await signed_in(chromium, desk, "/console/agents")
    await page.context.clear_cookies()
    await page.get_by_role("link", name="Sessions").click()
    await sign_in(page, desk.operator)
    await expect(page.locator("h1")).to_have_text("Sessions")


async def test_a_server_without_keys_opens_at_once_and_says_so(
    page_server: Server, chromium: Windows
) -> None:
    """Development mode: no sign-in, no sign-out, and a warning."""
    page = await chromium.open(f"{page_server.http}/console")
    await settled(page)
    await expect(page.locator(".standing")).to_contain_text("Development mode")
    await expect(page.get_by_role("button", name="Sign out")).to_have_count(0)


async def test_a_key_without_the_scope_is_told_which(desk: Desk, chromium: Windows) -> None:
    """Each page names what it needs, and offers to use another key."""
    chromium.expect("status of 40[13]")
    page = await chromium.open(desk.url("/console/keys"))
    await sign_in(page, desk.caller)
    await expect(page.locator("main")).to_contain_text("operator")
    await page.get_by_role("link", name="Sessions").click()
    await expect(page.locator("main h2")).to_have_text("This needs the scope “sessions”")
    await page.get_by_role("button", name="Use another key").click()
    await sign_in(page, desk.operator)
    await expect(page.locator("h1")).to_have_text("Sessions")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_no_page_has_a_serious_fault_of_accessibility(
    desk: Desk, chromium: Windows, path: str, theme: str
) -> None:
    """axe-core, with everything unfolded, in both sets of colours; nothing is wider than it is."""
    page = await signed_in(chromium, desk, path, color_scheme=theme)
    await expect(page.locator("h1")).to_have_text(PAGES[path])
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    await settled(page)
    assert await violations(page, SERIOUS) == []


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_fits_on_a_phone(desk: Desk, chromium: Windows, path: str) -> None:
    """At 390 pixels nothing makes the page itself scroll sideways, and axe-core is content."""
    page = await signed_in(chromium, desk, path, **PHONE)
    await expect(page.locator("h1")).to_be_visible()
    assert await _overhang(page) <= 0
    assert await violations(page, SERIOUS) == []


async def _overhang(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    wider: int = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return wider


async def test_the_sign_in_has_no_serious_fault_of_accessibility(
    desk: Desk, chromium: Windows
) -> None:
    """It is the first page that anybody meets."""
    chromium.expect("status of 401")
    page = await chromium.open(desk.url("/console"))
    await expect(page.get_by_label("API key")).to_be_focused()
    assert await violations(page, SERIOUS) == []


async def test_the_menu_of_a_phone_unfolds_and_folds(desk: Desk, chromium: Windows) -> None:
    """By a press, by Escape, and by going somewhere."""
    page = await signed_in(chromium, desk, "/console/agents", **PHONE)
    menu, ways = page.get_by_role("button", name="Menu"), page.locator("nav.ways")
    await expect(ways).to_be_hidden()
    await menu.click()
    await expect(ways).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(ways).to_be_hidden()
    await expect(menu).to_be_focused()
    await menu.click()
    await ways.get_by_role("link", name="Usage").click()
    await expect(page.locator("h1")).to_have_text("Usage")
    await expect(ways).to_be_hidden()


async def test_back_and_forward_go_through_pages_without_loading_them_again(
    desk: Desk, chromium: Windows
) -> None:
    """The address, the page and what the filter says come back."""
    page = await signed_in(chromium, desk, "/console/sessions")
    await page.evaluate("window.same = true")
    await page.get_by_label("With errors").check()
    await expect(page).to_have_url(re.compile("errors=1"))
    await expect(page.get_by_text("1 call found", exact=True).first).to_be_visible()
    await page.get_by_role("link", name="Agents").click()
    await expect(page.locator("h1")).to_have_text("Agents")
    await page.go_back()
    await expect(page.locator("h1")).to_have_text("Sessions")
    await expect(page.get_by_label("With errors")).to_be_checked()
    await page.go_back()
    await expect(page.get_by_label("With errors")).not_to_be_checked()
    await page.go_forward()
    await expect(page.get_by_label("With errors")).to_be_checked()
    assert await page.evaluate("window.same") is True


async def test_whoever_comes_back_is_where_they_were(desk: Desk, chromium: Windows) -> None:
    """A long list is scrolled to the same place; a page that is new begins at its top."""
    page = await signed_in(chromium, desk, "/console/sessions")
    await expect(page.locator("tbody tr")).to_have_count(50)
    await page.evaluate("scrollTo(0, 700)")
    # Playwright's own click might scroll.
    await page.locator("tbody a.whole").nth(15).evaluate("(link) => link.click()")
    await expect(page.locator("h1")).to_contain_text("Call of")
    assert await page.evaluate("scrollY") == 0
    await page.go_back()
    assert await page.evaluate(_SCROLLED) == 700


async def test_the_overview_shows_times_counts_and_the_slowest_calls(
    desk: Desk, chromium: Windows
) -> None:
    """Of the range and the stage that the address names; the chart's numbers are a table, too."""
    page = await signed_in(chromium, desk, "/console")
    await expect(page.locator(".uplot canvas")).to_be_visible()
    await expect(page.locator(".stat").nth(3)).to_contain_text(re.compile(r"\d ms"))
    await page.get_by_label("Stage").select_option("language_model_first_token")
    await expect(page).to_have_url(re.compile("stage=language_model_first_token"))
    await page.get_by_role("button", name="7 d").click()
    await expect(page).to_have_url(re.compile("range=7d&stage=language_model_first_token"))
    await page.get_by_text("The numbers").click()
    await expect(page.locator(".chart .table-wrap td").first).to_contain_text("ms")
    await page.locator("tbody a.whole").first.click()
    await expect(page).to_have_url(re.compile(r"/console/sessions/sess_\w+#slowest"))
    await expect(page.locator(".turn.meant")).to_be_in_viewport()


async def test_a_thousand_calls_are_searched_and_walked_by_keyboard(
    desk: Desk, chromium: Windows
) -> None:
    """Pages by a cursor in the address; arrows go from line to line, Enter opens one."""
    page = await signed_in(chromium, desk, "/console/sessions")
    await expect(page.locator("main").get_by_text(f"{MANY:,} calls")).to_be_visible()
    await page.get_by_role("link", name="Older").click()
    await expect(page).to_have_url(re.compile("cursor="))
    await expect(page.get_by_role("link", name="Newest")).to_be_visible()
    search = page.get_by_role("searchbox", name="Search")
    await search.fill("order number 77,")
    await search.press("Enter")
    await expect(page).to_have_url(re.compile("search=order"))
    await expect(page.locator("main").get_by_text("found")).to_be_visible()
    first, second = (page.locator("a.whole").nth(place) for place in (0, 1))
    await first.focus()
    await page.keyboard.press("ArrowDown")
    await expect(second).to_be_focused()
    await page.keyboard.press("k")
    await expect(first).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("Call of")


async def test_a_search_without_a_result_says_so_and_shows_the_way_back(
    desk: Desk, chromium: Windows
) -> None:
    """An empty list is no empty page."""
    page = await signed_in(chromium, desk, "/console/sessions?search=nobodysaidthis")
    await expect(page.locator(".empty")).to_contain_text("No call is like that")
    await page.get_by_role("link", name="Show all calls").click()
    await expect(page.locator("tbody tr")).to_have_count(50)


async def test_a_server_that_is_away_is_said_to_be_and_asked_again(
    desk: Desk, chromium: Windows
) -> None:
    """The page says it in words, with another try, which works once the server is back."""
    chromium.expect("ERR_FAILED")
    page = await signed_in(chromium, desk, "/console/agents")

    async def away(route: Route) -> None:
        await route.abort()

    await page.route("**/v1/console/sessions?*", away)
    await page.get_by_role("link", name="Sessions").click()
    await expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    await page.unroute("**/v1/console/sessions?*")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("tbody tr")).to_have_count(50, timeout=READY_MS)


async def test_what_waits_longer_than_a_moment_shows_where_it_will_be(
    desk: Desk, chromium: Windows
) -> None:
    """The page is busy, and its skeleton is there until the answer is."""
    page = await signed_in(chromium, desk, "/console/agents")
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.route("**/v1/console/sessions?*", hold)
    await page.get_by_role("link", name="Sessions").click()
    await expect(page.locator("[aria-busy] .skeleton").first).to_be_visible()
    await held[0].continue_()
    await expect(page.locator("[aria-busy]")).to_have_count(0)
    await expect(page.locator("tbody tr")).to_have_count(50)


async def test_an_address_that_is_no_page_leads_back(desk: Desk, chromium: Windows) -> None:
    """And so do a call and an agent that are not there."""
    chromium.expect("status of 404")
    page = await signed_in(chromium, desk, "/console/nothing/here")
    await expect(page.locator("h1")).to_have_text("There is no such page")
    await page.goto(desk.url("/console/sessions/sess_none"))
    await expect(page.locator("h1")).to_have_text("There is no such call")
    await page.goto(desk.url("/console/agents/agent_none"))
    await expect(page.locator("h1")).to_have_text("There is no such agent")


async def test_usage_is_added_up_by_day_and_by_key_and_saved_as_a_table(
    desk: Desk, chromium: Windows, tmp_path: Path
) -> None:
    """The bars and the table are of the same numbers; columns sort, and say how."""
    page = await signed_in(chromium, desk, "/console/usage")
    await expect(page.locator(".uplot canvas")).to_be_visible()
    heading = page.get_by_role("columnheader", name="Calls")
    await heading.get_by_role("button").click()
    await expect(heading).to_have_attribute("aria-sort", "descending")
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Export CSV").click()
    saved = tmp_path / "usage.csv"
    await (await saving.value).save_as(saved)
    lines = saved.read_text("utf-8").splitlines()
    columns = "day,sessions,connected_seconds,prompt_tokens,completion_tokens,characters"
    assert lines[0] == columns
    assert len(lines) == 1 + await page.locator(".table-wrap.cards tbody tr").count()
    await page.get_by_role("button", name="By key").click()
    await expect(page.locator("main")).to_contain_text("Without a key")


async def test_providers_show_how_each_stage_is_served(desk: Desk, chromium: Windows) -> None:
    """A card for each stage, with who serves it."""
    page = await signed_in(chromium, desk, "/console/providers")
    for stage in ("Speech to text", "Language model", "Text to speech"):
        card = page.locator("section").filter(has=page.get_by_role("heading", name=stage))
        await expect(card).to_contain_text("scripted")


async def test_charts_follow_the_colours(desk: Desk, chromium: Windows) -> None:
    """The button goes through light and dark; the page, its charts and the next visit follow."""
    page = await signed_in(chromium, desk, "/console")
    await expect(page.locator(".uplot canvas")).to_be_visible()
    await page.get_by_role("button", name="Colours").click()
    await page.get_by_role("button", name="Colours").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.locator(".uplot")).to_have_count(1)
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_a_call_of_two_hundred_turns_is_led_to_from_a_link(
    desk: Desk, chromium: Windows
) -> None:
    """The link of a turn leads to it, however far down it is."""
    page = await signed_in(chromium, desk, f"/console/sessions/{LONG}#turn-resp_0150")
    await expect(page.locator("#turn-resp_0150")).to_be_in_viewport()
    await expect(page.locator("#turn-resp_0150")).to_be_focused()


async def test_the_first_visit_is_light(desk: Desk, chromium: Windows) -> None:
    """All that is loaded before anything is shown, compressed; budget: 250 kB."""
    page = await signed_in(chromium, desk, "/console")
    loaded: int = await page.evaluate(
        """() => performance.getEntries()
          .filter((one) => one.transferSize && !new URL(one.name).pathname.startsWith("/v1/"))
          .reduce((sum, one) => sum + one.transferSize, 0)"""
    )
    assert 10_000 < loaded < BUDGET_BYTES
