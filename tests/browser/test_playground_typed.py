"""The playground for who types: no microphone, no mouse, tools, settings, a lost line."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import expect

from browser.playground_page import SOUND_MS, Line, Playground
from browser.window import Windows
from hostile.serving import Server

ORDERS = [
    {
        "type": "function",
        "name": "order_status",
        "description": "Looks up where an order is, by its number.",
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "string"}},
            "required": ["number"],
        },
    }
]
QUESTION = "What is the status of order number 402118?"


async def typing(windows: Windows, server: Server, **settings: str) -> Playground:
    """A call in writing, which waits for what is typed."""
    shown = await Playground.opened(windows, server.http)
    for name, value in {"mode": "type_read", "greeting": "", **settings}.items():
        await shown.set(name, value)
    await shown.talk.click()
    await expect(shown.state).to_have_text("Your turn to type")
    return shown


async def test_who_types_is_answered_in_writing(speech_server: Server, chromium: Windows) -> None:
    """The greeting comes, the question stands in the conversation, and so does the answer."""
    shown = await typing(chromium, speech_server, greeting="Hello, and welcome.")
    await expect(shown.agents).to_have_text(["Hello, and welcome."])
    await shown.type("Say the words: seven green bottles.")
    await expect(shown.users).to_have_text(["Say the words: seven green bottles."])
    await expect(shown.agents.nth(1)).to_contain_text("seven green bottles")
    await expect(shown.turns).to_have_count(2)
    await shown.talk.click()
    await expect(shown.state).to_have_text("Call ended")
    # The conversation stays to be read.
    await expect(shown.agents).to_have_count(2)


async def test_who_has_no_microphone_is_told_and_may_type_and_listen(
    speech_server: Server, chromium: Windows
) -> None:
    """The button fails in plain words and offers the way out; then the agent speaks."""
    shown = await Playground.opened(chromium, speech_server.http)
    await shown.talk.click()
    problem = shown.page.locator("#problem")
    await expect(problem).to_contain_text("microphone")
    await expect(shown.state).to_have_text("Ready when you are")
    await problem.get_by_role("button", name="Type instead").click()
    await expect(shown.agents.first).to_contain_text("Hello", timeout=SOUND_MS)
    await expect(problem).to_be_empty()


async def test_everything_can_be_done_with_the_keyboard(
    speech_server: Server, chromium: Windows
) -> None:
    """The skip link leads to the button, Space calls, the message is typed, Escape hangs up."""
    shown = await Playground.opened(chromium, speech_server.http)
    await shown.set("mode", "type_read")
    keyboard = shown.page.keyboard
    await shown.page.locator("body").press("Tab")
    await expect(shown.page.locator(".skip-link")).to_be_focused()
    await keyboard.press("Enter")
    await expect(shown.talk).to_be_focused()
    await keyboard.press("Space")
    await expect(shown.state).to_have_text("Your turn to type")
    await expect(shown.page.locator("#typed")).to_be_focused()
    await keyboard.type("Hello")
    await keyboard.press("Enter")
    await expect(shown.users).to_have_text(["Hello"])
    await expect(shown.agents).to_have_count(2)
    await keyboard.press("Escape")
    await expect(shown.state).to_have_text("Call ended")


async def test_a_tool_is_answered_by_hand(speech_server: Server, chromium: Windows) -> None:
    """The card shows the arguments and asks; what is written on it is what the agent says."""
    shown = await typing(chromium, speech_server, tools=json.dumps(ORDERS))
    await shown.type(QUESTION)
    card = shown.page.get_by_role("region", name="Tool call: order_status")
    await expect(card).to_contain_text('"number": "402118"')
    await expect(shown.state).to_have_text("Waiting for a tool's answer")
    await card.get_by_label("Result").fill("The parcel is in Bremen.")
    await card.get_by_role("button", name="Send result").click()
    await expect(card).to_contain_text("Answered by hand")
    await expect(shown.agents.last).to_contain_text("Bremen")


async def test_a_tool_is_answered_by_javascript_that_can_only_compute(
    speech_server: Server, chromium: Windows
) -> None:
    """The code has the arguments and may await; it has no network, no page and no storage."""
    chromium.expect("CSP|Content Security Policy|Refused to connect|sandbox")
    shown = await typing(chromium, speech_server, tools=json.dumps(ORDERS))
    await shown.page.locator("#answer-how-0").select_option("code")
    await shown.page.locator("#answer-code-0").fill(
        """
        const open = [];
        for (const name of ["document", "window", "localStorage", "parent"]) {
          if (typeof globalThis[name] !== "undefined") open.push(name);
        }
        try { await fetch("/healthz"); open.push("fetch"); } catch {}
        try { importScripts("/assets/antiphon.js"); open.push("scripts"); } catch {}
        await null;
        console.log("asked for", args.number);
        return { number: args.number, origin: self.origin, open };
        """
    )
    await shown.type(QUESTION)
    card = shown.page.get_by_role("region", name="Tool call: order_status")
    await expect(card).to_contain_text("Answered by JavaScript")
    await expect(card).to_contain_text('{"number":"402118","origin":"null","open":[]}')
    await expect(card).to_contain_text("asked for 402118")


async def test_code_that_never_ends_is_stopped_and_the_page_lives(
    speech_server: Server, chromium: Windows
) -> None:
    """After the tool's time it counts as failed; meanwhile the page answers."""
    slow = [{**ORDERS[0], "timeout_seconds": 2}]
    shown = await typing(chromium, speech_server, tools=json.dumps(slow))
    await shown.page.locator("#answer-how-0").select_option("code")
    await shown.page.locator("#answer-code-0").fill("for (;;) {}")
    await shown.type(QUESTION)
    card = shown.page.get_by_role("region", name="Tool call: order_status")
    await expect(card).to_contain_text("Runs")
    await expect(shown.page.locator("#state-more")).to_have_text("0:01", timeout=SOUND_MS)
    await expect(card).to_contain_text("it took longer than 2 s", timeout=SOUND_MS)


