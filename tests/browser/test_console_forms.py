"""What is changed in the console: stored agents and API keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.async_api import Page, expect

from browser.axe import SERIOUS, violations
from browser.console_page import (
    ELSEWHERE,
    READY_MS,
    Desk,
    desk_with_calls,
    settled,
    signed_in,
)
from browser.window import Windows

AGENT = {
    "name": "Order desk",
    "system_prompt": "You answer questions about orders.",
    "voice": {"voice_id": "alba"},
    "greeting": "Hello! Which order is it about?",
    "input": {"keyterms": ["Antiphon"], "transcription_mode": "max_accuracy"},
    "tools": [
        {
            "name": "order_status",
            "description": "Looks up where an order is.",
            "parameters": {"type": "object", "properties": {"id": {"type": "string"}}},
            "http": {
                "url": f"{ELSEWHERE}/orders",
                "headers": [{"name": "Authorization", "value": "Bearer secret"}],
            },
        }
    ],
    "llm": [{"base_url": f"{ELSEWHERE}/v1", "model": "large", "api_key": "secret"}],
}


@pytest.fixture(scope="module")
def desk(built_pages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One server for all tests of this file."""
    del built_pages
    with desk_with_calls(tmp_path_factory.mktemp("console-forms")) as opened:
        yield opened


def _rest(desk: Desk, method: str, path: str, body: object = None) -> Any:
    """What the REST API itself says."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": desk.operator, "Content-Type": "application/json"}
    request = Request(desk.url(path), data, headers, method=method)  # noqa: S310 -- our own server
    with urlopen(request, timeout=10) as answer:  # noqa: S310 -- as above
        return json.load(answer)


async def _unfolded(page: Page) -> None:
    await page.evaluate(
        "for (const one of document.querySelectorAll('.agent-form > details')) one.open = true"
    )


async def test_an_agent_is_made_with_the_form(desk: Desk, chromium: Windows) -> None:
    """What is filled in is stored; the page goes on as that agent's, ready for the playground."""
    page = await signed_in(chromium, desk, "/console/agents/new")
    await page.get_by_label("Name").fill("Reception")
    await page.get_by_label("Prompt").fill("You greet people.")
    await _unfolded(page)
    await page.get_by_label("Key terms").fill("Antiphon\nLeipzig\n")
    await page.get_by_label("Fixed windows of silence").check()
    await page.get_by_label("Least silence").fill("300")
    await page.get_by_role("button", name="Add a model").click()
    await page.get_by_label("Address").fill(f"{ELSEWHERE}/v1")
    await page.get_by_label("Model", exact=True).fill("small")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator("h1")).to_have_text("Reception", timeout=READY_MS)
    agent_id = page.url.rpartition("/")[2]
    stored = _rest(desk, "GET", f"/v1/agents/{agent_id}")
    assert stored["input"]["keyterms"] == ["Antiphon", "Leipzig"]
    assert stored["input"]["turn_detection"]["min_silence"] == 300
    assert stored["llm"][0]["model"] == "small"
    link = page.get_by_role("link", name="Try in the playground")
    await expect(link).to_have_attribute("href", f"/?agent={agent_id}")


async def test_a_change_leaves_what_was_not_changed(desk: Desk, chromium: Windows) -> None:
    """Keys and header values are never told, and are kept; so is what the form left alone."""
    agent_id = _rest(desk, "POST", "/v1/agents", AGENT)["id"]
    page = await signed_in(chromium, desk, f"/console/agents/{agent_id}")
    await page.get_by_label("Greeting").fill("Good day!")
    await expect(page.get_by_text("Not saved yet")).to_be_visible()
    async with page.expect_request("**/v1/agents/*") as asking:
        await page.get_by_role("button", name="Save").click()
    request = await asking.value
    assert request.post_data_json == {"greeting": "Good day!"}
    await expect(page.get_by_text("Not saved yet")).to_have_count(0)
    await _unfolded(page)
    tools = page.get_by_label("Tools", exact=True)
    written = (await tools.input_value()).replace("Looks up", "Finds out")
    assert "secret" not in written
    await tools.fill(written)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Not saved yet")).to_have_count(0)
    await expect(page.locator(".toast")).to_have_count(2)
    stored = _rest(desk, "GET", f"/v1/agents/{agent_id}")
    assert stored["greeting"] == "Good day!"
    assert stored["tools"][0]["description"] == "Finds out where an order is."
    assert stored["tools"][0]["http"]["headers"][0]["name"] == "Authorization"
    assert stored["input"]["transcription_mode"] == "max_accuracy"


