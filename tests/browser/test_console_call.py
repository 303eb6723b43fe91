"""A call's page in the console: what was said, what was heard of it, and where the time went."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from browser.axe import SERIOUS, violations
from browser.console_calls import (
    ANSWER,
    DOOMED,
    ENDLESS,
    FULL,
    HOSTILE,
    LONG,
    LONG_TURNS,
    OVERRIDE,
    SCRIPT,
)
from browser.console_page import (
    READY_MS,
    Desk,
    desk_with_calls,
    json_lines,
    scrolled,
    signed_in,
)
from browser.window import Windows

SMOOTH_MS = 200.0
"""A task that keeps a wheel waiting for longer is felt."""

# The next word of the agent that is marked, as soon as one is.
_PLAYED_WORD = """() => new Promise((done) => {
  const look = () => {
    const words = [...(CSS.highlights.get("played-word") ?? [])].map(String);
    if (words.length) done(words.join(" "));
    else requestAnimationFrame(look);
  };
  look();
})"""


@pytest.fixture(scope="module")
def desk(built_pages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One server for all tests of this file."""
    del built_pages
    with desk_with_calls(tmp_path_factory.mktemp("console-call")) as opened:
        yield opened


async def _opened(windows: Windows, desk: Desk, session_id: str, anchor: str = "") -> Page:
    page = await signed_in(windows, desk, f"/console/sessions/{session_id}{anchor}")
    await expect(page.locator("h1")).to_contain_text("Call of")
    return page


async def test_each_turn_shows_words_stages_providers_and_why(
    desk: Desk, chromium: Windows
) -> None:
    """The stages on the path add up to the response; the model's name and its reason stand by."""
    page = await _opened(chromium, desk, FULL)
    turns = page.locator("li.turn")
    await expect(turns).to_have_count(3)
    first = turns.first
    await expect(first).to_contain_text("Where is order number 0, please?")
    await expect(first).to_contain_text("left the warehouse")
    await expect(first.locator(".waterfall")).to_have_attribute(
        "aria-label", re.compile(r"Response 608 ms: End of turn 300 ms, Model: first token 180 ms")
    )
    await expect(first).to_contain_text("openai, gpt-5-mini")
    await expect(first).to_contain_text("the fastest of late")
    assert await violations(page, SERIOUS) == []


async def test_an_interruption_shows_what_was_heard_and_what_was_cut(
    desk: Desk, chromium: Windows
) -> None:
    """What nobody heard is struck through, and said to be so."""
    page = await _opened(chromium, desk, FULL)
    turn = page.locator("li.turn").nth(2)
    await expect(turn).to_contain_text("Interrupted at 0:")
    await expect(turn.locator(".unheard")).to_contain_text("Not heard")
    await expect(turn.locator(".unheard .cut")).to_contain_text("tomorrow before noon.")


async def test_tools_errors_and_changes_are_told_in_words(desk: Desk, chromium: Windows) -> None:
    """A tool's arguments and result unfold; what went wrong says who was at fault."""
    page = await _opened(chromium, desk, FULL)
    tool = page.locator("details.tool")
    await tool.locator("summary").click()
    await expect(tool).to_contain_text('"number": "4711"')
    await expect(tool).to_contain_text('"state": "shipped"')
    await expect(page.locator("li.turn .notice")).to_contain_text("A provider stood in for another")
    await expect(page.get_by_label("What went wrong")).to_contain_text("the server refused")
    await page.get_by_role("heading", name="Configuration").click()
    await expect(page.get_by_text("Changed at 0:12")).to_be_visible()


async def test_the_recording_is_drawn_and_played_along_with_the_words(
    desk: Desk, chromium: Windows
) -> None:
    """Both channels; a press on a turn plays it; the turn and the word being heard are marked."""
    page = await _opened(chromium, desk, FULL)
    await expect(page.locator(".wave-bones")).to_have_count(0, timeout=READY_MS)
    canvases = await page.evaluate(
        "document.querySelector('.waves > div > div').shadowRoot"
        ".querySelectorAll('.canvases canvas').length"
    )
    assert canvases == 2, "one for each voice"
    await page.get_by_role("button", name="Play from 0:09").click()
    await expect(page.locator("#turn-resp_0001")).to_have_attribute("aria-current", "true")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    line = page.locator("#turn-resp_0000 bdi.playable").nth(1)
    await line.scroll_into_view_if_needed()
    box = await line.bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + 8, box["y"] + 8)
    await expect(page.locator("#turn-resp_0000")).to_have_attribute("aria-current", "true")
    word: str = await page.evaluate(_PLAYED_WORD)
    assert word in ANSWER.split()