@pytest.mark.parametrize(
    ("code", "said"),
    [("throw new Error('no such order');", "Error: no such order"), ("return (", "SyntaxError")],
)
async def test_code_that_fails_says_so_to_the_agent_and_on_the_card(
    code: str, said: str, speech_server: Server, chromium: Windows
) -> None:
    """What is thrown, or cannot be read, is the tool's error."""
    shown = await typing(chromium, speech_server, tools=json.dumps(ORDERS))
    await shown.page.locator("#answer-how-0").select_option("code")
    await shown.page.locator("#answer-code-0").fill(code)
    await shown.type(QUESTION)
    card = shown.page.get_by_role("region", name="Tool call: order_status")
    await expect(card).to_contain_text("Failed by JavaScript")
    await expect(card).to_contain_text(said)


async def test_tools_that_cannot_be_used_are_told_below_the_field(
    speech_server: Server, chromium: Windows
) -> None:
    """Half a list is no list yet; once it is whole the message goes."""
    shown = await Playground.opened(chromium, speech_server.http)
    problems = shown.page.locator("#set-tools-problems")
    await shown.set("tools", '[{"name": ')
    await expect(problems).to_contain_text("not JSON yet")
    await shown.set("tools", '[{"parameters": {}}]')
    await expect(problems).to_contain_text('Tool 1 has no "name"')
    await shown.set("tools", json.dumps(ORDERS))
    await expect(problems).to_be_empty()


async def test_settings_survive_a_reload_and_the_address_names_the_agent(
    speech_server: Server, chromium: Windows
) -> None:
    """What was set is there again; an agent in the address counts more."""
    shown = await Playground.opened(chromium, speech_server.http)
    await shown.set("systemPrompt", "You know about parcels.")
    await shown.set("keyterms", "Antiphon")
    await shown.page.reload()
    await expect(shown.page.locator("#set-systemPrompt")).to_have_value("You know about parcels.")
    await expect(shown.page.locator("#set-keyterms")).to_have_value("Antiphon")
    await shown.page.goto(f"{speech_server.http}/?agent=agent_nobody")
    await expect(shown.page.locator("#set-agentId")).to_have_value("agent_nobody")
    await shown.set("mode", "type_read")
    await shown.talk.click()
    await expect(shown.page.locator("#problem")).to_contain_text("not stored here")


