"""A real server with its web pages, and a real browser; all tests of this folder share them.

A test asks for ``page_server`` (scripted providers) or ``speech_server`` (the embedded models) and
for ``chromium``:

    async def test_something(page_server: Server, chromium: Windows) -> None:
        page = await chromium.open(page_server.http)

and fails for any error on the page's console, unless it says ``chromium.expect(pattern)``. With
``speaking`` the browser has a microphone: ``windows = await speaking(wav)``. The tests run on one
loop, which is the browser's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, async_playwright

import web
from browser.window import Speaking, Windows, hearing, launch
from end_to_end.product import running
from hostile.serving import SCRIPTED, Server

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEY = "the-key"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What belongs to a browser can be awaited on its loop only."""
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def built_pages() -> None:
    """The pages, bundled from the sources as they are now."""
    web.build(ROOT)


@pytest.fixture(scope="session")
def page_server(built_pages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in a process of its own, with scripted providers, that records; it has no keys."""
    del built_pages
    log = tmp_path_factory.mktemp("page-server") / "log"
    with running(log, **SCRIPTED, ANTIPHON_RECORDING="true") as server:
        yield server


@pytest.fixture(scope="session")
def speech_server(built_pages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As ``page_server``, with the embedded models: it hears, thinks and speaks."""
    del built_pages
    log = tmp_path_factory.mktemp("speech-server") / "log"
    with running(log, ANTIPHON_RECORDING="true") as server:
        yield server


@pytest.fixture(scope="session")
def keyed_server(built_pages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As ``page_server``, for who has ``KEY``."""
    del built_pages
    log = tmp_path_factory.mktemp("keyed-server") / "log"
    with running(log, **SCRIPTED, ANTIPHON_API_KEYS=KEY) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    """What drives browsers."""
    async with async_playwright() as driver:
        yield driver


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(playwright: Playwright) -> AsyncIterator[Browser]:
    """One without a microphone."""
    opened = await launch(playwright)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def chromium(browser: Browser) -> AsyncIterator[Windows]:
    """Windows of the test's own; nothing went wrong in them."""
    async with _watched(browser) as windows:
        yield windows


@pytest_asyncio.fixture(loop_scope="session")
async def speaking(playwright: Playwright) -> AsyncIterator[Speaking]:
    """Opens a browser whose microphone hears a WAV file, from the moment that it is opened."""
    async with AsyncExitStack() as stack:

        async def speak(wav: Path) -> Windows:
            opened = await launch(playwright, *hearing(wav))
            stack.push_async_callback(opened.close)
            return await stack.enter_async_context(_watched(opened))

        yield speak


@asynccontextmanager
async def _watched(browser: Browser) -> AsyncIterator[Windows]:
    windows = Windows(browser)
    try:
        yield windows
    finally:
        await windows.close()
    assert windows.complaints == []