async def test_the_recording_is_moved_by_keyboard(desk: Desk, chromium: Windows) -> None:
    """An arrow goes five seconds on, and a screen reader is told the time."""
    page = await _opened(chromium, desk, FULL)
    place = page.get_by_label("Place in the recording")
    await expect(place).to_have_attribute("aria-valuetext", re.compile("0:40$"), timeout=READY_MS)
    await place.focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(place).to_have_attribute("aria-valuetext", re.compile("^0:10"))


async def test_a_call_without_a_recording_says_why(desk: Desk, chromium: Windows) -> None:
    """The turns are there all the same, and nothing offers to play them."""
    page = await _opened(chromium, desk, DOOMED)
    await expect(page.locator("main")).to_contain_text("was not recorded")
    await expect(page.get_by_role("button", name=re.compile("Play"))).to_have_count(0)


async def test_the_event_log_is_read_filtered_and_saved(
    desk: Desk, chromium: Windows, tmp_path: Path
) -> None:
    """All records, in their order; the file has every one of them as a line."""
    page = await _opened(chromium, desk, LONG)
    await page.get_by_role("heading", name="Event log").click()
    await expect(page.locator(".events > li")).to_have_count(100)
    await page.get_by_role("button", name="More").click()
    await expect(page.locator(".events > li")).to_have_count(200)
    await page.get_by_label("Kind of event").select_option("started")
    await expect(page.locator(".events > li:visible")).to_have_count(1)
    await page.locator("summary").filter(has_text="Download").click()
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Events (JSON lines)").click()
    saved = tmp_path / "events.jsonl"
    await (await saving.value).save_as(saved)
    events = json_lines(saved)
    assert [one["seq"] for one in events] == list(range(2 * LONG_TURNS + 3))
    assert (events[0]["kind"], events[-1]["kind"]) == ("started", "ended")


async def test_two_hundred_turns_stay_smooth(desk: Desk, chromium: Windows) -> None:
    """Nothing that scrolling down all of them causes keeps the wheel waiting."""
    page = await _opened(chromium, desk, LONG)
    await expect(page.locator("li.turn")).to_have_count(LONG_TURNS)
    tasks = await scrolled(page, 150)
    assert await page.evaluate("scrollY") > 10_000
    assert [task for task in tasks if task > SMOOTH_MS] == []


async def test_the_slowest_turn_is_one_press_away(desk: Desk, chromium: Windows) -> None:
    """The fact's link and the bars at a glance lead to turns."""
    page = await _opened(chromium, desk, LONG)
    await page.locator("a[href='#slowest']").click()
    await expect(page.locator(".turn.meant")).to_be_in_viewport()
    await expect(page.locator(".glance a")).to_have_count(LONG_TURNS)


async def test_hostile_words_are_shown_as_text_and_break_nothing(
    desk: Desk, chromium: Windows
) -> None:
    """Markup stays text, marks of direction are seen, 100 000 letters are cut and wrap."""
    page = await _opened(chromium, desk, HOSTILE)
    turn = page.locator("li.turn").first
    await expect(turn).to_contain_text(SCRIPT)
    await expect(turn).to_contain_text("⟨U+202E⟩gnp.exe")
    tool = turn.locator("details.tool")
    await tool.locator("summary").click()
    await expect(tool.locator(".code-block").first).to_contain_text("⟨U+2066⟩")
    more = page.get_by_role("button", name="Show all")
    while await more.count():
        await more.first.click()
    shown: str = await page.inner_text("main")
    assert OVERRIDE[0] not in shown
    assert len(re.findall(ENDLESS, shown)) >= 2, "the answer and the tool's result, whole"
    assert await page.evaluate("document.querySelectorAll('main img, main script').length") == 0
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert re.fullmatch(r"\d", await page.title()) is None
    await page.goto(desk.url("/console/sessions"))
    await expect(page.locator("main")).to_contain_text("⟨U+202E⟩gnp.exe")


async def test_a_call_is_deleted_after_a_question(desk: Desk, chromium: Windows) -> None:
    """Not by a slip: cancelling keeps it, confirming deletes it and goes to the others."""
    chromium.expect("status of 404")
    page = await _opened(chromium, desk, DOOMED)
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator("dialog")).to_have_count(0)
    await page.get_by_role("button", name="Delete").click()
    assert await violations(page, SERIOUS) == []
    await page.get_by_role("button", name="Delete the call").click()
    await expect(page.locator("h1")).to_have_text("Sessions")
    await page.goto(desk.url(f"/console/sessions/{DOOMED}"))
    await expect(page.locator("h1")).to_have_text("There is no such call")
