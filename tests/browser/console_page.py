"""The console as its user has it, on a server that has keys and stored calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import Page, expect

from browser import console_calls
from browser.window import Windows
from end_to_end.product import ANTIPHON, run, running
from hostile.serving import SCRIPTED, Server

ACCOUNT = "default"
ELSEWHERE = "http://127.0.0.1:9"
"""An address that agents may name; nobody is there."""
READY_MS = 20_000.0
"""How long a page may take on a busy machine."""
PHONE = {"viewport": {"width": 390, "height": 844}}

# Frames and long tasks while a page is scrolled from top to bottom by the wheel.
_LONG_TASKS = """() => {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.longTasks.push(entry.duration);
  }).observe({ type: "longtask" });
}"""


class Desk(NamedTuple):
    """A server, and keys of it."""

    server: Server
    operator: str
    """May do everything."""
    caller: str
    """May make calls only."""

    def url(self, path: str) -> str:
        """The address of a page."""
        return self.server.http + path


@contextmanager
def desk_with_calls(folder: Path, calls: int = console_calls.FEW) -> Iterator[Desk]:
    """A server over ``console_calls``."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    console_calls.write(data, ACCOUNT, calls)
    operator = _key(data, "operator", "calls", "agents", "sessions", "usage", "operator")
    caller = _key(data, "caller", "calls")
    variables = {
        **SCRIPTED,
        "ANTIPHON_DATA_DIR": str(data),
        "ANTIPHON_RECORDING": "true",
        "ANTIPHON_OUTBOUND_ALLOW": ELSEWHERE.removeprefix("http://"),
    }
    with running(folder / "log", **variables) as server:
        yield Desk(server, operator, caller)


def _key(data: Path, name: str, *scopes: str) -> str:
    options = [part for scope in scopes for part in ("--scope", scope)]
    command = [ANTIPHON, "keys", "create", "--name", name, "--account", ACCOUNT, *options]
    done = run(*command, ANTIPHON_DATA_DIR=str(data))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


async def signed_in(windows: Windows, desk: Desk, path: str, **options: Any) -> Page:
    """A page of the console, opened by whoever may do everything."""
    windows.expect("status of 401")  # Which is how the page learns that it has to ask for a key.
    page = await windows.open(desk.url(path), **options)
    await sign_in(page, desk.operator)
    return page


async def sign_in(page: Page, key: str) -> None:
    """Gives a key where it is asked for."""
    await page.get_by_label("API key").fill(key)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("nav.ways")).to_be_attached(timeout=READY_MS)
    await settled(page)


async def settled(page: Page) -> None:
    """What the page asked for is there."""
    await expect(page.locator("main h1").first).to_be_visible(timeout=READY_MS)
    await expect(page.locator("[aria-busy]")).to_have_count(0, timeout=READY_MS)


async def scrolled(page: Page, steps: int) -> list[float]:
    """Scrolls down by the wheel; the milliseconds of each long task meanwhile."""
    await page.evaluate(_LONG_TASKS)
    await page.mouse.move(700, 500)
    for _ in range(steps):
        await page.mouse.wheel(0, 300)
        await page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    tasks: list[float] = await page.evaluate("window.longTasks")
    return tasks


def json_lines(path: Path) -> list[dict[str, Any]]:
    """A file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