async def test_what_the_server_refuses_stands_at_its_field(desk: Desk, chromium: Windows) -> None:
    """Every wrong field says what is wrong with it, unfolds, and the first one is focused."""
    chromium.expect("status of 422")
    page = await signed_in(chromium, desk, "/console/agents/new")
    await page.get_by_label("Prompt").fill("You greet people.")
    await _unfolded(page)
    await page.get_by_label("Volume").fill("400")
    await page.get_by_label("Tools", exact=True).fill('[{"name": ""}]')
    await page.evaluate(
        "for (const one of document.querySelectorAll('.agent-form > details')) one.open = false"
    )
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator(".notice.bad")).to_contain_text("fields cannot be like this")
    await expect(page.get_by_label("Name")).to_be_focused()
    await expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    await _unfolded(page)
    await expect(page.get_by_label("Volume")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("[id='field-tools-error']")).to_contain_text("tools[0].")
    assert await violations(page, SERIOUS) == []


async def test_tools_that_are_no_json_are_not_sent(desk: Desk, chromium: Windows) -> None:
    """The field says so before anything is asked."""
    page = await signed_in(chromium, desk, "/console/agents/new")
    await page.get_by_label("Name").fill("Reception")
    await _unfolded(page)
    await page.get_by_label("Tools", exact=True).fill("[{")
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator("[id='field-tools-error']")).to_contain_text("no JSON")
    await expect(page.get_by_label("Tools", exact=True)).to_be_focused()
    await expect(page).to_have_url(re.compile("/new$"))


async def test_unsaved_changes_are_not_lost_by_a_slip(desk: Desk, chromium: Windows) -> None:
    """A link and the browser's way back ask first; whoever leaves, leaves."""
    page = await signed_in(chromium, desk, "/console/agents")
    await page.get_by_role("link", name="New agent").first.click()
    await page.get_by_label("Name").fill("Reception")
    await page.get_by_role("link", name="Usage").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_label("Name")).to_have_value("Reception")
    await page.go_back()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_label("Name")).to_have_value("Reception")
    await expect(page).to_have_url(re.compile("/new$"))
    await page.get_by_role("link", name="Usage").click()
    await page.get_by_role("button", name="Leave").click()
    await expect(page.locator("h1")).to_have_text("Usage")


async def test_what_was_written_outlives_the_end_of_the_sign_in(
    desk: Desk, chromium: Windows
) -> None:
    """The key is asked for over the page; afterwards it can be saved."""
    page = await signed_in(chromium, desk, "/console/agents/new")
    await page.get_by_label("Name").fill("Night desk")
    await page.get_by_label("Prompt").fill("You work at night.")
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Create", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("API key").fill(desk.operator)
    await dialog.get_by_role("button", name="Sign in").click()
    await expect(dialog).to_have_count(0)
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.locator("h1")).to_have_text("Night desk", timeout=READY_MS)


async def test_an_agent_is_deleted_after_a_question(desk: Desk, chromium: Windows) -> None:
    """It is gone from the list, which is never empty without a word."""
    agent_id = _rest(desk, "POST", "/v1/agents", {**AGENT, "name": "Doomed \u202e"})["id"]
    page = await signed_in(chromium, desk, "/console/agents")
    await page.get_by_role("link", name="Doomed ⟨U+202E⟩", exact=True).click()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Delete the agent").click()
    await expect(page.locator("h1")).to_have_text("Agents")
    await settled(page)
    await expect(page.locator("main")).not_to_contain_text(agent_id)


async def test_a_key_is_shown_once_and_can_be_revoked(desk: Desk, chromium: Windows) -> None:
    """The key that is made works; the list never has it; revoked, it is marked so."""
    page = await signed_in(chromium, desk, "/console/keys")
    await page.get_by_role("button", name="New key").click()
    await expect(page.get_by_label("Name")).to_be_focused()
    await page.get_by_label("Name").fill("Website")
    await page.get_by_role("dialog").get_by_role("checkbox", name="agents").uncheck()
    assert await violations(page, SERIOUS) == []
    await page.get_by_role("button", name="Create", exact=True).click()
    key = await page.get_by_label("The key", exact=True).input_value()
    await page.get_by_role("button", name="I have kept it").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    row = page.locator("tbody tr").filter(has_text="Website")
    await expect(row).to_contain_text("sessions")
    assert key not in await page.content()
    answer = _rest(desk._replace(operator=key), "GET", "/v1/console/me")
    assert "agents" not in answer["scopes"]
    await row.get_by_role("button", name="Revoke Website").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(row).to_contain_text("Revoked")


async def test_a_key_that_cannot_be_says_why(desk: Desk, chromium: Windows) -> None:
    """The dialog stays open, with the server's words at the field."""
    chromium.expect("status of 422")
    page = await signed_in(chromium, desk, "/console/keys")
    await page.get_by_role("button", name="New key").click()
    await page.get_by_role("button", name="Create", exact=True).click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("name")
    await expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
