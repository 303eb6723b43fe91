"""Text of callers, models and tools is text on the page, whatever it looks like."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import expect

from browser.playground_page import Line, Playground
from browser.window import Windows
from hostile.serving import Server

MARKUP = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>"><a href="//x.y">x'
TURNED = "left \u202e tfel \u2066\u200b\u0007 end"
LONG = "w" * 100_000
TEXTS = [
    MARKUP,
    TURNED,
    LONG,
    "\N{GRINNING FACE}" * 3,
    "{{7*7}} ${7*7} %s\n\n\n",
    "العربية ثم English",
]


async def called(windows: Windows, server: Server) -> tuple[Playground, Line]:
    """A call in writing over a line on which the test can speak for the server."""
    line = Line()
    shown = await Playground.opened(windows, server.http)
    await line.watch(shown.page)
    await shown.page.reload()
    await shown.set("mode", "type_read")
    await shown.set("greeting", "")
    await shown.talk.click()
    await expect(shown.state).to_have_text("Your turn to type")
    return shown, line


def message(kind: str, **fields: Any) -> str:
    """A message as the server would send it."""
    return json.dumps({"type": kind, "timestamp": 1.0, **fields})


async def unharmed(shown: Playground) -> None:
    """Nothing ran, nothing sticks out of the window, and the call goes on."""
    assert await shown.page.evaluate("window.broken") is None
    assert (
        await shown.page.locator(".script img, .script script, .script a[href='//x.y']").count()
        == 0
    )
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await shown.page.evaluate(wide) <= 0
    await shown.type("Still there?")
    await expect(shown.users.last).to_have_text("Still there?")


@pytest.mark.parametrize("text", TEXTS, ids=["markup", "bidi", "long", "emoji", "braces", "rtl"])
async def test_what_is_said_on_both_sides_is_text(
    text: str, page_server: Server, chromium: Windows
) -> None:
    """Partial and final words of the user, words and an interrupted end of the agent."""
    shown, line = await called(chromium, page_server)
    line.say(message("transcript.user.delta", item_id="u", text=text))
    await expect(shown.page.locator(".line.partial")).to_have_count(1)
    line.say(message("transcript.user", item_id="u", text=text))
    line.say(message("reply.started", reply_id="r", item_id="m"))
    delta = {"reply_id": "r", "item_id": "m", "start_ms": None, "end_ms": None}
    line.say(message("transcript.agent.delta", delta=f"{text} ", **delta))
    line.say(message("transcript.agent.delta", delta="unheard", **delta))
    line.say(message("transcript.agent", reply_id="r", item_id="m", text=text, interrupted=True))
    line.say(message("reply.done", reply_id="r", status="interrupted"))
    await expect(shown.page.get_by_text("Interrupted", exact=True)).to_be_visible()
    await expect(shown.page.locator(".unheard")).to_have_text("unheard")
    said = await shown.users.first.text_content()
    assert said is not None
    assert said.startswith(text[:20].split("\u202e", maxsplit=1)[0].split("\u2066", maxsplit=1)[0])
    assert "\u202e" not in said
    await unharmed(shown)


@pytest.mark.parametrize("text", TEXTS, ids=["markup", "bidi", "long", "emoji", "braces", "rtl"])
async def test_a_tools_name_arguments_and_result_are_text(
    text: str, page_server: Server, chromium: Windows
) -> None:
    """So are keys, and what is written by hand; the answer goes out as it was written."""
    shown, line = await called(chromium, page_server)
    line.say(message("tool.call", call_id="c", name=text, arguments={text: [text, {"a": text}]}))
    card = shown.page.locator(".tool-card")
    await expect(card).to_have_count(1)
    await card.get_by_label("Result", exact=True).fill(text)
    await card.get_by_role("button", name="Send result").click()
    await expect(card).to_contain_text("Answered by hand")
    await unharmed(shown)


@pytest.mark.parametrize("text", TEXTS[:3], ids=["markup", "bidi", "long"])
async def test_errors_timelines_and_the_log_are_text(
    text: str, page_server: Server, chromium: Windows
) -> None:
    """Names of stages, providers, codes and messages may be anything, too."""
    shown, line = await called(chromium, page_server)
    line.say(
        message(
            "turn.timeline",
            reply_id=text,
            trigger=text,
            stages={text: 1.0, "response": 2.0, "endpointing": 1.0},
            providers={text: text, "endpointing": text},
            reasons={text: text},
        )
    )
    line.say(message("session.error", code=text, message=text, param=text, session_id=None))
    line.say(
        message(
            "reply.error", reply_id="r", code=text, message=text, retryable=True, status_code=None
        )
    )
    line.say(message(text, text=text))
    await expect(shown.page.locator("#problem")).to_contain_text("reply failed")
    await shown.page.get_by_role("button", name="Messages").click()
    await expect(shown.page.locator("#log-list > li").first).to_be_visible()
    await shown.page.keyboard.press("Escape")
    await unharmed(shown)


async def test_messages_in_no_sensible_order_break_nothing(
    page_server: Server, chromium: Windows
) -> None:
    """Ends without beginnings, words of replies nobody knows, the same thing twice."""
    shown, line = await called(chromium, page_server)
    for _ in range(2):
        line.say(message("reply.done", reply_id="nobody", status="completed"))
        line.say(
            message(
                "transcript.agent",
                reply_id="x",
                item_id="m",
                text="Out of the blue.",
                interrupted=False,
            )
        )
        line.say(message("transcript.user", item_id="v", text=""))
        line.say(message("transcript.user", item_id="w", text="Twice."))
        line.say(message("input.speech.stopped"))
        line.say(
            message(
                "turn.timeline",
                reply_id="x",
                trigger="greeting",
                stages={},
                providers={},
                reasons={},
            )
        )
    await expect(shown.users).to_have_text(["Twice."])
    await expect(shown.agents).to_have_text(["Out of the blue."])
    await unharmed(shown)


async def test_a_thousand_messages_a_second_leave_the_page_usable(
    page_server: Server, chromium: Windows
) -> None:
    """Partial words at a rate no server has: the last ones stand there, the page answers."""
    shown, line = await called(chromium, page_server)
    for number in range(1000):
        line.say(message("transcript.user.delta", item_id="u", text=f"word {number}"))
    await expect(shown.users.first).to_have_text("word 999")
    await unharmed(shown)
