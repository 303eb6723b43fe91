"""The routes of the web pages, spoken to in raw ASGI, on pages of this test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette

from antiphon_server.console.pages import POLICY, Pages
from server.rest.rest_client import Answer, ask

HTML = ("accept", "text/html,application/xhtml+xml")
FILES = {
    "playground.html": "the playground",
    "console.html": "the console",
    "playground-sandbox.html": "the frame",
    "not-found.html": "no such page",
    "assets/console-ABCD2345.js": "code",
    "assets/console-ABCD2345.js.map": "{}",
    "assets/playground-sandbox-ABCD2345.js": "framed code",
    "assets/antiphon.js": "the SDK",
    "assets/worklets/player.js": "a worklet",
    "assets/icon.svg": "<svg/>",
    "built-from.txt": "a hash",
}


def _app(folder: Path) -> Starlette:
    pages = Pages(folder)
    return Starlette(routes=pages.routes(), exception_handlers={404: pages.missing})


@pytest.fixture
def app(tmp_path: Path) -> Starlette:
    """An application of pages only."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return _app(tmp_path)


async def _get(app: Starlette, path: str, *headers: tuple[str, str], method: str = "GET") -> Answer:
    return await ask(app, f"{method} {path}", authorization=None, headers=headers)


async def test_the_root_is_the_playground_for_browsers(app: Starlette) -> None:
    """And plain words for a terminal; caches are told that it depends on that."""
    page = await _get(app, "/", HTML)
    assert (page.status, page.raw) == (200, b"the playground")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    words = await _get(app, "/", ("accept", "*/*"))
    assert b"/v1/ws" in words.raw
    assert words.headers["content-type"].startswith("text/plain")
    assert page.headers["vary"] == words.headers["vary"] == "accept"


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/sessions/s_1", "/console/x/y"])
async def test_every_address_of_the_console_is_the_console(app: Starlette, path: str) -> None:
    """A link to a call can be sent to somebody else; the page knows what it is of."""
    assert (await _get(app, path, HTML)).raw == b"the console"


@pytest.mark.parametrize("path", ["/", "/console", "/playground-sandbox"])
async def test_every_page_says_what_it_may_do(app: Starlette, path: str) -> None:
    """Nothing but this server, no guessing of types, no address told, no other window's access."""
    headers = (await _get(app, path, HTML)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "http" not in policy
    assert "unsafe-inline" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["permissions-policy"].startswith("microphone=(self), camera=()")
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-cache"


async def test_only_the_frame_without_an_origin_may_evaluate(app: Starlette) -> None:
    """It can reach nothing, and only pages of this server may frame it."""
    frame = (await _get(app, "/playground-sandbox")).headers["content-security-policy"]
    assert "'unsafe-eval'" in frame
    assert "connect-src" not in frame
    assert "frame-ancestors 'self'" in frame
    assert frame.endswith("sandbox allow-scripts")
    assert "unsafe-eval" not in POLICY
    assert "frame-ancestors 'none'" in POLICY


async def test_what_is_named_after_its_content_is_kept_for_ever(app: Starlette) -> None:
    """By our own pages; other sites may not load it."""
    for name in ("console-ABCD2345.js", "console-ABCD2345.js.map"):
        headers = (await _get(app, f"/assets/{name}")).headers
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("name", ["antiphon.js", "worklets/player.js"])
async def test_the_sdk_may_be_loaded_by_any_site(app: Starlette, name: str) -> None:
    """It keeps its name, so it is asked for again each time."""
    answer = await _get(app, f"/assets/{name}", ("origin", "https://shop.example"))
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    again = await _get(app, f"/assets/{name}", ("if-none-match", answer.headers["etag"]))
    assert (again.status, again.raw) == (304, b"")


async def test_the_frame_may_load_its_script(app: Starlette) -> None:
    """Though it has no origin, which makes it a stranger."""
    headers = (await _get(app, "/assets/playground-sandbox-ABCD2345.js")).headers
    assert headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../playground.html", "/assets/..%2fconsole.html", "/assets/", "/assets/worklets",
        "/assets//etc/passwd", "/assets/antiphon.js/", "/assets/antiphon.js.gz", "/built-from.txt",
        "/console.html", "/assets/\0",
    ],
)  # fmt: skip
async def test_nothing_else_is_served(app: Starlette, path: str) -> None:
    """What a request names is looked up, and is no path."""
    assert (await _get(app, path)).status == 404


async def test_a_person_who_got_lost_gets_a_page(app: Starlette) -> None:
    """With the same rules; a program gets two words."""
    page = await _get(app, "/nowhere", HTML)
    assert (page.status, page.raw) == (404, b"no such page")
    assert page.headers["content-security-policy"] == POLICY
    assert (await _get(app, "/nowhere")).raw == b"Not Found"


@pytest.mark.parametrize("path", ["/", "/console", "/assets/antiphon.js", "/favicon.ico"])
async def test_pages_are_for_reading(app: Starlette, path: str) -> None:
    """HEAD is GET without the body; anything else is 405 and says what may be done."""
    head, got = await _get(app, path, HTML, method="HEAD"), await _get(app, path, HTML)
    assert (head.status, head.raw, head.headers) == (200, b"", got.headers)
    posted = await _get(app, path, method="POST")
    assert posted.status == 405
    assert set(posted.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/", "/console/keys"])
async def test_pages_that_were_not_built_say_how_they_are(tmp_path: Path, path: str) -> None:
    """The command, and that calls work; nobody keeps that page, and it is not a success."""
    answer = await _get(_app(tmp_path / "nothing"), path, HTML)
    assert answer.status == 503
    assert b"python3 tools/web.py" in answer.raw
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == POLICY


async def test_without_pages_nothing_else_changes(tmp_path: Path) -> None:
    """The words at the root, and 404 for what is not there."""
    app = _app(tmp_path / "nothing")
    assert (await _get(app, "/")).status == 200
    for path in ("/assets/antiphon.js", "/favicon.ico", "/nowhere"):
        assert (await _get(app, path, HTML)).status == 404