async def test_a_stored_agent_is_chosen_from_the_list_and_called(
    speech_server: Server, chromium: Windows
) -> None:
    """It is in the list by its name, the address takes its id, and it greets with its own words."""
    shown = await Playground.opened(chromium, speech_server.http)
    made = await shown.page.request.post(
        f"{speech_server.http}/v1/agents",
        data={
            "name": "Order desk",
            "system_prompt": "You answer questions about orders.",
            "voice": {"voice_id": "anna"},
            "greeting": "The order desk is open.",
        },
    )
    agent_id = (await made.json())["id"]
    await shown.page.reload()
    await expect(shown.page.locator("#set-agentId")).to_contain_text("Order desk")
    await shown.set("agentId", agent_id)
    assert shown.page.url.endswith(f"/?agent={agent_id}")
    await shown.set("mode", "type_hear")
    await shown.talk.click()
    await expect(shown.agents.first).to_have_text("The order desk is open.", timeout=SOUND_MS)
    await shown.page.get_by_role("button", name="copy its settings to this page").click()
    await expect(shown.page.locator("#set-greeting")).to_have_value("The order desk is open.")
    await expect(shown.page.locator("#set-agentId")).to_have_value("")


async def test_a_change_is_applied_to_the_call_and_what_waits_is_named(
    speech_server: Server, chromium: Windows
) -> None:
    """The server takes the new instructions at once; the new voice is told to come later."""
    shown = await typing(chromium, speech_server)
    await shown.set("systemPrompt", "Parcels are blue. You answer questions about parcels.")
    await shown.set("voice", "paul")
    panel = shown.page.locator(".apply")
    await expect(panel).to_contain_text("With the next call: voice.")
    await panel.get_by_role("button", name="Apply to this call").click()
    await expect(shown.page.get_by_text("Settings changed")).to_be_visible()
    await expect(panel.get_by_role("button", name="Apply to this call")).to_have_count(0)
    await shown.type("What colour are parcels?")
    await expect(shown.agents.last).to_contain_text("blue")
    await expect(shown.page.locator("#problem")).to_be_empty()


async def test_a_lost_line_is_told_and_the_call_comes_back(
    speech_server: Server, chromium: Windows
) -> None:
    """The socket is cut in the middle; the same conversation goes on over a second one."""
    line = Line()
    shown = await Playground.opened(chromium, speech_server.http)
    await line.watch(shown.page)
    await shown.page.reload()
    await shown.set("mode", "type_read")
    await shown.set("greeting", "")
    await shown.talk.click()
    await expect(shown.state).to_have_text("Your turn to type")
    await shown.type("Remember that my name is Jordan.")
    await expect(shown.agents).to_have_count(1)
    await line.cut()
    await expect(shown.page.get_by_text("the call came back")).to_be_visible(timeout=SOUND_MS)
    assert line.sockets == 2
    await shown.type("What is my name?")
    await expect(shown.agents.last).to_contain_text("Jordan")


async def test_the_messages_can_be_read_filtered_and_kept(
    speech_server: Server, chromium: Windows
) -> None:
    """The drawer has what went over the wire, both ways; the download is JSON lines of it."""
    shown = await typing(chromium, speech_server)
    await shown.type("Hello")
    await expect(shown.agents).to_have_count(1)
    await shown.page.get_by_role("button", name="Messages").click()
    rows = shown.page.locator("#log-list > li")
    await expect(rows.filter(has_text="conversation.message")).to_have_count(1)
    await shown.page.get_by_label("Filter").fill("turn.timeline")
    await expect(rows).to_have_count(1)
    await shown.page.get_by_label("Filter").fill("")
    async with shown.page.expect_download() as begun:
        await shown.page.get_by_role("button", name="Download").click()
    kept = await (await begun.value).path()
    lines = [json.loads(one) for one in kept.read_text("utf-8").splitlines()]
    kinds = [(one["from"], one["message"]["type"]) for one in lines]
    assert kinds[0] == ("client", "session.update")
    assert ("server", "session.ready") in kinds
    assert ("server", "reply.done") in kinds


async def test_the_call_is_shown_as_code_with_its_settings(
    speech_server: Server, chromium: Windows
) -> None:
    """Both programs have what is set on the page."""
    shown = await Playground.opened(chromium, speech_server.http)
    await shown.set("greeting", "Good evening.")
    await shown.page.get_by_role("button", name="Code").click()
    code = shown.page.locator("#code-text")
    await expect(code).to_contain_text('greeting="Good evening."')
    await shown.page.get_by_role("button", name="JavaScript").click()
    await expect(code).to_contain_text('"greeting": "Good evening."')
    await shown.page.keyboard.press("Escape")
    await expect(code).to_be_hidden()
